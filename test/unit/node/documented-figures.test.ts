// The figures in docs/wire.md, rooms.md, semantics.md and operate.md are the code's. Those of docs/security.md: documented-limits.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PEER_PARTS, PEER_STEPS } from '../../../ts/call/ring-search.ts';
import { MAX_RING, MAX_STEPS } from '../../../ts/call/wait-graph.ts';
import * as names from '../../../ts/global/limits.ts';
import * as groups from '../../../ts/groups/limits.ts';
import { MAX_WAITING } from '../../../ts/introspect/answering.ts';
import { MAX_CRASHES, MAX_STACK } from '../../../ts/introspect/crash-log.ts';
import { MAX_LIST } from '../../../ts/introspect/process-view.ts';
import { MAX_PAGE, MAX_TOP } from '../../../ts/introspect/questions.ts';
import { MAX_TRACESTATE } from '../../../ts/kernel/index.ts';
import { LONG_MAILBOX } from '../../../ts/mailbox/index.ts';
import { HINT_LIMITS, LOST_LIMITS } from '../../../ts/node/mesh/mesh.ts';
import { checkOptions } from '../../../ts/node/options.ts';
import { MAX_TRACE_BYTES } from '../../../ts/node/trace-headers.ts';
import * as rooms from '../../../ts/rooms/limits.ts';
import { MAX_TOLD } from '../../../ts/rooms/messages.ts';
import { MAX_METAS } from '../../../ts/rooms/presence-table.ts';
import * as wire from '../../../ts/wire/index.ts';
import * as weight from '../../../ts/wire/term-weight.ts';
import { root } from '../../support/child.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The first whole number that stands right after a text in a source file. */
function inSource(path: string, before: string): number {
  for (const after of read(path).split(before).slice(1)) {
    const [digits] = /^\d[\d_]*/.exec(after) ?? [];
    if (digits !== undefined) return Number(digits.replaceAll('_', ''));
  }
  throw new Error(`${path} has no number after ${before}`);
}

/** A count as the documents write it: 65 536. */
const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
const seconds = (ms: number): string => `${ms / 1000} s`;
const minutes = (ms: number): string => `${ms / 60_000} minutes`;
const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
const power = (value: number): string => `2^${Math.log2(value)}`;
const IN_WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

const native = (option: string): number => inSource('native/net/src/options.rs', `${option}: `);
const calls = (limit: string): number => inSource('ts/call/inbound-calls.ts', limit);
const { resume, limits, heartbeat } = {
  resume: rooms.DEFAULT_RESUME,
  limits: rooms.DEFAULT_LIMITS,
  heartbeat: inSource('ts/rooms/options.ts', '<HeartbeatOptions>({ intervalMs: '),
};
const backoff = (bound: string): number => inSource('ts/client/backoff.ts', `${bound} = `);
const waits = (pause: string): number => inSource('ts/supervisor/node-waits.ts', `${pause} = `);
const orphans = (what: string): number => inSource('ts/supervisor/orphan-killer.ts', `${what} = `);
const probeMs = inSource('ts/call/ring-search.ts', 'PROBE_AFTER_MS = ');
const drainMs = inSource('ts/rooms/drain.ts', 'over = ');
const ringRounds = inSource('ts/global/liveness.ts', 'ROUNDS = ');
const voteSeconds = (names.MAX_VOTE_ROUNDS * names.ANSWER_MS) / ringRounds / 1000;

