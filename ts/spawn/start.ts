import { isDeepStrictEqual } from 'node:util';
import { type Caller, partsOf } from '../actor/caller.ts';
import type { Runtime } from '../actor/runtime.ts';
import type { Dest } from '../actor/self.ts';
import { type Startable, waitsForInit } from '../actor/spec.ts';
import { call, resolve } from '../call/outbound-calls.ts';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { CallError, type CallOptions, type CallState } from '../kernel/call.ts';
import { type Cell, ownCell } from '../kernel/cell.ts';
import { givenReason } from '../kernel/crash-reason.ts';
import { terminate } from '../kernel/death.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { checkTimeout } from '../kernel/receive.ts';
import { askToEnd, STOP_TAG } from '../kernel/stop-request.ts';
import type { NodeAddress } from '../kernel/system-message.ts';
import { begin } from '../kernel/turn.ts';
import { checkDest } from '../send/sender.ts';
import { demonitor, unlink } from '../signal/signals.ts';
import { Pid, type Ref } from '../term/index.ts';
import { spawn } from './spawner.ts';
import { startFar } from './start-far.ts';
import type { StartOptions, StartResult } from './start-result.ts';

/**
 * Starts an actor, here or on another node, and waits until its init is done (rules I1-I4, S5). The result comes at once,
 * not as a promise, when nothing had to be waited for: plain functions and handlers whose init is synchronous, here.
 *
 * @param parent the starting actor's `self`, or the node for code outside of actors; only an actor can be linked to it.
 * @returns the PID, `ignore`, or the reason why there is no child; then nothing of it is left.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED, SNOW_ERR_BAD_TIME.
 * @example
 * const result = await start(self, counter, [0], { link: true, timeout: 1000 });
 * if (!result.ok) self.exit('no counter');
 */
export function start<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options: StartOptions = {},
): StartResult<N> | Promise<StartResult<N>> {
  const { runtime, cell } = partsOf(parent);
  if (cell?.isDead === true) return new Promise(() => {}); // A7
  const { node } = options;
  if (node !== undefined && !runtime.isSelf(node)) {
    return startFar(runtime, cell, what, args, options, node) as Promise<StartResult<N>>;
  }
  return startHere(runtime, cell, what, args, options) as StartResult<N> | Promise<StartResult<N>>;
}

function startHere(
  runtime: Runtime,
  parent: Cell | null,
  what: Startable,
  args: readonly unknown[],
  options: StartOptions,
): StartResult | Promise<StartResult> {
  const limit = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  let born: ReturnType<typeof spawn>;
  try {
    born = spawn(runtime, parent, what, args, options, false);
  } catch (error) {
    if (error instanceof SnowmeshError && error.code === 'SNOW_ERR_NAME_TAKEN') {
      return { ok: false, reason: { alreadyStarted: error.details?.['holder'] } };
    }
    throw error;
  }
  const { pid, ref, cell } = born;
  if (!waitsForInit(what)) return { ok: true, pid: pid as never, ref };
  let result: StartResult | undefined;
  let tell = (made: StartResult): void => {
    result = made;
  };
  cell.more().starter = {
    ready: () => tell({ ok: true, pid: pid as never, ref }),
    ignored: () => tell({ ok: false, ignore: true, ref }),
    failed: (reason) => tell({ ok: false, reason, ref }),
  };
  if (typeof what !== 'function' && what.kind === 'handler') begin(cell);
  if (result !== undefined) return result;
  return new Promise((settle) => {
    const resolve = (made: StartResult): void => (parent?.isDead === true ? undefined : settle(made)); // A7
    const cancel = runtime.after(limit, () => {
      tell = resolve;
      if (parent !== null) abandon(parent, pid, options, ref);
      cell.more().starter = null;
      terminate(cell, 'killed');
      resolve({ ok: false, reason: 'timeout', ref });
    });
    tell = (made) => {
      cancel();
      resolve(made);
    };
  });
}

