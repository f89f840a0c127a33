// Calls: requests with one answer. The answer goes straight to the promise that waits, never into a mailbox, so a late one
// is seen by nobody (rule G3) and a backlog delays none (rule B6).
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { Call, CallError, type CallOptions, type CallState } from './call.ts';
import { BUSY, type Cell, cellOf, type Extras, LIMITED } from './cell.ts';
import { checkDest, deliver } from './delivery.ts';
import { sendReason } from './far-reason.ts';
import { ReplyStatus } from './remote-port.ts';
import type { Runtime } from './runtime.ts';
import type { Dest } from './self.ts';
import type { NodeAddress } from './system-message.ts';
import { checkTimeout } from './waiting.ts';

const DEFAULT_TIMEOUT = 5000;

/** Somebody who has to hear when the actor he called ends. */
export interface AwaitingCaller {
  targetEnded(reason: unknown): void;
}

/** A call of this runtime that waits. Its own timer; an entry in the list of its caller's calls. */
export class PendingCall extends Timer implements AwaitingCaller {
  readonly runtime: Runtime;
  readonly ref: Ref;
  readonly caller: Cell | null;
  readonly to: Dest<never>;
  readonly tag: string;
  readonly started: number;
  /** The node it depends on; undefined: it is a local call. */
  node: number | string | undefined = undefined;
  target: Cell | undefined = undefined;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  promise!: Promise<unknown>;
  disarm: (() => void) | undefined = undefined;
  /** What the target holds, when it lives here. */
  request: Call | undefined = undefined;
  private before: PendingCall | null = null;
  private after: PendingCall | null = null;

  constructor(runtime: Runtime, caller: Cell | null, to: Dest<never>, tag: string) {
    super();
    this.runtime = runtime;
    this.caller = caller;
    this.to = to;
    this.tag = tag;
    this.started = runtime.now();
    this.ref = runtime.newRef(caller === null ? 0 : caller.pid.local);
  }

  fire(): void {
    this.fail('timeout', undefined);
  }

  targetEnded(reason: unknown): void {
    this.target = undefined;
    this.fail('exit', reason);
  }

  /** From now on it waits. */
  begin(timeout: number): void {
    const { runtime, caller } = this;
    runtime.calls.set(this.ref.id, this);
    if (timeout !== Number.POSITIVE_INFINITY) runtime.timers.start(this, timeout);
    if (caller === null) return;
    const more = caller.more();
    this.after = more.calls;
    if (more.calls !== null) more.calls.before = this;
    more.calls = this;
  }

  /** Nobody waits any more; its promise stays pending for ever. */
  withdraw(): void {
    this.end();
  }

  succeed(value: unknown): void {
    if (this.end()) this.resolve(value);
  }

  fail(state: CallState, reason: unknown): void {
    if (!this.end()) return;
    // An actor may do something else before it looks at the outcome: until then nobody else has to care (rules A4, V2).
    if (this.caller !== null) this.promise.catch(nothing);
    this.reject(this.error(state, reason));
  }

  error(state: CallState, reason: unknown): CallError {
    const { to, runtime } = this;
    const isAddress = typeof to === 'object' && 'node' in to;
    return new CallError({
      state,
      target: isAddress ? to.name : String(to),
      node: isAddress ? to.node : to instanceof Pid ? runtime.nodeOf(to) : undefined,
      tag: this.tag,
      elapsed: runtime.now() - this.started,
      reason,
    });
  }

  /** Nothing of it stays. False: it was over; or the caller is dead, and its promise stays pending for ever. */
  private end(): boolean {
    const { runtime } = this;
    if (!runtime.calls.delete(this.ref.id)) return false;
    runtime.timers.cancel(this);
    this.target?.extra?.callers?.delete(this);
    this.leaveList();
    if (this.node !== undefined) runtime.remoteCalls.remove(this.node, this);
    this.disarm?.();
    return this.caller === null || !this.caller.isDead;
  }

  private leaveList(): void {
    const { before, after } = this;
    if (before !== null) before.after = after;
    else if (this.caller?.extra?.calls === this) this.caller.extra.calls = after;
    if (after !== null) after.before = before;
    this.before = this.after = null;
  }
}

/** The calls of a dead actor: no answer is for anybody (rule G5). */
export function withdrawCalls(extra: Extras): void {
  while (extra.calls !== null) extra.calls.withdraw();
}

/** A call from another node that one of our actors has not answered. */
export class RemoteCall implements AwaitingCaller {
  readonly ref: Ref;
  readonly cell: Cell;
  request: Call | undefined = undefined;

  constructor(cell: Cell, ref: Ref) {
    this.cell = cell;
    this.ref = ref;
  }

  targetEnded(reason: unknown): void {
    const { runtime } = this.cell;
    if (runtime.inboundCalls.delete(this.ref.key))
      sendReason((why) => runtime.remote.reply(this.cell.pid, this.ref, ReplyStatus.exit, why), reason);
  }
}

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
  pending.promise = new Promise((resolve, reject) => {
    pending.resolve = resolve;
    pending.reject = reject;
  });
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

function nothing(): void {}

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
  const onAbort = (): void => pending.fail('aborted', signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  pending.disarm = () => signal.removeEventListener('abort', onAbort);
}

