// Calls: requests with one answer. The answer goes straight to the promise that waits, never into a mailbox, so a late one
// is seen by nobody (rule G3) and a backlog delays none (rule B6).
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { Call, CallError, type CallOptions, type CallState } from './call.ts';
import { BUSY, type Cell, LIMITED, nothing, ownCell } from './cell.ts';
import { deferred, latest } from './deferred.ts';
import { deliver } from './delivery.ts';
import { sendReason } from './far-reason.ts';
import { ReplyStatus } from './remote-port.ts';
import type { Runtime } from './runtime.ts';
import type { Dest } from './self.ts';
import { checkDest } from './sending.ts';
import type { NodeAddress } from './system-message.ts';
import { checkTimeout } from './waiting.ts';

const DEFAULT_TIMEOUT = 5000;
/** Unanswered calls from other nodes before those whose time is over are looked for. */
export const INBOUND_CALLS_MARK = 1024;

/** Somebody who has to hear when the actor he called ends. */
export interface AwaitingCaller {
  targetEnded(reason: unknown): void;
}

/** A call of this runtime that waits. Its own timer; an entry in the list of its caller's calls. */
export class PendingCall extends Timer implements AwaitingCaller {
  readonly runtime: Runtime;
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
  private ref: Ref | undefined = undefined;
  private isOver = false;
  private before: PendingCall | null = null;
  private after: PendingCall | null = null;

  constructor(runtime: Runtime, caller: Cell | null, to: Dest<never>, tag: string) {
    super();
    this.runtime = runtime;
    this.caller = caller;
    this.to = to;
    this.tag = tag;
    this.started = runtime.now();
  }

  /** Its reply address. Most local calls are answered by their `Call` and never need one. */
  get address(): Ref {
    if (this.ref === undefined) {
      const { runtime, caller } = this;
      this.ref = runtime.newRef(caller === null ? 0 : caller.pid.local);
      if (!this.isOver) runtime.calls.set(this.ref.id, this);
    }
    return this.ref;
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
    if (timeout !== Number.POSITIVE_INFINITY) runtime.timers.startAt(this, this.started + timeout);
    if (caller === null) return void this.address; // the runtime's end has to find it
    const more = caller.more();
    this.after = more.calls;
    if (more.calls !== null) more.calls.before = this;
    more.calls = this;
  }

  /** Nobody waits any more; its promise stays pending for ever. */
  withdraw(): void {
    this.end();
  }

  /** False: it was over. */
  succeed(value: unknown): boolean {
    if (this.isOver) return false;
    if (this.end()) this.resolve(value);
    return true;
  }

  /** False: it was over. */
  fail(state: CallState, reason: unknown): boolean {
    if (this.isOver) return false;
    if (!this.end()) return true;
    // An actor may do something else before it looks at the outcome: until then nobody else has to care (rules A4, V2).
    if (this.caller !== null) this.promise.catch(nothing);
    this.reject(this.error(state, reason));
    return true;
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
    if (this.isOver) return false;
    this.isOver = true;
    if (this.ref !== undefined) runtime.calls.delete(this.ref.id);
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

/** A call from another node that one of our actors has not answered. */
export class RemoteCall implements AwaitingCaller {
  readonly address: Ref;
  readonly cell: Cell;
  request: Call | undefined = undefined;

  constructor(cell: Cell, address: Ref) {
    this.cell = cell;
    this.address = address;
  }

  targetEnded(reason: unknown): void {
    const { runtime } = this.cell;
    if (runtime.inboundCalls.delete(this.address.key))
      sendReason((why) => runtime.remote.reply(this.cell.pid, this.address, ReplyStatus.exit, why), reason);
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
  if (isWaiting(cell) && above.some((pid) => pid.equals(address))) return void pending.fail('cycle', chain);
  if (isFull(cell)) return void pending.fail('overload', undefined);
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
  if (runtime.inboundCalls.size >= runtime.inboundCallsMark) forgetLateCallers(runtime);
  const caller = new RemoteCall(cell, ref);
  runtime.inboundCalls.set(ref.key, caller);
  const more = cell.more();
  more.callers ??= new Set();
  more.callers.add(caller);
  caller.request = new Call(from, caller, tag, args, runtime.now() + ms, chain);
  deliver(cell, caller.request);
}

/**
 * Callers from afar who gave up are not told apart from others until they are many: a server that never answers must not
 * collect them (G5, P7). O(1) a call, over time.
 */
function forgetLateCallers(runtime: Runtime): void {
  const now = runtime.now();
  for (const [key, { cell, request }] of runtime.inboundCalls) {
    if (request === undefined || request.deadline > now) continue;
    cell.extra?.callers?.delete(request.asker as RemoteCall);
    runtime.inboundCalls.delete(key);
  }
  runtime.inboundCallsMark = Math.max(INBOUND_CALLS_MARK, 2 * runtime.inboundCalls.size);
}

/** Answers a call, here or far away. False: nobody waits any more. What cannot be sent throws, and answers nothing. */
export function reply(runtime: Runtime, to: Call | Ref, status: ReplyStatus, value: unknown): boolean {
  if (to instanceof Call) {
    if (to.isAnswered) return false;
    const { asker } = to;
    if (asker instanceof PendingCall) return settle(runtime, asker, to, status, copyTerm(value));
    const isOpen = replyFar(runtime, to.ref, status, value);
    to.isAnswered = true;
    return isOpen;
  }
  return to.nc === 0 ? answered(runtime, to, status, copyTerm(value)) : replyFar(runtime, to, status, value);
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
  if (pending !== undefined) return settle(runtime, pending, pending.request, status, value);
  runtime.deadLetters.count('late_reply', ref);
  return false;
}

function settle(
  runtime: Runtime,
  pending: PendingCall,
  request: Call | undefined,
  status: ReplyStatus,
  value: unknown,
): boolean {
  if (request !== undefined) request.isAnswered = true;
  const isOpen =
    status === ReplyStatus.ok ? pending.succeed(value) : pending.fail(STATES[status] ?? 'error', value);
  if (!isOpen) runtime.deadLetters.count('late_reply', pending.address);
  return isOpen;
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
