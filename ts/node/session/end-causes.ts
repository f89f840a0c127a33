// How dials and sessions end: the words for the statuses and causes of the native core.
import { ConnectStatus, DownCause as NativeCause } from '../../wire/index.ts';

const DIAL_WORDS = {
  UP: 'up',
  REFUSED: 'refused',
  TIMEOUT: 'timeout',
  AUTH: 'cookie',
  INCOMPATIBLE: 'incompatible',
  WRONG_NAME: 'wrong_name',
  DUPLICATE: 'duplicate',
  STOPPING: 'stopping',
  NAME_TAKEN: 'name_taken',
  DNS: 'dns',
} as const satisfies Record<keyof typeof ConnectStatus, string>;

const DOWN_WORDS = {
  CLOSED: 'closed',
  TIMEOUT: 'timeout',
  DISCONNECT: 'disconnect',
  REPLACED: 'replaced',
  PROTOCOL: 'protocol',
  STOPPING: 'stopping',
  GOODBYE: 'goodbye',
  OVERFLOW: 'overflow',
  DISPLACED: 'displaced',
} as const satisfies Record<keyof typeof NativeCause, string>;

/** How a dial ended. `unreachable`: this node does not dial that name, or the session ended at once. */
export type DialResult = (typeof DIAL_WORDS)[keyof typeof DIAL_WORDS] | 'unreachable';

/**
 * Why a node went down: the connection was `closed`, no byte came before the `timeout`, this node asked for the `disconnect`,
 * a newer connection `replaced` it, the peer broke the `protocol`, this node is `stopping`, the peer said `goodbye`,
 * more output waited for the peer than may be kept (`overflow`), or another node connected to the peer under this node's name
 * (`displaced`).
 */
export type DownCause = (typeof DOWN_WORDS)[keyof typeof DOWN_WORDS];

/** How a dial ended. Indexed by the native status. */
export const DIAL_RESULTS: readonly DialResult[] = indexed(ConnectStatus, DIAL_WORDS);

/** Why a session ended. Indexed by the native cause. */
export const DOWN_CAUSES: readonly DownCause[] = indexed(NativeCause, DOWN_WORDS);

function indexed<K extends string, W>(numbers: Record<K, number>, words: Record<K, W>): W[] {
  const list: W[] = [];
  for (const key in numbers) list[numbers[key]] = words[key];
  return list;
}

/** Why there is no session after a dial. The status `up` without a session means that it has ended already: `unreachable`. */
export function resultWithoutSession(status: number): Exclude<DialResult, 'up'> {
  const result = DIAL_RESULTS[status];
  return result === undefined || result === 'up' ? 'unreachable' : result;
}
