import { SnowmeshError } from '../errors/index.ts';
import { briefReason } from '../kernel/index.ts';

/** How long a call waits, and what else ends the wait. */
export interface CallOptions {
  /** ms; default 5000, or what is left of the call being handled. 0 and Infinity are valid. */
  readonly timeout?: number;
  /** Gives the call up: it rejects with `aborted`; the target may still handle it. */
  readonly signal?: AbortSignal;
}

/** How a call failed. */
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

/** The facts of a failed call. */
export interface CallFailure {
  readonly state: CallState;
  readonly target: string;
  readonly node: string | undefined;
  readonly tag: string;
  readonly elapsed: number;
  readonly reason: unknown;
  /** What is known of the node of the target: a word for programs, and a sentence. */
  readonly why?: string;
  readonly more?: string;
}

/**
 * A call without an answer: names the target, the tag, the time it took, and why.
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
  /** The facts, once more. */
  declare readonly details: {
    readonly state: CallState;
    readonly target: string;
    readonly node: string | undefined;
    readonly tag: string;
    readonly elapsed: number;
    /**
     * `nodedown`: why that node is out of reach, as `node.connectFailure` says it. `timeout`: `stalled` when its event loop is known to
     * stand still.
     */
    readonly why?: string;
  };

  /** @internal */
  constructor({ state, target, node, tag, elapsed, reason, why, more }: CallFailure) {
    const where = node === undefined ? target : `${target} on ${node}`;
    const brief = state === 'exit' || state === 'error' ? briefReason(reason) : more;
    const rest = brief === undefined ? '' : `: ${brief}`;
    super(
      CODES[state],
      `The call ${JSON.stringify(tag)} to ${where} brought no answer after ${Math.round(elapsed)} ms: ${EXPLAIN[state]}${rest}.`,
      {
        cause: reason,
        details: { state, target, node, tag, elapsed, ...(why === undefined ? {} : { why }) },
      },
    );
    this.name = 'CallError';
    this.state = state;
  }

  // Getters, not fields: a printed error would show each of them twice. In a message, `details` and `cause` have them.

  /** The target: a PID as text, or a name. */
  get target(): string {
    return this.details.target;
  }

  /** Full name of the target's node, also when that is the caller's own; undefined when the own node has no name. */
  get node(): string | undefined {
    return this.details.node;
  }

  /** Which call. */
  get tag(): string {
    return this.details.tag;
  }

  /** ms from the call to the error. */
  get elapsed(): number {
    return this.details.elapsed;
  }

  /** The target's exit reason (`exit`), its CrashReason (`error`), the chain (`cycle`). */
  get reason(): unknown {
    return this.cause;
  }
}

const EXPLAIN: Readonly<Record<CallState, string>> = {
  timeout: 'the time was over (timeout); the target may still handle it',
  aborted: 'it was aborted',
  noproc: 'there is no such actor (noproc)',
  exit: 'the target ended before it answered (exit)',
  nodedown: 'the node is out of reach (nodedown)',
  error: 'the handler failed (error)',
  calling_self: 'an actor cannot call itself (calling_self)',
  cycle: 'the target waits, directly or not, for the caller (cycle)',
  overload: 'the mailbox of the target is full (overload)',
  unknown: 'the target knows no such call (unknown)',
};

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
