// How dials and sessions end, in the words that users see.

/** How a dial ended. Indexed by the native status. */
export const DIAL_RESULTS = [
  'up',
  'unreachable',
  'timeout',
  'cookie',
  'incompatible',
  'wrong-name',
  'duplicate',
  'stopping',
] as const;

export type DialResult = (typeof DIAL_RESULTS)[number];

/** Why a session ended. Indexed by the native cause. */
export const DOWN_CAUSES = [
  'closed',
  'timeout',
  'disconnect',
  'replaced',
  'protocol',
  'stopping',
  'goodbye',
  'overflow',
] as const;

/**
 * Why a node went down: the connection was `closed`, no byte came before the `timeout`, this node asked for the `disconnect`,
 * a newer connection `replaced` it, the peer broke the `protocol`, this node is `stopping`, the peer said `goodbye`, or
 * more output waited for the peer than may be kept (`overflow`).
 */
export type DownCause = (typeof DOWN_CAUSES)[number];
