import {
  type AnsweringNode,
  Call,
  type Cell,
  checkTimeout,
  deliverSent,
  forActor,
  inBudget,
  isFrom,
  type Kernel,
  type NodeAddress,
  onAbort,
  ownCell,
  type ReplyStatus,
  type TracingPort,
} from '../kernel/index.ts';
import { checkDest, type Dest } from '../send/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { type CallOptions, STOPPED } from './call-error.ts';
import { PendingCall, type PendingCalls } from './pending-call.ts';
import { refusal } from './refusal.ts';
import { SEND_TAG } from './request-tags.ts';
import type { RingSearch } from './ring-search.ts';
import { MAX_RING } from './wait-graph.ts';

const DEFAULT_TIMEOUT_MS = 5000;
const NO_CHAIN: readonly Pid[] = [];

/**
 * The calls of this runtime: requests with one answer. The answer settles the caller's promise and never enters a mailbox, so a late
 * answer cannot reach an actor (G3), and a long mailbox does not delay an answer (B6).
 */
export class OutboundCalls {
  private readonly kernel: Kernel;
  private readonly pending: PendingCalls;
  private readonly rings: RingSearch;

  constructor(kernel: Kernel, pending: PendingCalls, rings: RingSearch) {
    this.kernel = kernel;
    this.pending = pending;
    this.rings = rings;
  }

  /** How many pending calls have a reply address. */
  get size(): number {
    return this.pending.byId.size;
  }

  /** How many calls to other nodes are pending. O(nodes). */
  get remoteCount(): number {
    return this.pending.byNode.size;
  }

  /** Sends a request; the promise is its answer, or rejects with a CallError. */
  call(
    caller: Cell | null,
    to: Dest<never>,
    tag: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
  ): Promise<unknown> {
    checkDest(to);
    const pending = new PendingCall(this.kernel, this.pending, caller, to, tag);
    const timeout = this.timeoutOf(caller, options);
    if (options?.signal?.aborted === true) {
      copyTerm(args);
      const aborted = Promise.reject(pending.error('aborted', options.signal.reason));
      const answer = inBudget(this.kernel, caller, aborted);
      return caller === null ? answer : forActor(answer);
    }
    pending.begin(timeout);
    arm(pending, options?.signal);
    try {
      const { tracing } = this.kernel;
      if (tracing === null) this.dispatch(pending, args, timeout);
      else this.dispatchTraced(tracing, pending, args, timeout);
    } catch (error) {
      pending.withdraw(); // it cannot be sent: nothing was sent, so no pending call may remain (B9)
      throw error;
    }
    this.kernel.scheduler.waits();
    return pending.promise;
  }