/** No EXIT of a child that never started reaches its parent (I3); an asked-for monitor still says `killed`. */
function abandon(parent: Cell, pid: Pid, options: StartOptions, ref: Ref | undefined): void {
  unlink(parent, pid);
  if (ref !== undefined && options.monitor !== true) demonitor(parent, ref);
}

/** How long a stop is waited for, and what else ends the wait. */
export interface StopOptions {
  /** ms; default Infinity. The actor still ends later. */
  readonly timeout?: number;
  /** Gives up waiting: it rejects with `aborted`; the actor still ends. */
  readonly signal?: AbortSignal;
}

const STOP_OPTIONS: OptionNames<StopOptions> = { timeout: true, signal: true };

/**
 * Asks an actor, here or on another node, to end in order and waits until it has (rule I6): a handler after what was sent
 * before, and after its `onTerminate`; a function actor at once, or, when it traps exits, as it decides on the Exit of its
 * parent that it gets. Resolves when its names are free. Rejects with a CallError: `noproc`, `nodedown`, `timeout`, `aborted`,
 * `calling_self`, or `exit` when it ended with another reason.
 *
 * @param caller The stopping actor's `self`, or the node for code outside of actors.
 * @param target PID, local name, or name on a node.
 * @param reason Default `normal`.
 * @param options `timeout` in ms (default Infinity), `signal`.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_BAD_DEST, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME, SNOW_ERR_UNSENDABLE.
 * @example
 * await stop(self, counter, 'shutdown', { timeout: 5000 });
 */
export function stop(
  caller: Caller,
  target: Pid | string | NodeAddress,
  reason: ExitReason = 'normal',
  options: StopOptions = {},
): Promise<void> {
  const { runtime, cell: own } = partsOf(caller);
  if (own?.isDead === true) return new Promise(() => {}); // dead actors await nothing (A7)
  checkDest(target as Dest<never>);
  checkOptionNames('stop', options, STOP_OPTIONS);
  const { signal } = options;
  const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const given = givenReason(reason);
  const address = resolve(runtime, target);
  const started = runtime.now();
  const fail = (state: CallState, why?: unknown): CallError =>
    new CallError({
      state,
      target: typeof target === 'string' || target instanceof Pid ? String(target) : target.name,
      node: address instanceof Pid || address === undefined ? undefined : address.node,
      tag: 'stop',
      elapsed: runtime.now() - started,
      reason: why,
    });
  if (signal?.aborted === true) return Promise.reject(fail('aborted', signal.reason));
  if (address === undefined) return Promise.reject(fail('noproc'));
  if (!(address instanceof Pid) || address.nc !== 0)
    return stopFar(runtime, own, address, given, { timeout, ...(signal && { signal }) }, fail);
  const cell = ownCell(runtime, address);
  if (cell === undefined) return Promise.reject(fail('noproc'));
  if (cell === own) return Promise.reject(fail('calling_self'));
  return new Promise((settle, reject) => {
    const end = (state: CallState | undefined, why?: unknown): void => {
      cancel();
      forget();
      signal?.removeEventListener('abort', onAbort);
      if (own?.isDead === true) return; // dead actors await nothing (A7)
      if (state === undefined) settle();
      else reject(fail(state, why));
    };
    const onAbort = (): void => end('aborted', signal?.reason);
    const cancel = runtime.after(timeout, () => end('timeout'));
    const forget = runtime.onDeath(address, (_pid, ended) =>
      isDeepStrictEqual(ended, given) ? end(undefined) : end('exit', ended),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    askToEnd(cell, given);
  });
}

/** A far actor is asked by its node; the end of the actor is the answer. */
async function stopFar(
  runtime: Runtime,
  caller: Cell | null,
  target: Pid | NodeAddress,
  reason: ExitReason,
  options: CallOptions,
  fail: (state: CallState, why?: unknown) => CallError,
): Promise<void> {
  try {
    await call(runtime, caller, target, STOP_TAG, [reason], options);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.state !== 'exit') throw fail(error.state, error.reason);
    if (!isDeepStrictEqual(error.reason, reason)) throw fail('exit', error.reason);
  }
}
