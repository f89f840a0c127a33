// The floors of ts/: a room may import only rooms of lower floors.
//
// `node scripts/floors.mjs` writes what follows from this table: the import rules in .oxlintrc.json and the pictures in
// CONTRIBUTING.md and docs/internals.md. test/architecture.test.ts fails if one of them is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The lowest floor first. `errors` is below `term`, which throws them; `index` is below `cli` and `testing`, which may use
 * everything that is public.
 */
export const FLOORS = [
  ['bindings'],
  ['wire', 'errors', 'diagnostics', 'client', 'collections'],
  ['term'],
  ['mailbox', 'scheduler', 'timers', 'link'],
  ['kernel'],
  ['signal'],
  ['send'],
  ['call'],
  ['spawn'],
  ['peer'],
  ['actor'],
  ['registry'],
  ['supervisor', 'behaviour'],
  ['introspect', 'discovery'],
  ['node'],
  ['global', 'groups', 'health', 'metrics', 'observe', 'otel', 'rooms'],
  ['index'],
  ['cli', 'testing'],
];

export const MAY_IMPORT_BINDINGS = new Set(['term', 'node']);

export function floorOf(room) {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** The linter's rules for each room (`overrides` of .oxlintrc.json), so that editors show a forbidden import at once. */
export function lintWalls() {
  return FLOORS.flat()
    .filter((room) => room !== 'index')
    .map(lintWall);
}

function lintWall(room) {
  const own = floorOf(room);
  const closed = FLOORS.flatMap((rooms, floor) => rooms.filter((other) => floor >= own && other !== room));
  if (!MAY_IMPORT_BINDINGS.has(room) && room !== 'bindings') closed.push('bindings');
  const names = closed.filter((other) => other !== 'index').join('|');
  const message = `${room} is on floor ${own} and imports strictly down.`;
  const patterns = [{ regex: `^(\\.\\./)+(${names})/`, message }];
  if (room !== 'bindings') {
    const rooms = FLOORS.flat().filter((other) => other !== 'index' && other !== room);
    patterns.push({
      group: [...rooms.map((other) => `**/${other}/*`), '!**/index.ts'],
      message: 'A room is entered by its index.ts.',
    });
  }
  return {
    files: [room === 'bindings' ? 'bindings/**/*.ts' : `ts/${room}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/** The floors as the documents show them, the highest first. */
export function picture() {
  const rows = FLOORS.map((rooms, floor) => `${String(floor).padStart(2)}   ${rooms.join('   ')}`);
  rows[0] += '  ── native/addon → native/net → native/core';
  return rows.toReversed().join('\n');
}

/** The texts of the files that follow from the table, by path. */
export function derived() {
  return new Map([
    ['.oxlintrc.json', lintConfig()],
    ['CONTRIBUTING.md', withPicture('CONTRIBUTING.md')],
    ['docs/internals.md', withPicture('docs/internals.md')],
  ]);
}

function lintConfig() {
  const config = JSON.parse(read('.oxlintrc.json'));
  const others = config.overrides.filter(({ rules }) => !('no-restricted-imports' in rules));
  config.overrides = [...others, ...lintWalls()];
  return `${formatted(config)}\n`;
}

/** JSON as biome formats it: an array of strings is on one line if it fits. */
function formatted(config) {
  return JSON.stringify(config, null, 2).replace(
    /^( *)("[^"\n]*": )?\[\n((?: *"(?:[^"\\\n]|\\.)*",?\n)+) *\](,?)$/gm,
    (whole, indent, key = '', items, comma) => {
      const line = `${indent}${key}[${items.trim().replace(/\n */g, ' ')}]${comma}`;
      return line.length <= LINE_WIDTH ? line : whole;
    },
  );
}

const LINE_WIDTH = 110;
const PICTURE = /(<!-- floors: written by scripts\/floors.mjs -->\n```\n)[\s\S]*?(```)/;

function withPicture(file) {
  return read(file).replace(PICTURE, (_, before, after) => `${before}${picture()}\n${after}`);
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, text] of derived()) writeFileSync(join(root, file), text);
}