  /**
   * Sends a message to an actor of another node and waits until it is in the mailbox. Resolves to true if that mailbox can block a
   * sender. Rejects with a CallError.
   */
  async deliver(from: Pid | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<unknown> {
    const { kernel } = this;
    const target = to instanceof Ref ? new Pid(to.nc, to.local) : to;
    const args = to instanceof Ref ? [message, to] : [message];
    // Not as a call of the actor: a wait for room is no part of a deadlock of calls.
    const pending = new PendingCall(kernel, this.pending, null, target, 'sendWait');
    pending.begin(Number.POSITIVE_INFINITY);
    void forActor(pending.promise); // it may fail while slices are copied
    pending.node = target instanceof Pid ? target.nc : kernel.remote.canonical(target.node);
    this.pending.byNode.add(pending.node, pending);
    try {
      await kernel.remote.callInSlices(from, pending.address, target, [SEND_TAG, args, NO_CHAIN]);
    } catch (error) {
      pending.withdraw();
      throw error;
    }
    if (from !== null && ownCell(kernel, from) === undefined) pending.withdraw(); // the sender died before the last slice
    return pending.promise;
  }

  /**
   * An answer to one of these calls arrives. False: it is too late, or is not from the node that was called.
   *
   * @param from The node that sent the answer; null: this node.
   */
  answered(from: AnsweringNode | null, ref: Ref, status: ReplyStatus, value: unknown): boolean {
    const pending = this.pending.byId.get(ref.id);
    if (pending === undefined) {
      this.kernel.deadLetters.count('late_reply', ref);
      return false;
    }
    if (pending.address.equals(ref) && (from === null || isFrom(from, pending.node)))
      return this.settle(pending, status, value);
    this.kernel.deadLetters.count('unasked', ref);
    return false;
  }

  /** Settles `pending` with its answer. False: it is too late. */
  settle(pending: PendingCall, status: ReplyStatus, value: unknown): boolean {
    const isOpen = pending.settle(status, value);
    if (!isOpen) this.kernel.deadLetters.count('late_reply', pending.address);
    return isOpen;
  }

  /** Removes the calls to a lost node from the index and returns them. The caller then fails each. */
  takeNode(node: number | string): Iterable<PendingCall> {
    return this.pending.byNode.take(node);
  }

  /** The runtime stopped: fails every call that has a reply address. */
  stop(): void {
    for (const pending of [...this.pending.byId.values()]) pending.fail('noproc', STOPPED);
  }

  private timeoutOf(caller: Cell | null, options: CallOptions | undefined): number {
    if (options?.timeout !== undefined) return checkTimeout(options.timeout);
    const deadline = openCall(caller)?.deadline;
    if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return DEFAULT_TIMEOUT_MS;
    return Math.max(0, Math.ceil(deadline - this.kernel.now()));
  }

  // Not inlined into `call`: V8 allocates the context of a closure in each call of its function, also when the closure is not made.
  private dispatchTraced(
    tracing: TracingPort,
    pending: PendingCall,
    args: readonly unknown[],
    timeout: number,
  ): void {
    const { caller, to, tag } = pending;
    pending.trace = tracing.request(caller, 'call', to, tag);
    if (pending.trace === undefined) this.dispatch(pending, args, timeout);
    else pending.trace.run(() => this.dispatch(pending, args, timeout));
  }

  private dispatch(pending: PendingCall, args: readonly unknown[], timeout: number): void {
    const { kernel } = this;
    const { caller, tag, to } = pending;
    const chain = chainOf(caller);
    const address = resolveTarget(kernel, to);
    if (address !== undefined && (!(address instanceof Pid) || address.nc !== 0)) {
      // The arguments are encoded at once instead of copied: copies for many calls could hold more memory than the send queue may.
      pending.node = address instanceof Pid ? address.nc : kernel.remote.canonical(address.node);
      this.pending.byNode.add(pending.node, pending);
      if (caller !== null) this.rings.watch(pending.started);
      const from = caller === null ? null : caller.pid;
      kernel.remote.call(from, pending.address, timeout, address, [tag, args, chain]);
      return;
    }
    copyTerm(tag); // throws for a tag that cannot be sent (B9): the answer `unknown` carries the tag
    const copied = args.length === 0 ? args : copyTerm(args);
    if (pending.isOver) return; // a getter in them has ended the caller, or aborted the call
    const cell = address === undefined ? undefined : ownCell(kernel, address);
    if (cell === undefined) return void pending.fail('noproc', kernel.isStopped ? STOPPED : undefined);
    if (cell === caller) return void pending.fail('calling_self', undefined);
    const refused = refusal(cell, chain);
    if (refused !== undefined) return void pending.fail(refused, refused === 'cycle' ? chain : undefined);
    cell.addCaller(pending);
    pending.target = cell;
    const from = caller === null ? undefined : caller.pid;
    deliverSent(cell, new Call(from, pending, tag, copied, pending.started + timeout, chain));
  }
}

/** The call that an actor handles, while its caller still waits for the answer. */
function openCall(caller: Cell | null): Call | undefined {
  const handling = caller?.handling ?? undefined;
  return handling === undefined || handling.isAnswered ? undefined : handling;
}

function arm(pending: PendingCall, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  pending.disarm = onAbort(signal, () => void pending.fail('aborted', signal.reason));
}

/** The caller, preceded by the actors that wait for it: for its answer, or for its init. At most {@link MAX_RING} PIDs. */
function chainOf(caller: Cell | null): readonly Pid[] {
  if (caller === null) return NO_CHAIN;
  const open = openCall(caller);
  if (open !== undefined && open.chain.length > 0) return [...open.chain.slice(1 - MAX_RING), caller.pid];
  return caller.extra === null || caller.extra.starter === null ? [caller.pid] : [caller.parent, caller.pid];
}

/** A call's target: a PID, or an address on another node; undefined: no actor has that name here. */
export function resolveTarget(kernel: Kernel, to: Dest<never>): Pid | NodeAddress | undefined {
  if (to instanceof Pid) return to;
  if (typeof to === 'string') return kernel.names.whereis(to);
  if (to instanceof Ref) return undefined;
  return kernel.isSelf(to.node) ? kernel.names.whereis(to.name) : to;
}
