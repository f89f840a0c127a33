// The numbers of the protocol and of the native interface are defined in Rust. `node scripts/generate-wire.mjs` writes them for
// TypeScript, into ts/wire/. check-drift.mjs calls `driftOfWire`, which compares ts/wire/ and docs/wire.md with Rust.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

const MEMORY = 'native/core/src/term/memory.rs';
/** The constants that TypeScript needs besides tags, by the file that defines them. */
const LIMITS = {
  'native/core/src/frame/mod.rs': [
    'MAX_HANDSHAKE_FRAME',
    'MAX_FRAME',
    'FRAGMENT_BYTES',
    'MAX_MESSAGE',
    'MAX_STREAMS',
    'MAX_NAME_BYTES',
    'FOR_EVER',
  ],
  'native/core/src/frame/session_tables.rs': ['MAX_SLOTS', 'MAX_SHAPES', 'MAX_SHAPE_KEYS', 'MAX_SHAPE_BYTES'],
  'native/core/src/term/mod.rs': ['TERM_VERSION', 'MAX_DEPTH'],
  [MEMORY]: ['MAX_TERM_MEMORY', 'MAX_ENTRIES', 'MAX_BIGINT_BYTES', 'MAX_STRING_BYTES'],
  'native/core/src/term/key_hash.rs': ['FEW_KEYS', 'FREE_STEPS', 'STEPS_PER_KEY'],
  'native/core/src/node_name.rs': ['MAX_NODE_NAME_BYTES'],
  'native/core/src/cookie.rs': ['MIN_COOKIE_BYTES', 'MIN_COOKIE_DISTINCT'],
  'native/net/src/event.rs': ['ENTRY_HEADER'],
};
const HANDSHAKE = new Set(['HELLO', 'CHALLENGE', 'PROOF', 'ACK', 'REFUSE']);
/** Session frames that the native core handles itself, without JavaScript. */
const KEPT = new Set(['SLOT', 'FRAGMENT', 'GOODBYE', 'PING', 'PONG']);
const HEADER = '// Generated from native/ by scripts/generate-wire.mjs. Do not edit.\n';
const DOOR = `/**
 * The numbers on which the native core and TypeScript must agree.
 *
 * For: tags of frames, of native events and of terms; causes, statuses and limits.
 * Guarantees: they are those of the Rust sources; \`scripts/check-drift.mjs\` fails if they are not.
 * Must not know: anything. It imports nothing but its own files.
 */
${HEADER}`;

/** The generated files: path and text. */
export function generateWire() {
  const tags = constantsOf('native/core/src/frame/tag.rs');
  const events = constantsOf('native/net/src/event.rs').filter(({ name }) => name !== 'ENTRY_HEADER');
  const limits = Object.entries(LIMITS).flatMap(([path, names]) => {
    const all = constantsOf(path);
    return names.map((wanted) => find(all, wanted, path));
  });
  const index = [
    DOOR,
    "export * as TermTag from './term-tag.ts';\nexport * as TermWeight from './term-weight.ts';\n",
    group(
      'Tags of session frames that the native core delivers to JavaScript: docs/wire.md, section 6.',
      'FrameTag',
      tags.filter(({ name }) => !HANDSHAKE.has(name) && !KEPT.has(name)),
    ),
    group(
      'Tags of session frames that the native core handles itself.',
      'KeptTag',
      tags.filter(({ name }) => KEPT.has(name)),
    ),
    group(
      'Tags of handshake frames: docs/wire.md, section 3.',
      'HandshakeTag',
      tags.filter(({ name }) => HANDSHAKE.has(name)),
    ),
    group(
      'Tags of entries that the native core makes; they are never sent to a peer.',
      'NativeEvent',
      events,
    ),
    group(
      'Why a session ended: the first byte of SESSION_DOWN, and the cause given to `hangup`.',
      'DownCause',
      variantsOf('DownCause'),
    ),
    group('Why a node is dialled, given to `dial`.', 'DialReason', variantsOf('DialReason')),
    group('The status byte of CONNECT_RESULT.', 'ConnectStatus', variantsOf('ConnectStatus')),
    ...limits.map(single),
  ];
  return new Map([
    ['ts/wire/index.ts', index.join('\n')],
    [
      'ts/wire/term-tag.ts',
      `${HEADER}\n${withCounts(constantsOf('native/core/src/term/tag.rs')).map(single).join('\n')}`,
    ],
    [
      'ts/wire/term-weight.ts',
      `${HEADER}\n${constantsOf(MEMORY)
        .filter(({ name }) => !LIMITS[MEMORY].includes(name))
        .map(single)
        .join('\n')}`,
    ],
  ]);
}

