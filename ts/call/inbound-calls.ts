import { Tally } from '../collections/index.ts';
import {
  type AwaitingCaller,
  Call,
  type CallRequest,
  type Cell,
  deliverSent,
  type ExitReason,
  type Kernel,
  ReplyStatus,
  requestStop,
  sendReason,
} from '../kernel/index.ts';
import type { Sender } from '../send/index.ts';
import { memoryOf, Pid, Ref } from '../term/index.ts';
import { refusal } from './refusal.ts';
import { SEND_TAG, STOP_TAG } from './request-tags.ts';
import { MAX_RING } from './wait-graph.ts';

/** From so many unanswered calls on, expired ones are dropped. */
const FIRST_SWEEP = 1024;

/** Least ms between two sweeps for a peer that is at its limit. */
const LIMIT_SWEEP_MS = 1000;

/** Limits for what peers leave unanswered. Beyond each, a call or `sendWait` of the peer is answered with `overload`. */
export interface InboundCallLimits {
  /** Unanswered calls of one peer, its messages of `sendWait` that wait for room included. */
  readonly perPeer: number;
  /** Estimated memory of what one peer asked in these calls. A single one may take more. Unit: bytes. */
  readonly memory: number;
  /** Senders of other nodes that wait for room in one mailbox. */
  readonly blocked: number;
  /** Bytes of the messages of one peer that wait for room. A single message may be longer. */
  readonly blockedBytes: number;
}

const LIMITS: InboundCallLimits = {
  perPeer: 262_144,
  memory: 1_073_741_824,
  blocked: 1024,
  blockedBytes: 67_108_864,
};

/** Calls from other nodes that are not answered yet, by the key of their reply address. */
export class InboundCalls {
  private readonly kernel: Kernel;
  private readonly sender: Sender;
  private readonly limits: InboundCallLimits;
  private readonly waiting: Map<string, RemoteCall> = new Map();
  /** How many of them each peer has, by its node number. */
  private readonly counts = new Tally<number>();
  /** The memory of what each peer asked in them, by its node number. */
  private readonly memory = new Tally<number>();
  /** Bytes of each peer's messages that wait for room, by its node number. */
  private readonly blockedBytes = new Tally<number>();
  private sweepAt = FIRST_SWEEP;
  private limitSweepAt = 0;