const FIGURES: Readonly<Record<string, readonly string[]>> = {
  'docs/wire.md': [
    `| \`MAX_HANDSHAKE_FRAME\` | ${count(wire.MAX_HANDSHAKE_FRAME)} bytes |`,
    `| \`MAX_FRAME\` | ${count(wire.MAX_FRAME)} bytes |`,
    `| \`FRAGMENT_BYTES\` | ${count(wire.FRAGMENT_BYTES)} bytes |`,
    `| \`MAX_MESSAGE\` | ${count(checkOptions({}).maxMessage)} bytes by default`,
    `Deadline: ${seconds(native('handshake_ms'))} (settable)`,
    `At most ${count(native('max_handshakes'))} (settable) unauthenticated`,
    `of which the last ${MAX_RING} count`,
    `Names in bodies have 1 to ${wire.MAX_NAME_BYTES} bytes`,
    `At most ${count(wire.MAX_SLOTS)} pairs`,
    `at most ${inSource('ts/node/mesh/peer-list.ts', 'MAX_LISTED = ')} in a frame`,
    `at most ${count(HINT_LIMITS.names)} hints at a time`,
    `dials at most ${IN_WORDS[HINT_LIMITS.dials]} of them at once`,
    `for a tick interval (${seconds(native('tick_ms'))})`,
    `${seconds(native('down_ms'))} without one ends the session`,
    `more than ${count(wire.MAX_STREAMS)} open streams`,
    `at most ${count(wire.MAX_SHAPES)} per connection`,
    `at most ${wire.MAX_SHAPE_KEYS} keys each, at most ${mib(wire.MAX_SHAPE_BYTES)} of SHAPE`,
    `nested at most ${wire.MAX_DEPTH} deep`,
    `MAP or OBJECT | ${power(wire.MAX_ENTRIES)} |`,
    `bytes of a STRING | 2^29 − ${2 ** 29 - wire.MAX_STRING_BYTES} |`,
    `bytes of a BIGINT | ${power(wire.MAX_BIGINT_BYTES)} |`,
    `all values of one term | ${power(wire.MAX_TERM_MEMORY)} bytes |`,
    `hash tables | ${power(wire.FREE_STEPS)}, and ${wire.STEPS_PER_KEY} for each key |`,
    `MAP and SET with more than ${wire.FEW_KEYS} number keys`,
    `LIST ${weight.LIST}, OBJECT ${weight.OBJECT}, SHAPED ${weight.SHAPED}, STRUCT ${weight.STRUCT}, SET ${weight.SET}, MAP ${weight.MAP},`,
    `a LIST or SHAPED ${weight.SLOT}, of a SET ${weight.SET_ENTRY}, of a MAP ${weight.MAP_ENTRY}, of an OBJECT or STRUCT ${weight.KEY};`,
    `a string ${weight.STRING}; INT, FLOAT ${weight.NUMBER};`,
    `PID, REF ${weight.ADDRESS}; DATE ${weight.DATE}; a binary or VIEW ${weight.BYTES};`,
    `own actors, ${names.PART} in a message`,
    `are lists of at most ${names.MAX_REPLACED} \`[pid, stamp]\``,
    `connected for ${seconds(names.HELLO_MS)} and has sent neither`,
    `sends nothing for ${seconds(names.ANSWER_MS)} in spite of \`ping\``,
    `does not answer ${names.MAX_UNANSWERED_PINGS} pings`,
    `a vote did not come for ${voteSeconds} s`,
    `for one claim for ${2 * voteSeconds} s`,
    `${count(names.MAX_NAMES_PER_NODE)} names a node (settable), as many entries in their \`replaced\`, ${count(names.MAX_CLAIMS_PER_NODE)} claims`,
    `anew more than ${names.MAX_SYNCS} times`,
    `with at most ${groups.PART} PIDs in all`,
    `${count(groups.MAX_MEMBERSHIPS_PER_NODE)} memberships a node (settable), in ${count(groups.MAX_GROUPS_PER_NODE)} groups, ${groups.MAX_SYNCS} times`,
    `\`[origin, newest]\`, at most ${count(rooms.MAX_CURSOR)}, of origins`,
    `at most ${rooms.MAX_EXCEPT} strings`,
    `it no longer is. At most ${rooms.PART}; ${count(rooms.MAX_INTEREST)} rooms of a node |`,
    `again with the same \`ref\`, after ${seconds(rooms.HISTORY_MS)} and`,
    `except, ageMs]\`, at most ${count(MAX_TOLD)};`,
    `within the sender's window, at most ${count(rooms.MAX_ENDED)}.`,
    `about ${mib(rooms.ANSWERED_PER_TURN)} in a turn`,
    `of which ${rooms.MAX_LOSSES} count`,
    `JSON of at most ${count(rooms.MAX_META_BYTES)} bytes`,
    `At most ${rooms.PART}; ${count(rooms.MAX_PRESENT)} connections of a node`,
    `may have, at most ${count(rooms.MAX_COPIES)}.`,
    `beyond ${mib(rooms.MAX_HANDED_BYTES)} since the sender's \`hello\`, each counted with ${rooms.MESSAGE_OVERHEAD_BYTES} bytes`,
    `end at ${power(rooms.MAX_SEQUENCE + 1)} − 1`,
    `at ${power(rooms.MAX_CLIENT_NUMBER + 1)} − 1`,
    `in a room at ${count(rooms.MAX_MEMBERS)}`,
    `after the ${count(rooms.MAX_HELLOS)}th of a session`,
    `can add at most ${rooms.MAX_CURSOR / 2} origins`,
    `knows more than ${rooms.MAX_ROOM_ORIGINS} origins in a room`,
    `that have ended except ${rooms.ENDED_ORIGINS_KEPT}`,
    `it becomes. At most ${count(MAX_STEPS)}`,
    `included; at most ${3 * MAX_RING}`,
    `less than ${probeMs} ms ago`,
    `beyond ${count(PEER_STEPS)} steps of one peer`,
    `more than ${count(PEER_PARTS)} PIDs and references for it, in ${probeMs} ms`,
    `has at most ${inSource('ts/introspect/messages.ts', 'MAX_QUESTION = ')} characters`,
    `\`busy\`: ${MAX_WAITING} queries`,
    `at most ${MAX_PAGE} entries (\`top\` ${MAX_TOP}, \`crashes\` ${MAX_CRASHES}, lists about one actor ${MAX_LIST};`,
    `texts ${inSource('ts/introspect/check.ts', 'MAX_TEXT = ')} characters, stacks ${MAX_STACK}`,
    `a term of more than ${count(MAX_TRACE_BYTES)} bytes`,
    `longer than ${MAX_TRACESTATE} characters`,
  ],
  'ts/rooms/rooms.ts': [`connection is closed; default ${count(drainMs)}.`],
  'docs/rooms.md': [
    `to other nodes, within \`over\` ms (${count(drainMs)})`,
    `\`resume.windowMs\` (${minutes(resume.windowMs)}), at most \`resume.count\` (${count(resume.count)}) messages`,
    `\`resume.bytes\` (${mib(resume.bytes)}) per room`,
    `\`resume.totalBytes\` (${mib(resume.totalBytes)}; each message counts its length plus ${rooms.MESSAGE_OVERHEAD_BYTES} bytes)`,
    `\`limits.joinMs\` (${seconds(limits.joinMs)})`,
    `delays that grow (${seconds(backoff('minDelay'))} to ${seconds(backoff('maxDelay'))})`,
    `doubles from ${seconds(backoff('minDelay'))} to ${seconds(backoff('maxDelay'))}`,
    `after a connection of at least ${seconds(inSource('ts/client/connector.ts', 'STABLE_MS = '))}`,
    `no answer comes within ${seconds(inSource('ts/client/connector.ts', 'PROBE_MS = '))}`,
    `\`queue\` messages (${count(inSource('ts/client/room-client.ts', 'options.queue ?? '))})`,
    `silent for \`heartbeat.intervalMs\` (${seconds(heartbeat)})`,
    `later than ${minutes(rooms.TAKEN_MS)}`,
    `takes longer than ${seconds(inSource('ts/rooms/connection-actor.ts', 'CLOSE_TIMEOUT_MS = '))} is killed`,
    `cut off after ${seconds(rooms.LONGEST_CLOSE_MS)}`,
    `more than ${rooms.MAX_ROOM_ORIGINS} nodes have broadcast`,
    `could not hand over all (${mib(rooms.MAX_HANDED_BYTES)},`,
    `A message may have ${count(rooms.MAX_FRAGMENTS)} fragments`,
    `at most ${MAX_METAS} metas of one user`,
    `in at most ${inSource('ts/rooms/presence.ts', 'MAX_SHOWN = ')} rooms in turn`,
    `${mib(rooms.MAX_BRIDGED_BYTES)} per message`,
  ],
  'docs/semantics.md': [
    `when ${count(calls('blocked: '))} senders of other nodes wait`,
    `A call waits ${inSource('ts/call/outbound-calls.ts', 'DEFAULT_TIMEOUT_MS = ')} ms`,
    `has lasted ${probeMs} to ${2 * probeMs} ms`,
    `A cycle of at most ${MAX_RING} actors`,
    `more than ${count(MAX_STEPS)} waits`,
    `in milliseconds (default ${inSource('ts/supervisor/supervisor.ts', 'period = ')})`,
    `the others ${inSource('ts/supervisor/operations.ts', 'ANSWERED_AT_ONCE = ')} ms`,
    `grow from ${waits('FIRST_PAUSE_MS') / 1000} to at most ${(waits('MAX_PAUSE_MS') * 1.5) / 1000} s`,
    `no more than ${waits('MAX_CHECKS')} of these starts`,
    `for the ${count(orphans('MAX_ORPHANS'))} children`,
    `and ${seconds(inSource('ts/node/stop-time.ts', 'STOP_TIMEOUT_MS = '))} in all`,
    `After ${IN_WORDS[ringRounds]} rounds without an answer`,
    `(${seconds(native('down_ms'))} by default)`,
    `for the ${LOST_LIMITS.names} nodes lost last`,
  ],
  'docs/operate.md': [
    `${count(LONG_MAILBOX)} \`messages\` wait for an actor`,
    `share \`timeout\` (${seconds(inSource('ts/node/stop-on-signals.ts', 'TIMEOUT_MS = '))})`,
    `not done \`grace\` (${seconds(inSource('ts/node/stop-on-signals.ts', 'GRACE_MS = '))}) after`,
    `\`maxLoopDelay\` (${inSource('ts/health/health.ts', 'MAX_LOOP_DELAY_MS = ')} ms)`,
    `visits every actor, ${inSource('ts/introspect/node-view.ts', 'ENTRIES_PER_TURN = ')} per turn`,
    `\`timeout\` (${seconds(inSource('ts/node/observed-runtime.ts', 'ANSWER_MS = '))}, \`introspect`,
    `pages of at most ${MAX_PAGE} entries`,
    `For the last ${MAX_CRASHES} different crashes`,
    `for up to ${native('spin_us')} µs (\`spinUs\`)`,
    `${inSource('ts/observe/observer.ts', 'MAX_VIEWERS = ')} browsers' views, ${inSource('ts/observe/cluster-watch.ts', 'MAX_NODES = ')} nodes, ${inSource('ts/observe/node-watch.ts', 'TOP = ')} actors, ${inSource('ts/observe/event-log.ts', 'MAX_OF_KIND = ')} crashes`,
    `${inSource('ts/observe/node-watch.ts', 'ENTRIES = ')} entries of any other list`,
  ],
};

it.each(Object.entries(FIGURES))('%s has the figures of the code', (path, figures) => {
  const text = read(path).replace(/\s+/g, ' ');
  expect(figures.filter((figure) => !text.includes(figure))).toEqual([]);
});
