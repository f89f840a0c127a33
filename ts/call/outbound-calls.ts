// Calls: requests with one answer. The answer goes straight to the promise that waits, never into a mailbox, so a late one
// is seen by nobody (rule G3) and a backlog delays none (rule B6).

import type { Runtime } from '../actor/runtime.ts';
import type { Dest } from '../actor/self.ts';
import { Call, type CallOptions } from '../kernel/call.ts';
import { type Cell, ownCell } from '../kernel/cell.ts';
import { deferred, latest } from '../kernel/deferred.ts';
import { deliver } from '../kernel/delivery.ts';
import { checkTimeout } from '../kernel/receive.ts';
import type { NodeAddress } from '../kernel/system-message.ts';
import { checkDest } from '../send/sender.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { refusal } from './call-refusal.ts';
import { PendingCall } from './pending-call.ts';

const DEFAULT_TIMEOUT = 5000;
/** Sends a request; the promise is its answer, or rejects with a CallError. */
export function call(
  runtime: Runtime,
  caller: Cell | null,
  to: Dest<never>,
  tag: string,
  args: readonly unknown[],
  options: CallOptions | undefined,
): Promise<unknown> {
  checkDest(to);
  const pending = new PendingCall(runtime, caller, to, tag);
  const timeout = timeoutOf(caller, runtime, options);
  const copied = args.length === 0 ? args : copyTerm(args);
  if (options?.signal?.aborted === true)
    return Promise.reject(pending.error('aborted', options.signal.reason));
  pending.promise = deferred();
  pending.resolve = latest.resolve;
  pending.reject = latest.reject;
  pending.begin(timeout);
  arm(pending, options?.signal);
  try {
    dispatch(pending, copied, timeout);
  } catch (error) {
    pending.withdraw(); // too large for its way: nothing was sent, nothing may stay (rule B9)
    throw error;
  }
  return pending.promise;
}

/** The call an actor is at, while its caller still waits for the answer. */
function openCall(caller: Cell | null): Call | undefined {
  const handling = caller?.handling ?? undefined;
  return handling === undefined || handling.isAnswered ? undefined : handling;
}

function timeoutOf(caller: Cell | null, runtime: Runtime, options: CallOptions | undefined): number {
  if (options?.timeout !== undefined) return checkTimeout(options.timeout);
  const deadline = openCall(caller)?.deadline;
  if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return DEFAULT_TIMEOUT;
  return Math.max(0, Math.ceil(deadline - runtime.now()));
}

function arm(pending: PendingCall, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => void pending.fail('aborted', signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  pending.disarm = () => signal.removeEventListener('abort', onAbort);
}

function dispatch(pending: PendingCall, args: readonly unknown[], timeout: number): void {
  const { runtime, caller, tag, to } = pending;
  const above = openCall(caller)?.chain ?? NOBODY;
  const chain = chainOf(above, caller);
  const address = resolve(runtime, to);
  if (address === undefined) return void pending.fail('noproc', undefined);
  if (!(address instanceof Pid) || address.nc !== 0) {
    pending.node = address instanceof Pid ? address.nc : runtime.remote.canonical(address.node);
    runtime.remoteCalls.add(pending.node, pending);
    const from = caller === null ? null : caller.pid;
    runtime.remote.call(from, pending.address, timeout, address, [tag, args, chain]);
    return;
  }
  const cell = ownCell(runtime, address);
  if (cell === undefined) return void pending.fail('noproc', undefined);
  if (cell === caller) return void pending.fail('calling_self', undefined);
  const refused = refusal(cell, above);
  if (refused !== undefined) return void pending.fail(refused, refused === 'cycle' ? chain : undefined);
  awaitAnswer(pending, cell);
  const from = caller === null ? undefined : caller.pid;
  pending.request = new Call(from, pending, tag, args, pending.started + timeout, chain);
  deliver(cell, pending.request);
}

const NOBODY: readonly Pid[] = [];

function chainOf(above: readonly Pid[], caller: Cell | null): readonly Pid[] {
  if (caller === null) return above;
  return above.length === 0 ? [caller.pid] : [...above, caller.pid];
}

function awaitAnswer(pending: PendingCall, cell: Cell): void {
  const more = cell.more();
  more.callers ??= new Set();
  more.callers.add(pending);
  pending.target = cell;
}

/** A call's target: a PID, or an address on another node; undefined: nobody has that name here. */
export function resolve(runtime: Runtime, to: Dest<never>): Pid | NodeAddress | undefined {
  if (to instanceof Pid) return to;
  if (typeof to === 'string') return runtime.names.whereis(to);
  if (to instanceof Ref) return undefined;
  return runtime.isSelf(to.node) ? runtime.names.whereis(to.name) : to;
}