/** The differences from Rust in ts/wire/ and in the tables of docs/wire.md, as sentences. */
export function driftOfWire() {
  const stale = [...generateWire()].filter(([path, text]) => read(path) !== text);
  return [
    ...stale.map(([path]) => `${path} is not what the Rust definitions give: run scripts/generate-wire.mjs`),
    ...driftOfTags('6. Session frames', 'native/core/src/frame/tag.rs', (name) => !HANDSHAKE.has(name)),
    ...driftOfTags('3. Handshake', 'native/core/src/frame/tag.rs', (name) => HANDSHAKE.has(name)),
    ...driftOfLimits(),
  ];
}

/** The tags that have no row with their number and name in a section, and the rows that name no tag. */
function driftOfTags(heading, path, isHere) {
  const rows = new Map(
    [...section(heading).matchAll(/^\|.*?`0x([0-9A-F]{2})`(?: \||\s)\s*([A-Z_0-9]+)? ?\|/gm)].map(
      ([, number, name]) => [name, Number.parseInt(number, 16)],
    ),
  );
  const tags = constantsOf(path).filter(({ name }) => isHere(name));
  const wrong = tags.filter(({ name, value }) => rows.get(name) !== value).map(({ name }) => name);
  const unknown = [...rows.keys()].filter((name) => !tags.some((tag) => tag.name === name));
  return [...wrong, ...unknown].map((name) => `docs/wire.md, "${heading}": ${name} is not as in ${path}`);
}

/** The limits that the document names by their constants, and whose values differ from the constants. */
function driftOfLimits() {
  const all = Object.keys(LIMITS).flatMap(constantsOf);
  const rows = [...section('2. Frames').matchAll(/^\| `([A-Z_]+)` \| ([\d ]+)/gm)];
  if (rows.length < 4) return ['docs/wire.md, "2. Frames": the limits are not found'];
  return rows
    .filter(([, name, value]) => find(all, name, 'native').value !== Number(value.replaceAll(' ', '')))
    .map(([, name]) => `docs/wire.md, "2. Frames": ${name} is not as in Rust`);
}

function section(heading) {
  const [, rest] = read('docs/wire.md').split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`docs/wire.md has no section "${heading}"`);
  return rest.split('\n## ')[0];
}

/** The constants of a Rust file whose values are numbers or powers of two, with their comments. */
function constantsOf(path) {
  const pattern =
    /((?:^\s*\/\/\/.*\n)*)^pub(?:\((?:crate|super)\))? const ([A-Z0-9_]+): (?:u8|u16|u32|u64|usize) = ([\dxA-Fa-f_]+|1 << \d+|\(1 << \d+\) - \d+);/gm;
  const found = [...read(path).matchAll(pattern)].map(([, comment, name, value]) => ({
    name,
    comment: words(comment),
    value: valueOf(value),
    text: value,
  }));
  if (found.length === 0) throw new Error(`${path} defines no constants`);
  return found;
}

function valueOf(text) {
  const [, power, less] = /1 << (\d+)\)?(?: - (\d+))?/.exec(text) ?? [];
  return power === undefined ? Number(text.replaceAll('_', '')) : 2 ** Number(power) - Number(less ?? 0);
}

/** The variants of an enum of native/net/src/event.rs. */
function variantsOf(name) {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(read('native/net/src/event.rs'))?.[1] ?? '';
  const found = [...body.matchAll(/((?:^\s*\/\/\/.*\n)+)\s*(\w+) = (\d+),/gm)].map(
    ([, comment, variant, value]) => ({
      name: variant.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(),
      comment: words(comment),
      value: Number(value),
      text: value,
    }),
  );
  if (found.length === 0) throw new Error(`native/net/src/event.rs defines no ${name}`);
  return found;
}

/** Adds the size of each range of tags, `X` to `X_LAST`. */
function withCounts(tags) {
  const counts = tags
    .filter(({ name }) => name.endsWith('_LAST'))
    .map((last) => {
      const name = last.name.replace('_LAST', '');
      const value = last.value - find(tags, name, 'native/core/src/term/tag.rs').value + 1;
      return {
        name: `${name}_COUNT`,
        comment: `How many tags ${name} to ${last.name} are.`,
        value,
        text: `${value}`,
      };
    });
  return [...tags, ...counts];
}

function find(all, wanted, path) {
  const found = all.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`${path} does not define ${wanted}`);
  return found;
}

const words = (comment) =>
  comment
    .replace(/^\s*\/\/\/ ?/gm, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
const number = ({ value, text }) => (text.startsWith('0x') ? `0x${text.slice(2).toLowerCase()}` : `${value}`);
const commented = (entry, indent) => (entry.comment === '' ? '' : `${indent}/** ${entry.comment} */\n`);
const single = (entry) => `${commented(entry, '')}export const ${entry.name} = ${number(entry)};\n`;

function group(comment, name, entries) {
  const lines = entries.map((entry) => `${commented(entry, '  ')}  ${entry.name}: ${number(entry)},\n`);
  return `/** ${comment} */\nexport const ${name} = {\n${lines.join('')}} as const;\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, text] of generateWire()) writeFileSync(join(root, path), text);
}
