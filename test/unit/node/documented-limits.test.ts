// docs/security.md names every limit on what a peer sends. Its figures are the code's, and each limit has a test that goes beyond it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PEER_PARTS, PEER_STEPS } from '../../../ts/call/ring-search.ts';
import { MAX_RING, MAX_STEPS } from '../../../ts/call/wait-graph.ts';
import * as portmap from '../../../ts/discovery/portmap-protocol.ts';
import { MAX_CLAIMS_PER_NODE, MAX_NAMES_PER_NODE, MAX_SYNCS } from '../../../ts/global/limits.ts';
import {
  MAX_SYNCS as GROUP_SYNCS,
  MAX_GROUPS_PER_NODE,
  MAX_MEMBERSHIPS_PER_NODE,
} from '../../../ts/groups/limits.ts';
import { MAX_WAITING } from '../../../ts/introspect/answering.ts';
import { MAX_CRASHES, MAX_REASON, MAX_STACK } from '../../../ts/introspect/crash-log.ts';
import { MAX_LABEL } from '../../../ts/introspect/process-view.ts';
import { MAX_PAGE } from '../../../ts/introspect/questions.ts';
import { MAX_TRACESTATE } from '../../../ts/kernel/index.ts';
import { LOG_PAUSE_MS, MAX_HELD } from '../../../ts/kernel/throttled-log.ts';
import { MAX_PEER_LINKS, MAX_PEER_MONITORS } from '../../../ts/node/dispatch.ts';
import { HINT_LIMITS, LOST_LIMITS } from '../../../ts/node/mesh/mesh.ts';
import { checkOptions } from '../../../ts/node/options.ts';
import { SHORT_SIGNAL_BYTES } from '../../../ts/node/session/outgoing.ts';
import { MAX_TRACE_BYTES } from '../../../ts/node/trace-headers.ts';
import {
  ANSWERED_PER_TURN,
  DEFAULT_LIMITS,
  DEFAULT_RESUME,
  MAX_COPIES,
  MAX_ENDED,
  MAX_EXCEPT,
  MAX_EXCEPT_CHARS,
  MAX_HANDED_BYTES,
  MAX_HELLOS,
  MAX_INTEREST,
  MAX_LOSSES,
  MAX_META_BYTES,
  MAX_ORIGINS,
  MAX_PRESENT,
  MAX_PRESENT_CHARACTERS,
  MAX_QUESTIONS,
  MAX_REPORTED,
  MAX_RETURNING,
  MAX_ROOM_ORIGINS,
  MAX_TAKEN,
  MESSAGE_OVERHEAD_BYTES,
} from '../../../ts/rooms/limits.ts';
import { MAX_METAS } from '../../../ts/rooms/presence-table.ts';
import * as wire from '../../../ts/wire/index.ts';
import { root } from '../../support/child.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** A number in a source file, found by what stands before it. */
function inSource(path: string, pattern: RegExp): number {
  const found = pattern.exec(read(path))?.[1];
  if (found === undefined) throw new Error(`${path} has no ${pattern}`);
  const [value = 0, shift = 0] = found.replaceAll('_', '').split(' << ').map(Number);
  return value * 2 ** shift;
}

const { limit, waiting, maxMessage } = checkOptions({});
const margin = inSource('ts/node/start.ts', /SYSTEM_MARGIN = (\d+) \* 1024 \* 1024/) * 2 ** 20;

/** A count as the documents write it: 65 536. */
const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
function bytes(value: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (value % size === 0) return `${value / size} ${unit}`;
  return `${count(value)} bytes`;
}

/** Look-ups at once for a reason to dial. */
const lookups = (reason: string): number =>
  inSource('native/net/src/io/lookups.rs', new RegExp(`${reason}: Share::new\\((\\d+)\\)`));

