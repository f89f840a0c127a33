import {
  type AwaitingCaller,
  askToEnd,
  Call,
  type CallRequest,
  type Cell,
  deliver,
  type ExitReason,
  type Kernel,
  ReplyStatus,
  sendReason,
} from '../kernel/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import { refusal } from './refusal.ts';

/** The tag of a call from another node that asks its target to end in order. User code never sees it. */
export const STOP_TAG = '$snowmesh.stop';

/** So many unanswered calls are kept before those that are past their deadline are looked for. */
const FIRST_SWEEP = 1024;

/** Calls from other nodes that no actor has answered yet, by the key of their reply address. */
export class InboundCalls {
  private readonly kernel: Kernel;
  private readonly waiting: Map<string, RemoteCall> = new Map();
  private sweepAt = FIRST_SWEEP;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Calls whose caller still waits. O(calls). */
  get openCount(): number {
    const now = this.kernel.now();
    return [...this.waiting.values()].filter(({ deadline }) => deadline > now).length;
  }

  /** A call from another node arrives; `cell` undefined: there is no such actor. A peer may send any term as the request. */
  arrive(cell: Cell | undefined, from: Pid, ref: Ref, ms: number, request: unknown): void {
    const { remote } = this.kernel;
    if (cell === undefined) return remote.reply(null, ref, ReplyStatus.noproc, undefined);
    if (!isRequest(request)) return remote.reply(null, ref, ReplyStatus.unknown, undefined);
    const [tag, args, chain] = request;
    if (tag === STOP_TAG) {
      this.add(cell, ref, ms); // the end of the actor is the answer (I6)
      return askToEnd(cell, args[0]);
    }
    const refused = refusal(cell, chain);
    if (refused !== undefined)
      return remote.reply(cell.pid, ref, ReplyStatus[refused], refused === 'cycle' ? chain : undefined);
    const caller = this.add(cell, ref, ms);
    caller.request = new Call(from, caller, tag, args, caller.deadline, chain);
    deliver(cell, caller.request);
  }

  /** Answers a call from another node, once. False: it was answered, its caller gave up, or another node was asked. */
  reply(ref: Ref, status: ReplyStatus, value: unknown): boolean {
    const caller = this.waiting.get(ref.key);
    if (caller === undefined) return false;
    this.kernel.remote.reply(caller.cell.pid, ref, status, value);
    this.forget(caller);
    if (caller.request !== undefined) caller.request.isAnswered = true;
    return true;
  }

  /** The target ended without an answer. */
  targetEnded(caller: RemoteCall, reason: ExitReason): void {
    if (!this.waiting.delete(caller.address.key)) return;
    if (caller.request !== undefined) caller.request.isAnswered = true;
    const { remote } = this.kernel;
    sendReason((why) => remote.reply(caller.cell.pid, caller.address, ReplyStatus.exit, why), reason);
  }

  /** Drops the calls of a lost node. O(calls). */
  nodeLost(nc: number): void {
    for (const caller of this.waiting.values()) if (caller.address.nc === nc) this.forget(caller);
  }

  private add(cell: Cell, ref: Ref, ms: number): RemoteCall {
    if (this.waiting.size >= this.sweepAt) this.sweep();
    const caller = new RemoteCall(this, cell, ref, this.kernel.now() + ms);
    this.waiting.set(ref.key, caller);
    cell.addCaller(caller);
    return caller;
  }

  /**
   * Drops the calls that are past their deadline: a server that never answers must not collect them (G5, P7). Amortised
   * O(1) a call.
   */
  private sweep(): void {
    const now = this.kernel.now();
    for (const caller of this.waiting.values()) if (caller.deadline <= now) this.forget(caller);
    this.sweepAt = Math.max(FIRST_SWEEP, 2 * this.waiting.size);
  }

  private forget(caller: RemoteCall): void {
    this.waiting.delete(caller.address.key);
    caller.cell.removeCaller(caller);
  }
}

/** A call from another node that one of our actors has not answered. */
class RemoteCall implements AwaitingCaller {
  private readonly calls: InboundCalls;
  readonly address: Ref;
  readonly cell: Cell;
  /** ms of the runtime's clock when the caller gives up; Infinity: never. */
  readonly deadline: number;
  /** What the target got; undefined: it was asked to end. */
  request: Call | undefined = undefined;

  constructor(calls: InboundCalls, cell: Cell, address: Ref, deadline: number) {
    this.calls = calls;
    this.cell = cell;
    this.address = address;
    this.deadline = deadline;
  }

  targetEnded(reason: ExitReason): void {
    this.calls.targetEnded(this, reason);
  }
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
