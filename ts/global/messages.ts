// The messages of the channel "global" (docs/wire.md, section 9). A peer may send anything: `parseMessage` returns a message in
// which every part has the right type and size, or undefined.
import { Pid } from '../term/index.ts';
import { MAX_NAME_BYTES, MAX_REPLACED, PART } from './limits.ts';
import type { ReplacedEntry } from './name-table.ts';

export const CHANNEL = 'global';
export const VERSION = 1;

/** A request to the node of an actor. */
export type Request = 'register' | 'reregister' | 'unregister';
/** How a request ends. `gone`: the actor, its node, or the name to remove does not exist. `unvoted`: a vote did not arrive in time. */
export type Outcome = 'yes' | 'taken' | 'full' | 'gone' | 'unvoted';

/** What a voter says to a claim. `late`: it has dropped the claim because the claimant did not answer. */
export type Verdict = Outcome | 'late';

export type Message =
  | readonly ['hello', version: number]
  | readonly ['sync', entries: readonly SyncEntry[]]
  | readonly ['bye']
  | readonly ['claim', id: number, name: string, stamp: number, replaces: boolean]
  | readonly ['vote', id: number, verdict: Verdict, stamp: number, known: readonly ReplacedEntry[]]
  | readonly ['ping', number: number]
  | readonly ['pong', number: number]
  | readonly ['inquire', id: number]
  | readonly ['yield', id: number]
  | readonly ['abort', id: number]
  | readonly [
      'commit',
      id: number,
      name: string,
      pid: Pid,
      stamp: number,
      replaced: readonly ReplacedEntry[] | null,
    ]
  | readonly ['settled', id: number]
  | readonly ['drop', id: number, name: string, stamp: number]
  | readonly ['ack', id: number]
  | readonly ['lost', name: string, loser: Pid, stamp: number, winner: Pid | null]
  | readonly ['ask', id: number, request: Request, name: string, pid: Pid]
  | readonly ['answer', id: number, outcome: Outcome, known: readonly ReplacedEntry[]];

export type SyncEntry = readonly [name: string, pid: Pid, stamp: number, replaced: readonly ReplacedEntry[]];

type Check = (value: unknown) => boolean;

const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const pid: Check = (value) => value instanceof Pid;
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string);
const OUTCOMES = ['yes', 'taken', 'full', 'gone', 'unvoted'];
const outcome = oneOf(...OUTCOMES);
const verdict = oneOf(...OUTCOMES, 'late');

const SHAPES = new Map<unknown, readonly Check[]>([
  ['hello', [count]],
  ['sync', [isSyncPart]],
  ['bye', []],
  ['claim', [count, isName, count, flag]],
  ['vote', [count, verdict, count, areReplaced]],
  ['ping', [count]],
  ['pong', [count]],
  ['inquire', [count]],
  ['yield', [count]],
  ['abort', [count]],
  ['commit', [count, isName, pid, count, (value) => value === null || areReplaced(value)]],
  ['settled', [count]],
  ['drop', [count, isName, count]],
  ['ack', [count]],
  ['lost', [isName, pid, count, (value) => value === null || value instanceof Pid]],
  ['ask', [count, oneOf('register', 'reregister', 'unregister'), isName, pid]],
  ['answer', [count, outcome, areReplaced]],
]);

/** Whether a value can be a global name: 1 to 255 bytes of well-formed text. */
export function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value === 'undefined') return false;
  // UTF-8 takes at most three bytes for each UTF-16 code unit.
  if (value.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(value) > MAX_NAME_BYTES) return false;
  return value.isWellFormed();
}

function isSyncPart(value: unknown): boolean {
  return Array.isArray(value) && value.length <= PART && value.every(isSyncEntry);
}

function isSyncEntry(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 4) return false;
  return isName(value[0]) && pid(value[1]) && count(value[2]) && areReplaced(value[3]);
}

function areReplaced(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > MAX_REPLACED) return false;
  return value.every(
    (entry) => Array.isArray(entry) && entry.length === 2 && pid(entry[0]) && count(entry[1]),
  );
}

/** Checks a message of a peer: undefined when it is malformed. O(size). */
export function parseMessage(value: unknown): Message | undefined {
  if (!Array.isArray(value)) return undefined;
  const shape = SHAPES.get(value[0]);
  if (shape === undefined || value.length !== shape.length + 1) return undefined;
  for (let at = 0; at < shape.length; at++) if (!shape[at]?.(value[at + 1])) return undefined;
  return value as unknown as Message;
}