/** What stands in the row of each limit. */
const FIGURES: Readonly<Record<string, readonly string[]>> = {
  'handshake frame': [bytes(wire.MAX_HANDSHAKE_FRAME)],
  frame: [bytes(wire.MAX_FRAME)],
  'message (joined fragments)': [bytes(maxMessage)],
  'open fragment streams': [count(wire.MAX_STREAMS)],
  'unfinished messages together': [
    bytes(
      maxMessage *
        inSource('native/core/src/frame/fragment.rs', /max_bytes: max_message\.saturating_mul\((\d+)\)/),
    ),
  ],
  'nesting of a term': [count(wire.MAX_DEPTH)],
  'counts inside a term': [],
  'entries of one list, set, map or object': [count(wire.MAX_ENTRIES)],
  'memory of the values of one term': [bytes(wire.MAX_TERM_MEMORY)],
  'a big integer': [bytes(wire.MAX_BIGINT_BYTES)],
  'a text': [bytes(wire.MAX_STRING_BYTES)],
  'keys of a set or map chosen to collide': [],
  'object shapes': [count(wire.MAX_SHAPES), `${wire.MAX_SHAPE_KEYS} keys`, bytes(wire.MAX_SHAPE_BYTES)],
  'announced identities': [count(wire.MAX_SLOTS)],
  'announced nodes that this node has not met': [
    '131 072',
    '26 215',
    `${inSource('native/net/src/identities/announced.rs', /KEPT: Duration = Duration::from_secs\((\d+) \* 60 \* 60\)/)} hours`,
  ],
  names: [`${wire.MAX_NAME_BYTES} bytes`],
  'names of nodes in lists of peers': [
    `${inSource('ts/node/mesh/peer-list.ts', /MAX_LISTED = (\d+)/)} of one list`,
    count(HINT_LIMITS.names),
    `${HINT_LIMITS.dials} of them dialled`,
    `${HINT_LIMITS.dialsOfOne} of one peer`,
    `${lookups('hinted')} of their hosts`,
  ],
  'lost peers that are dialled again': [
    `${count(LOST_LIMITS.names)} for ten minutes`,
    `${LOST_LIMITS.dials} of them dialled`,
    `${LOST_LIMITS.dialsOfOne} of one network`,
    `${lookups('lost')} of their hosts`,
  ],
  'numbers of nodes that connect': ['262 144', '131 072', '32 768'],
  'global names': [count(MAX_NAMES_PER_NODE), count(MAX_CLAIMS_PER_NODE)],
  'clock of registrations': [],
  'times a peer starts its names': [count(MAX_SYNCS), count(GROUP_SYNCS), count(MAX_HELLOS)],
  'group memberships': [count(MAX_MEMBERSHIPS_PER_NODE), count(MAX_GROUPS_PER_NODE)],
  'monitors, and links': [count(MAX_PEER_MONITORS), count(MAX_PEER_LINKS)],
  'calls of one peer without an answer': [
    count(inSource('ts/call/inbound-calls.ts', /perPeer: ([\d_]+)/)),
    bytes(inSource('ts/call/inbound-calls.ts', /memory: ([\d_]+)/)),
    count(inSource('ts/call/inbound-calls.ts', /blocked: ([\d_]+)/)),
    bytes(inSource('ts/call/inbound-calls.ts', /blockedBytes: ([\d_]+)/)),
  ],
  'what searches for cycles of calls cost': [count(PEER_STEPS), count(PEER_PARTS), count(MAX_STEPS)],
  'callers in the chain of a call': [count(MAX_RING)],
  'living actors that one peer spawned': [
    count(inSource('ts/spawn/inbound-spawns.ts', /count: ([\d_]+)/)),
    bytes(inSource('ts/spawn/inbound-spawns.ts', /memory: ([\d_]+)/)),
  ],
  'unread input while JavaScript is blocked': [
    bytes(inSource('native/net/src/options.rs', /inbox_bytes: (\d+ << \d+)/)),
  ],
  'unsent output': [bytes(limit), bytes(SHORT_SIGNAL_BYTES)],
  'unsent output in all': [bytes(limit + maxMessage + margin), bytes(margin)],
  'unsent output while dialling': [bytes(waiting)],
  'trace context of a message': [`${count(MAX_TRACE_BYTES)} bytes`, `${MAX_TRACESTATE} characters`],
  'introspection queries of one peer': [count(MAX_WAITING), count(MAX_PAGE)],
  'crashes that a node remembers': [
    count(MAX_CRASHES),
    count(MAX_REASON),
    count(MAX_STACK),
    count(MAX_LABEL),
  ],
  'messages of a room': [count(DEFAULT_RESUME.count), bytes(DEFAULT_RESUME.bytes)],
  'connections in presences of rooms': [
    count(MAX_PRESENT),
    `${count(MAX_PRESENT_CHARACTERS / 2 ** 20)} Mi characters`,
  ],
  'metas of one key in a presence': [String(MAX_METAS)],
  'rooms that a peer wants messages of': [
    count(MAX_INTEREST),
    `less than ${inSource('test/unit/rooms/footprint.test.ts', /'640 bytes with the longest name', 255, (\d+)/)} bytes`,
  ],
  'keys and connections that one broadcast excludes': [String(MAX_EXCEPT), String(MAX_EXCEPT_CHARS)],
  'client sessions': [count(MAX_REPORTED), count(MAX_TAKEN)],
  'ended origins of rooms': [count(MAX_ENDED), count(MAX_ORIGINS)],
  'answers to a peer': [bytes(ANSWERED_PER_TURN), count(MAX_QUESTIONS)],
  'what a node that stops hands over for rooms': [
    bytes(MAX_HANDED_BYTES),
    count(MESSAGE_OVERHEAD_BYTES),
    count(MAX_COPIES),
  ],
  'times a peer says that it has lost a node of rooms': [count(MAX_LOSSES)],
  'origins of a room': [count(MAX_ROOM_ORIGINS)],
};

