import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { SystemMessage } from './system-message.ts';

export interface CallOptions {
  /** ms; default 5000, or what is left of the call being handled. 0 and Infinity are valid. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A request that waits for an answer. Answer it, or hand `ref` to somebody who does: `runtime.reply(call, value)`. */
export declare class Call extends SystemMessage {
  /** Who asks; undefined: somebody outside of actors. */
  readonly from: Pid | undefined;
  readonly tag: string;
  readonly args: readonly unknown[];
  /** ms of the runtime's clock when the caller gives up; Infinity: never. */
  readonly deadline: number;
  /** Those who wait for this answer, the first caller first. */
  readonly chain: readonly Pid[];
  /** The reply address: sendable, good for one answer. */
  readonly ref: Ref;
  readonly isAnswered: boolean;
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

/** A call that brought no answer: says to whom, what, how long it took and why. */
export declare class CallError extends SnowmeshError {
  readonly state: CallState;
  readonly target: string;
  readonly node: string | undefined;
  readonly tag: string;
  /** ms */
  readonly elapsed: number;
  /** The target's exit reason (`exit`), its CrashReason (`error`), the chain (`cycle`). */
  readonly reason: unknown;
}