function dispatch(pending: PendingCall, args: readonly unknown[], timeout: number): void {
  const { runtime, caller, tag, ref, to } = pending;
  const above = openCall(caller)?.chain ?? [];
  const chain = caller === null ? above : [...above, caller.pid];
  const address = resolve(runtime, to);
  if (address === undefined) return pending.fail('noproc', undefined);
  if (!(address instanceof Pid) || address.nc !== 0) {
    pending.node = address instanceof Pid ? address.nc : runtime.remote.canonical(address.node);
    runtime.remoteCalls.add(pending.node, pending);
    runtime.remote.call(caller === null ? null : caller.pid, ref, timeout, address, [tag, args, chain]);
    return;
  }
  const cell = cellOf(address);
  if (cell === undefined) return pending.fail('noproc', undefined);
  if (cell === caller) return pending.fail('calling_self', undefined);
  if (isWaiting(cell) && above.some((pid) => pid.equals(address))) return pending.fail('cycle', chain);
  if (isFull(cell)) return pending.fail('overload', undefined);
  awaitAnswer(pending, cell);
  const from = caller === null ? undefined : caller.pid;
  pending.request = new Call(from, ref, tag, args, pending.started + timeout, chain);
  deliver(cell, pending.request);
}

/** It handles nothing before a call of its own is answered. One that goes on meanwhile closes no ring. */
function isWaiting(cell: Cell): boolean {
  if (cell.extra === null || cell.extra.calls === null) return false;
  return cell.body === null ? cell.wait === null : (cell.flags & BUSY) !== 0;
}

function awaitAnswer(pending: PendingCall, cell: Cell): void {
  const more = cell.more();
  more.callers ??= new Set();
  more.callers.add(pending);
  pending.target = cell;
}

function isFull(cell: Cell): boolean {
  return (cell.flags & LIMITED) !== 0 && cell.extra?.gate?.isFull === true;
}

/** A call from another node arrives for `cell`. */
export function callFromAfar(
  cell: Cell,
  from: Pid,
  ref: Ref,
  ms: number,
  request: readonly [string, readonly unknown[], readonly Pid[]],
): void {
  const { runtime } = cell;
  const [tag, args, chain] = request;
  if (isWaiting(cell) && chain.some((pid) => pid.equals(cell.pid)))
    return runtime.remote.reply(cell.pid, ref, ReplyStatus.cycle, chain);
  if (isFull(cell)) return runtime.remote.reply(cell.pid, ref, ReplyStatus.overload, undefined);
  const caller = new RemoteCall(cell, ref);
  runtime.inboundCalls.set(ref.key, caller);
  const more = cell.more();
  more.callers ??= new Set();
  more.callers.add(caller);
  caller.request = new Call(from, ref, tag, args, runtime.now() + ms, chain);
  deliver(cell, caller.request);
}

/** Answers a call, here or far away. False: nobody waits any more. What cannot be sent throws, and answers nothing. */
export function reply(runtime: Runtime, to: Call | Ref, status: ReplyStatus, value: unknown): boolean {
  if (to instanceof Call && to.isAnswered) return false;
  const ref = to instanceof Call ? to.ref : to;
  const isOpen =
    ref.nc === 0 ? answered(runtime, ref, status, copyTerm(value)) : replyFar(runtime, ref, status, value);
  if (to instanceof Call) to.isAnswered = true;
  return isOpen;
}

function replyFar(runtime: Runtime, ref: Ref, status: ReplyStatus, value: unknown): boolean {
  const caller = runtime.inboundCalls.get(ref.key);
  runtime.remote.reply(caller === undefined ? null : caller.cell.pid, ref, status, value);
  if (caller === undefined) return true;
  runtime.inboundCalls.delete(ref.key);
  caller.cell.extra?.callers?.delete(caller);
  if (caller.request !== undefined) caller.request.isAnswered = true;
  return true;
}

/** An answer for one of our calls. */
export function answered(runtime: Runtime, ref: Ref, status: ReplyStatus, value: unknown): boolean {
  const pending = runtime.calls.get(ref.id);
  if (pending === undefined) {
    runtime.deadLetters.count('late_reply', ref);
    return false;
  }
  if (pending.request !== undefined) pending.request.isAnswered = true;
  if (status === ReplyStatus.ok) pending.succeed(value);
  else pending.fail(STATES[status] ?? 'error', value);
  return true;
}

const STATES: Readonly<Record<number, CallState>> = {
  [ReplyStatus.error]: 'error',
  [ReplyStatus.noproc]: 'noproc',
  [ReplyStatus.exit]: 'exit',
  [ReplyStatus.cycle]: 'cycle',
  [ReplyStatus.overload]: 'overload',
  [ReplyStatus.unknown]: 'unknown',
};

/** A call's target: a PID, or an address on another node; undefined: nobody has that name here. */
function resolve(runtime: Runtime, to: Dest<never>): Pid | NodeAddress | undefined {
  if (to instanceof Pid) return to;
  if (typeof to === 'string') return runtime.names.whereis(to);
  if (to instanceof Ref) return undefined;
  return runtime.isSelf(to.node) ? runtime.names.whereis(to.name) : to;
}
