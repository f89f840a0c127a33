import { isDeepStrictEqual } from 'node:util';
import {
  CallError,
  type CallOptions,
  type CallState,
  nodeOfTarget,
  resolveTarget,
  STOP_TAG,
} from '../call/index.ts';
import { checkOptionNames, checkSignal, type OptionNames } from '../errors/index.ts';
import {
  after,
  type Cell,
  checkTimeout,
  copyReason,
  type ExitReason,
  inBudget,
  type NodeAddress,
  never,
  onAbort,
  ownCell,
  requestStop,
  whyFailed,
} from '../kernel/index.ts';
import { checkTarget } from '../send/index.ts';
import { Pid } from '../term/index.ts';
import { type Caller, partsOf, promised } from './caller.ts';
import type { Runtime } from './runtime.ts';

/** How long `stop` waits, and what else ends the wait. */
export interface StopOptions {
  /** ms until the stop rejects with `timeout`; the actor still ends later. Default: Infinity. */
  readonly timeout?: number | undefined;
  /** When it fires, the stop rejects with `aborted`; the actor still ends. */
  readonly signal?: AbortSignal | undefined;
}

const STOP_OPTIONS: OptionNames<StopOptions> = { timeout: true, signal: true };

/**
 * Stops an actor, here or on another node, and waits until it has ended. As OTP's `gen_server:stop`.
 *
 * A handler, or a server, first handles the messages that were sent before, then runs its `onTerminate`. A function actor ends at once;
 * if it traps exits, it gets an {@link Exit} from its parent instead, and decides by itself.
 *
 * @param caller The stopping actor's `self`, or the node for code outside of actors.
 * @param target PID, local name, or name on a node.
 * @param reason The exit reason. Default `normal`.
 * @param options `timeout` in ms (default Infinity), `signal`.
 * @returns Resolves when the actor has ended and its names are free. Rejects with a {@link CallError}: `noproc`, `nodedown`, `timeout`,
 * `aborted`, `calling_self`, `overload`, or `exit` if the actor ended with another reason.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_BAD_DEST, SNOW_ERR_NODE_NAME, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME, SNOW_ERR_UNSENDABLE.
 * @example
 * await stop(self, counter, 'shutdown', { timeout: 5000 });
 */
export function stop(
  caller: Caller,
  target: Pid | string | NodeAddress,
  reason: ExitReason = 'normal',
  options: StopOptions = {},
): Promise<void> {
  return promised(caller, stopped(caller, target, reason, options));
}

function stopped(
  caller: Caller,
  target: Pid | string | NodeAddress,
  reason: ExitReason,
  options: StopOptions,
): Promise<void> {
  const { runtime, cell: own } = partsOf(caller);
  if (own?.isOver === true) return never();
  checkTarget('stop', target);
  checkOptionNames('stop', options, STOP_OPTIONS);
  const { signal } = options;
  checkSignal('stop', signal);
  const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const given = copyReason(reason);
  const address = resolveTarget(runtime, target);
  const started = runtime.now();
  const fail = (state: CallState, why?: unknown): CallError =>
    new CallError({
      state,
      target: typeof target === 'string' || target instanceof Pid ? String(target) : target.name,
      node:
        address === undefined || address instanceof Pid ? nodeOfTarget(runtime, address ?? '') : address.node,
      tag: 'stop',
      elapsed: runtime.now() - started,
      reason: why,
      ...whyFailed(runtime, nodeKey(runtime, address), state),
    });
  const failed = (state: CallState, why?: unknown): Promise<never> =>
    inBudget(runtime, own, Promise.reject(fail(state, why)));
  if (signal?.aborted === true) return failed('aborted', signal.reason);
  if (address === undefined) return failed('noproc');
  if (!(address instanceof Pid) || address.nc !== 0)
    return stopRemote(runtime, own, address, given, { timeout, ...(signal && { signal }) }, fail);
  const cell = ownCell(runtime, address);
  if (cell === undefined) return failed('noproc');
  if (cell === own) return failed('calling_self');
  return new Promise((settle, reject) => {
    const end = (state: CallState | undefined, why?: unknown): void => {
      cancel();
      forget();
      disarm?.();
      if (own?.isDead === true) return; // the promise of a dead actor stays pending (A7)
      if (state === undefined) settle();
      else reject(fail(state, why));
    };
    const cancel = after(runtime, timeout, () => end('timeout'));
    // Its links are told after this callback: the caller may end with it.
    const forget = cell.onDeath((_pid, ended) =>
      queueMicrotask(() => (isDeepStrictEqual(ended, given) ? end(undefined) : end('exit', ended))),
    );
    const disarm = signal && onAbort(signal, () => end('aborted', signal.reason));
    requestStop(cell, given);
  });
}

/** Stops an actor of another node by a call that its node handles: the end of the actor is the answer. */
async function stopRemote(
  runtime: Runtime,
  caller: Cell | null,
  target: Pid | NodeAddress,
  reason: ExitReason,
  options: CallOptions,
  fail: (state: CallState, why?: unknown) => CallError,
): Promise<void> {
  try {
    await runtime.calls.call(caller, target, STOP_TAG, [reason], options);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.state !== 'exit') throw fail(error.state, error.reason);
    if (!isDeepStrictEqual(error.reason, reason)) throw fail('exit', error.reason);
  }
}

/** The number or name of the target's node; undefined: this node. */
function nodeKey({ remote }: Runtime, address: Pid | NodeAddress | undefined): number | string | undefined {
  if (address === undefined) return undefined;
  if (!(address instanceof Pid)) return remote.canonical(address.node);
  return address.nc === 0 ? undefined : address.nc;
}