  constructor(kernel: Kernel, sender: Sender, limits: InboundCallLimits = LIMITS) {
    this.kernel = kernel;
    this.sender = sender;
    this.limits = limits;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** How many calls are not past their deadline. O(calls). */
  get openCount(): number {
    const now = this.kernel.now();
    return [...this.waiting.values()].filter(({ deadline }) => deadline > now).length;
  }

  /**
   * A call from another node arrives. `cell` undefined: there is no such actor. `request`, of `bytes` bytes, may be any term: it comes
   * from a peer.
   */
  arrive(cell: Cell | undefined, from: Pid, ref: Ref, ms: number, request: unknown, bytes = 0): void {
    const { remote, deadLetters } = this.kernel;
    if (cell === undefined) {
      if (isRequest(request) && request[0] === SEND_TAG) deadLetters.count('noproc', 'of a sendWait');
      return remote.reply(null, ref, ReplyStatus.noproc, undefined);
    }
    if (!isRequest(request)) return remote.reply(null, ref, ReplyStatus.unknown, undefined);
    const [tag, args] = request;
    const chain = request[2].slice(-MAX_RING);
    if (tag === SEND_TAG) return this.admit(cell, ref, ms, args[0], args[1], bytes);
    const memory = memoryOf(request);
    if (!this.hasRoom(ref.nc, memory)) return remote.reply(cell.pid, ref, ReplyStatus.overload, undefined);
    if (tag === STOP_TAG) {
      this.add(cell, ref, ms, memory); // the actor's end is the answer (I6)
      return requestStop(cell, args[0]);
    }
    const refused = refusal(cell, chain);
    if (refused !== undefined)
      return remote.reply(cell.pid, ref, ReplyStatus[refused], refused === 'cycle' ? chain : undefined);
    const caller = this.add(cell, ref, ms, memory);
    const asking = from.local === 0 ? undefined : from;
    deliverSent(cell, new Call(asking, caller, tag, args, caller.deadline, ofNode(chain, ref.nc)));
  }

  /** Answers a call from another node, once. False: there is no such call: it was answered, expired, or its node was lost. */
  reply(ref: Ref, status: ReplyStatus, value: unknown): boolean {
    const caller = this.waiting.get(ref.key);
    if (caller === undefined) return false;
    this.kernel.remote.reply(caller.cell.pid, ref, status, value);
    this.forget(caller);
    caller.isAnswered = true;
    return true;
  }

  /** The target ended without an answer. */
  targetEnded(caller: RemoteCall, reason: ExitReason): void {
    if (!this.remove(caller)) return;
    const { remote, deadLetters } = this.kernel;
    if (caller.isSend) deadLetters.count('noproc', caller.cell.pid);
    sendReason((why) => remote.reply(caller.cell.pid, caller.address, ReplyStatus.exit, why), reason);
  }

  /** The actor that a call from another node waits for. */
  targetOf(ref: Ref): Cell | undefined {
    return this.waiting.get(ref.key)?.cell;
  }

  /** Drops the calls of a lost node, and yields for each call that it looks at. O(calls). */
  *nodeLost(nc: number): Generator<undefined, void> {
    let left = this.waiting.size; // calls that are added meanwhile come after these, and are of other nodes
    for (const caller of this.waiting.values()) {
      if (left-- === 0 || this.counts.get(nc) === 0) return;
      if (caller.address.nc === nc) this.forget(caller);
      yield;
    }
  }

  /** A message of `sendWait`, for the actor or for an alias of it: it enters now, waits for room, or is refused. */
  private admit(cell: Cell, ref: Ref, ms: number, message: unknown, alias: unknown, bytes: number): void {
    const { remote, aliases, deadLetters } = this.kernel;
    const gate = cell.extra?.gate;
    const isBlocking = gate?.policy === 'block';
    const enter = (): void => {
      if (alias === undefined) deliverSent(cell, message);
      else if (alias instanceof Ref && aliases.get(alias)?.cell === cell)
        this.sender.deliverAlias(alias, message);
      else deadLetters.count('alias', alias);
    };
    if (!isBlocking || !gate.blocks) {
      enter();
      return remote.reply(cell.pid, ref, ReplyStatus.ok, isBlocking);
    }
    const memory = memoryOf(message);
    const waiting = this.blockedBytes.get(ref.nc);
    const isTooLong = waiting > 0 && waiting + bytes > this.limits.blockedBytes;
    if (isTooLong || gate.blockedCount >= this.limits.blocked || !this.hasRoom(ref.nc, memory))
      return remote.reply(cell.pid, ref, ReplyStatus.overload, undefined);
    const caller = this.add(cell, ref, ms, memory);
    caller.isSend = true;
    caller.bytes = bytes;
    this.blockedBytes.add(ref.nc, bytes);
    void gate.room(caller).then(() => {
      gate.use(() => {
        if (!this.waiting.has(ref.key)) return; // the actor ended, or the sender's node was lost: the next sender gets the place
        this.reply(ref, ReplyStatus.ok, true);
        enter();
      });
    });
  }

  private hasRoom(nc: number, memory: number): boolean {
    const isFull = (): boolean => {
      const held = this.memory.get(nc);
      return this.counts.get(nc) >= this.limits.perPeer || (held > 0 && held + memory > this.limits.memory);
    };
    if (!isFull()) return true;
    const now = this.kernel.now();
    if (now < this.limitSweepAt) return false;
    this.limitSweepAt = now + LIMIT_SWEEP_MS;
    this.sweep();
    return !isFull();
  }

  private add(cell: Cell, ref: Ref, ms: number, memory: number): RemoteCall {
    if (this.waiting.size >= this.sweepAt) this.sweep();
    const caller = new RemoteCall(this, cell, ref, this.kernel.now() + ms, memory);
    const repeated = this.waiting.get(ref.key);
    if (repeated !== undefined) this.forget(repeated); // a peer used one reference twice
    this.waiting.set(ref.key, caller);
    this.counts.add(ref.nc, 1);
    this.memory.add(ref.nc, memory);
    cell.addCaller(caller);
    return caller;
  }

  /**
   * Drops the calls that are past their deadline: those to a server that never answers must not pile up (G5, P7). Amortised O(1) for
   * each call.
   */
  private sweep(): void {
    const now = this.kernel.now();
    for (const caller of this.waiting.values()) if (caller.deadline <= now) this.forget(caller);
    this.sweepAt = Math.max(FIRST_SWEEP, 2 * this.waiting.size);
  }

  private forget(caller: RemoteCall): void {
    this.remove(caller);
    caller.cell.removeCaller(caller);
  }

  /** False: it was removed before. */
  private remove({ address: { key, nc }, stopWaiting, bytes, memory }: RemoteCall): boolean {
    if (!this.waiting.delete(key)) return false;
    stopWaiting?.();
    this.blockedBytes.add(nc, -bytes);
    this.memory.add(nc, -memory);
    this.counts.add(nc, -1);
    return true;
  }
}

/** A call from another node that an actor of this node has not answered. */
class RemoteCall implements AwaitingCaller {
  private readonly calls: InboundCalls;
  readonly address: Ref;
  readonly cell: Cell;
  /** ms of the runtime's clock when the caller gives up; Infinity: never. */
  readonly deadline: number;
  /** Estimated memory of what it asks. Unit: bytes. */
  readonly memory: number;
  isAnswered = false;
  /** Whether it is a `sendWait` that waits for room. */
  isSend = false;
  /** Ends its wait for room in a mailbox. */
  stopWaiting: (() => void) | undefined = undefined;
  /** Bytes of its message, if that waits for room. */
  bytes = 0;
  older: AwaitingCaller | null = null;
  newer: AwaitingCaller | null = null;

  constructor(calls: InboundCalls, cell: Cell, address: Ref, deadline: number, memory: number) {
    this.calls = calls;
    this.cell = cell;
    this.address = address;
    this.deadline = deadline;
    this.memory = memory;
  }

  targetEnded(reason: ExitReason): void {
    this.calls.targetEnded(this, reason);
  }

  /** Calls back when it no longer waits for room. */
  onDeath(callback: () => void): () => void {
    this.stopWaiting = callback;
    return () => void (this.stopWaiting = undefined);
  }
}

/**
 * The callers in `chain` that are actors of the calling node: calls that are made to answer it carry these on. What that node says of
 * other actors could make such calls fail with `cycle` (T12), and is not known to be true. `RingSearch` finds cycles through those.
 */
function ofNode(chain: readonly Pid[], nc: number): readonly Pid[] {
  return chain.every((caller) => caller.nc === nc) ? chain : chain.filter((caller) => caller.nc === nc);
}

function isRequest(request: unknown): request is CallRequest {
  return (
    Array.isArray(request) &&
    typeof request[0] === 'string' &&
    Array.isArray(request[1]) &&
    Array.isArray(request[2]) &&
    request[2].every((waiting) => waiting instanceof Pid)
  );
}
