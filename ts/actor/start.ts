import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Runtime } from './runtime.ts';
import type { Self } from './self.ts';
import type { SpawnOptions } from './spawn-options.ts';
import type { Startable } from './spec.ts';

export interface StartOptions extends SpawnOptions {
  /** ms that init may take. Default: Infinity. */
  readonly timeout?: number;
  /** Start it there instead of here; the spec must be known there. */
  readonly node?: string;
}

/** How a start ended (rule I1). */
export type StartResult<M = unknown> =
  | { readonly ok: true; readonly pid: Pid<M>; readonly ref: Ref | undefined }
  | { readonly ok: false; readonly ignore: true }
  | { readonly ok: false; readonly ignore?: undefined; readonly reason: ExitReason };

/**
 * Starts an actor and waits until its init is done (rules I1-I4). The result comes at once, not as a promise, when
 * nothing had to be waited for: plain functions, and handlers whose init is synchronous.
 */
export declare function start<N, A extends readonly unknown[]>(
  parent: Self<never> | Runtime,
  what: Startable<N, A>,
  args: A,
  options?: StartOptions,
): StartResult<N> | Promise<StartResult<N>>;

/**
 * Asks an actor to end in order and waits until it has (rule I6). Resolves when its names are free. Rejects with a
 * CallError: noproc, nodedown, timeout (it still ends later), or exit when it ended with another reason.
 */
export declare function stop(
  caller: Self<never> | Runtime,
  target: Pid | string,
  reason?: ExitReason,
  timeout?: number,
): Promise<void>;
