import { SnowmeshError } from '../errors/index.ts';
import { briefReason, isCleanExit } from '../kernel/index.ts';

/** How long a call waits, and what else ends the wait. */
export interface CallOptions {
  /**
   * ms until the call rejects with `timeout`. Default: 5000 as in OTP, or in a call handler what is left of the caller's own time.
   * 0 and Infinity are valid.
   */
  readonly timeout?: number | undefined;
  /** When it fires, the call rejects with `aborted`. The target may still handle the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a call failed.
 *
 * - `timeout`: no answer in time; the target may still handle the call
 * - `aborted`: the signal fired; the target may still handle the call
 * - `noproc`: there is no such actor
 * - `exit`: the target ended before it answered, also because its handler threw
 * - `nodedown`: the target's node could not be reached, or was lost during the call
 * - `error`: the target's node answered with an error, as only other implementations do
 * - `calling_self`: an actor called itself
 * - `cycle`: the target waits, directly or through others, for the caller
 * - `overload`: the target's mailbox or the output to its node is full, or too many calls of this node wait there
 * - `unknown`: the target has no handler for the tag
 */
export type CallState =
  | 'timeout'
  | 'aborted'
  | 'noproc'
  | 'exit'
  | 'nodedown'
  | 'error'
  | 'calling_self'
  | 'cycle'
  | 'overload'
  | 'unknown';

/** The facts of a failed call, from which its error is made. */
export interface CallFailure {
  readonly state: CallState;
  readonly target: string;
  readonly node: string | undefined;
  readonly tag: string;
  readonly elapsed: number;
  readonly reason: unknown;
  /** What is known about the target's node: a code for programs, and a phrase for the message. */
  readonly why?: string;
  readonly detail?: string;
}

/**
 * The rejection of a call that got no answer. The message names the target, the tag, the elapsed time and why. `code` is
 * SNOW_ERR_CALL_TIMEOUT, SNOW_ERR_CALL_NOPROC, … - one for each {@link CallState}. As the exits of Erlang's `gen_server:call`.
 *
 * @example
 * const n = await call(self, counter, 'read').catch((error) => {
 *   if (error instanceof CallError && error.state === 'timeout') return undefined;
 *   throw error;
 * });
 */
export class CallError extends SnowmeshError {
  /** Why there is no answer. */
  readonly state: CallState;
  /** The facts as one object. */
  declare readonly details: {
    readonly state: CallState;
    readonly target: string;
    readonly node: string | undefined;
    readonly tag: string;
    readonly elapsed: number;
    /**
     * With `nodedown`: why the node cannot be reached, as in `node.connectFailure`. With `timeout`: `stalled` if the event loop of the
     * node is known to be blocked.
     */
    readonly why?: string;
  };

  /** @internal */
  constructor({ state, target, node, tag, elapsed, reason, why, detail }: CallFailure) {
    const where = node === undefined ? target : `${target} on ${node}`;
    const brief = state === 'exit' || state === 'error' ? briefReason(reason) : detail;
    const rest = brief === undefined ? '' : `: ${brief.replace(/\.$/, '')}`;
    const isStopped = state === 'noproc' && reason === STOPPED;
    const explanation = isStopped ? 'the node of the caller was stopped (noproc)' : EXPLAIN[state];
    const remedy = isStopped ? 'Call before `stop`, or from another node' : remedyOf(state, reason);
    super(
      CODES[state],
      `The call ${JSON.stringify(tag)} to ${where} brought no answer after ${Math.round(elapsed)} ms: ${explanation}${rest}.${remedy === undefined ? '' : ` ${remedy}.`}`,
      {
        cause: reason,
        details: { state, target, node, tag, elapsed, ...(why === undefined ? {} : { why }) },
      },
    );
    this.name = 'CallError';
    this.state = state;
  }

  // Getters and not fields: a printed error would show each value twice. A copy in a message has them in `details` and `cause`.

  /** The target: a PID as text, or a name. */
  get target(): string {
    return this.details.target;
  }

  /** The full name of the target's node, which may be the caller's own; undefined: the caller's own node, which has no name. */
  get node(): string | undefined {
    return this.details.node;
  }

  /** The name of the request. */
  get tag(): string {
    return this.details.tag;
  }

  /** ms from the call to the error. */
  get elapsed(): number {
    return this.details.elapsed;
  }

  /** With `exit` the target's exit reason, with `error` its CrashReason, with `cycle` the PIDs of the cycle. */
  get reason(): unknown {
    return this.cause;
  }
}

/** The reason of a `noproc` of a caller whose own node was stopped. */
export const STOPPED = 'stopped';

const EXPLAIN: Readonly<Record<CallState, string>> = {
  timeout: 'its time limit passed (timeout); the target may still handle it',
  aborted: 'its AbortSignal fired (aborted); the target may still handle it',
  noproc: 'there is no such actor (noproc)',
  exit: 'the target ended before it answered (exit)',
  nodedown: 'the node is out of reach (nodedown)',
  error: 'the node of the target answered with an error (error)',
  calling_self: 'an actor cannot call itself (calling_self); call the function behind the handler instead',
  cycle:
    'the target waits, directly or through others, for the caller (cycle); let one of them send instead of call',
  overload:
    'the mailbox of the target or the output to its node is full, or too many calls of this node wait there (overload); try again later, or raise the limit',
  unknown: 'the target has no handler for this tag (unknown): check the tag, or add it to its calls',
};

/** What to do, as a sentence after the explanation. The other explanations contain it. */
const REMEDIES: Readonly<Partial<Record<CallState, string>>> = {
  noproc: 'Check that it was started and has not ended; after a restart, look up its PID again',
  exit: 'Call again once its supervisor has restarted it',
  nodedown: 'Call again once `node.connect` has connected to the node',
  error: 'Its error and stack are the `reason` of this error',
};

function remedyOf(state: CallState, reason: unknown): string | undefined {
  if (state !== 'exit' || !isCleanExit(reason)) return REMEDIES[state];
  return 'It was stopped: start it, or look up what has its name now, and call that';
}

const CODES = {
  timeout: 'SNOW_ERR_CALL_TIMEOUT',
  aborted: 'SNOW_ERR_CALL_ABORTED',
  noproc: 'SNOW_ERR_CALL_NOPROC',
  exit: 'SNOW_ERR_CALL_EXIT',
  nodedown: 'SNOW_ERR_CALL_NODEDOWN',
  error: 'SNOW_ERR_CALL_ERROR',
  calling_self: 'SNOW_ERR_CALL_SELF',
  cycle: 'SNOW_ERR_CALL_CYCLE',
  overload: 'SNOW_ERR_CALL_OVERLOAD',
  unknown: 'SNOW_ERR_CALL_UNKNOWN',
} as const;