const section = read('docs/security.md').split('## Limits on what a peer sends')[1]?.split('\n## ')[0] ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| limit'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it('names the limits that the code has, and no others', () => {
  const labels = rows.map(([, label = '']) => label);
  // The longest beginning that fits: "unsent output in all" is no row of "unsent output".
  const known = Object.keys(FIGURES).toSorted((a, b) => b.length - a.length);
  expect(labels.map((label) => known.find((name) => label.startsWith(name)) ?? label).toSorted()).toEqual(
    known.toSorted(),
  );
  const wrong = rows.flatMap(([, label = '', value = '', then = '']) => {
    const figures = FIGURES[known.find((name) => label.startsWith(name)) ?? ''] ?? [];
    return figures
      .filter((figure) => !`${value} ${then}`.includes(figure))
      .map((figure) => `${label}: ${figure}`);
  });
  expect(wrong).toEqual([]);
});

it('has a test of each', () => {
  const without = rows.filter(([, , , , tests = '']) => {
    const paths = [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
    return paths.length === 0 || !paths.every((path) => existsSync(join(root, path)));
  });
  expect(without.map(([, label]) => label)).toEqual([]);
});

it('says how many look-ups the dials have that this node asked for', () => {
  expect(section.replaceAll('\n', ' ')).toContain(
    `dials that the program or the discovery of a node asks for have ${lookups('asked')} look-ups of their own`,
  );
});

it('says what strangers may do', () => {
  const strangers = read('docs/security.md').split('## What a stranger can do')[1]?.split('\n## ')[0] ?? '';
  const options = 'native/net/src/options.rs';
  for (const figure of [
    `(${count(inSource(options, /max_handshakes: ([\d_]+)/))})`,
    `${bytes(wire.MAX_HANDSHAKE_FRAME)} a frame`,
    `${inSource(options, /handshake_ms: ([\d_]+)/) / 1000} s each`,
    `${count(inSource('native/core/src/handshake/digest.rs', /ITERATIONS: NonZeroU32 = NonZeroU32::new\(([\d_]+)/))} rounds`,
    `under ${wire.MIN_COOKIE_BYTES} bytes or with fewer than ${wire.MIN_COOKIE_DISTINCT} different characters`,
    `| port mapper | ${count(portmap.MAX_CONNECTIONS)}, at most ${count(portmap.MAX_NAMES)} of them with a name`,
    `${portmap.LINE_MS / 1000} s for a line of ${bytes(portmap.MAX_LINE_BYTES)},`,
    `| \`startHealthServer\` | ${inSource('ts/health/server.ts', /MAX_CONNECTIONS = (\d+)/)} |`,
    `${inSource('ts/health/server.ts', /REQUEST_MS = (\d+)/) / 1000} s for a request |`,
    `| ${inSource('ts/observe/observer.ts', /MAX_IDLE = (\d+)/)}, and ${inSource('ts/observe/observer.ts', /MAX_VIEWERS = (\d+)/)} viewers`,
    `${inSource('ts/observe/observer.ts', /REQUEST_MS = ([\d_]+)/) / 1000} s for a request |`,
    `${inSource('ts/rooms/authorization.ts', /AUTHORIZE_MS = ([\d_]+)/) / 1000} s for \`authorize\``,
    `${inSource('ts/rooms/hello-deadline.ts', /HELLO_MS = ([\d_]+)/) / 1000} s for the first message`,
  ])
    expect(strangers).toContain(figure);
});

it('says how often peers and strangers can make it log', () => {
  const logs = read('docs/security.md').split('## Logs')[1]?.split('\n## ')[0] ?? '';
  for (const figure of [
    `at most once in ${LOG_PAUSE_MS / 1000} s`,
    `for up to ${MAX_HELD} peers at a time`,
    `for up to ${MAX_HELD} of them at a time`,
  ])
    expect(logs.replaceAll('\n', ' ')).toContain(figure);
});

it('of clients of rooms stand in docs/rooms.md', () => {
  const table = read('docs/rooms.md').split('## Limits and safety')[1]?.split('\n## ')[0] ?? '';
  const { messageBytes, messagesPerSecond, waiting: held, rooms, bufferBytes } = DEFAULT_LIMITS;
  for (const row of [
    `| \`limits.messageBytes\` | ${bytes(messageBytes)} |`,
    `| \`limits.messagesPerSecond\` | ${messagesPerSecond}, in a burst twice as many |`,
    `| \`limits.waiting\`: messages that wait for the handler | ${held} |`,
    `| \`limits.rooms\` of a connection | ${count(rooms)} |`,
    `| \`limits.bufferBytes\`: unsent bytes for one client | ${bytes(bufferBytes)} |`,
    `may reconnect | ${count(MAX_RETURNING)} a node |`,
    `| meta | ${bytes(MAX_META_BYTES)} |`,
    `and has ${inSource('ts/rooms/authorization.ts', /AUTHORIZE_MS = ([\d_]+)/) / 1000} s.`,
  ])
    expect(table).toContain(row);
});
