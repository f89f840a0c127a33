import { isDeepStrictEqual } from 'node:util';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { CallError, type CallState } from './call.ts';
import { call } from './calls.ts';
import { type Cell, ownCell } from './cell.ts';
import { givenReason } from './crash-reason.ts';
import { terminate } from './death.ts';
import type { ExitReason } from './exit-reason.ts';
import { Runtime } from './runtime.ts';
import type { Self } from './self.ts';
import { demonitor, unlink } from './signals.ts';
import { spawn } from './spawning.ts';
import { type Startable, waitsForInit } from './spec.ts';
import { startFar } from './start-far.ts';
import type { StartOptions, StartResult } from './start-result.ts';
import { askToEnd, STOP_TAG } from './stop-request.ts';
import { begin } from './turn.ts';
import { checkTimeout } from './waiting.ts';

/** Who starts or stops: an actor, or the runtime for code outside of actors. */
// oxlint-disable-next-line typescript/no-explicit-any -- what the caller itself receives does not matter
type Starting = Self<any> | Runtime;

/**
 * Starts an actor, here or on another node, and waits until its init is done (rules I1-I4, S5). The result comes at once,
 * not as a promise, when nothing had to be waited for: plain functions and handlers whose init is synchronous, here.
 *
 * @param parent the actor that starts it, or the runtime for code outside of actors; only an actor can be linked to it.
 * @returns the PID, `ignore`, or the reason why there is no child; then nothing of it is left.
 * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED, SNOW_ERR_BAD_TIME.
 * @example
 * const result = await start(self, counter, [0], { link: true, timeout: 1000 });
 * if (!result.ok) self.exit('no counter');
 */
export function start<N, A extends readonly unknown[]>(
  parent: Starting,
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

/**
 * Asks an actor, here or on another node, to end in order and waits until it has (rule I6): a handler after what was sent
 * before, and after its `onTerminate`; a function actor at once, or, when it traps exits, as it decides on the Exit of its
 * parent that it gets. Resolves when its names are free. Rejects with a CallError: noproc, nodedown, timeout (it still
 * ends later), or exit when it ended with another reason.
 *
 * @param timeout ms; default for ever.
 * @throws SNOW_ERR_BAD_TIME, SNOW_ERR_UNSENDABLE.
 * @example
 * await stop(self, counter, 'shutdown', 5000);
 */
export function stop(
  caller: Starting,
  target: Pid | string,
  reason: ExitReason = 'normal',
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { runtime, cell: own } = partsOf(caller);
  if (own?.isDead === true) return new Promise(() => {}); // A7
  const pid = typeof target === 'string' ? runtime.names.whereis(target) : target;
  const started = runtime.now();
  const limit = checkTimeout(timeout);
  const given = givenReason(reason);
  const fail = (state: CallState, why?: unknown): CallError =>
    new CallError({
      state,
      target: String(target),
      node: undefined,
      tag: 'stop',
      elapsed: runtime.now() - started,
      reason: why,
    });
  if (pid !== undefined && pid.nc !== 0) return stopFar(runtime, own, pid, given, limit, fail);
  const cell = pid === undefined ? undefined : ownCell(runtime, pid);
  if (pid === undefined || cell === undefined) return Promise.reject(fail('noproc'));
  if (cell === own) return Promise.reject(fail('calling_self'));
  return new Promise((resolve, reject) => {
    const cancel = runtime.after(limit, () => {
      forget();
      if (own?.isDead !== true) reject(fail('timeout'));
    });
    const forget = runtime.onDeath(pid, (_pid, ended) => {
      cancel();
      if (own?.isDead === true) return; // A7
      if (isDeepStrictEqual(ended, given)) resolve();
      else reject(fail('exit', ended));
    });
    askToEnd(cell, given);
  });
}

/** A far actor is asked by its node; the end of the actor is the answer. */
async function stopFar(
  runtime: Runtime,
  caller: Cell | null,
  pid: Pid,
  reason: ExitReason,
  timeout: number,
  fail: (state: CallState, why?: unknown) => CallError,
): Promise<void> {
  try {
    await call(runtime, caller, pid, STOP_TAG, [reason], { timeout });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.state !== 'exit') throw fail(error.state, error.reason);
    if (!isDeepStrictEqual(error.reason, reason)) throw fail('exit', error.reason);
  }
}

function partsOf(caller: Starting): { runtime: Runtime; cell: Cell | null } {
  return caller instanceof Runtime
    ? { runtime: caller, cell: null }
    : { runtime: caller.runtime, cell: caller.cell };
}
