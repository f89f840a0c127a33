// Calls from other nodes, until one of our actors has answered them.

import type { Runtime } from '../actor/runtime.ts';
import { Call } from '../kernel/call.ts';
import type { Cell } from '../kernel/cell.ts';
import { deliver } from '../kernel/delivery.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { sendReason } from '../kernel/far-reason.ts';
import { ReplyStatus } from '../kernel/remote-port.ts';
import { askToEnd } from '../kernel/stop-request.ts';
import type { Pid, Ref } from '../term/index.ts';
import { refusal } from './call-refusal.ts';
import type { AwaitingCaller } from './pending-call.ts';

/** Unanswered calls from other nodes before those whose time is over are looked for. */
export const INBOUND_CALLS_MARK = 1024;

/** A call from another node that one of our actors has not answered. */
export class RemoteCall implements AwaitingCaller {
  readonly address: Ref;
  readonly cell: Cell;
  /** ms of the runtime's clock when the caller gives up; Infinity: never. */
  readonly deadline: number;
  /** What the target got; undefined: it was asked to end. */
  request: Call | undefined = undefined;

  constructor(cell: Cell, address: Ref, deadline: number) {
    this.cell = cell;
    this.address = address;
    this.deadline = deadline;
  }

  targetEnded(reason: unknown): void {
    const { runtime } = this.cell;
    if (!runtime.inboundCalls.delete(this.address.key)) return;
    if (this.request !== undefined) this.request.isAnswered = true;
    sendReason((why) => runtime.remote.reply(this.cell.pid, this.address, ReplyStatus.exit, why), reason);
  }
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
  const refused = refusal(cell, chain);
  if (refused !== undefined)
    return runtime.remote.reply(cell.pid, ref, ReplyStatus[refused], refused === 'cycle' ? chain : undefined);
  const caller = awaitAnswer(cell, ref, ms);
  caller.request = new Call(from, caller, tag, args, caller.deadline, chain);
  deliver(cell, caller.request);
}

/** A stop request from another node arrives for `cell`, whose end is the answer (I6). */
export function stopFromAfar(cell: Cell, ref: Ref, ms: number, reason: ExitReason): void {
  awaitAnswer(cell, ref, ms);
  askToEnd(cell, reason);
}

function awaitAnswer(cell: Cell, ref: Ref, ms: number): RemoteCall {
  const { runtime } = cell;
  if (runtime.inboundCalls.size >= runtime.inboundCallsMark) forgetLateCallers(runtime);
  const caller = new RemoteCall(cell, ref, runtime.now() + ms);
  runtime.inboundCalls.set(ref.key, caller);
  const more = cell.more();
  more.callers ??= new Set();
  more.callers.add(caller);
  return caller;
}

/**
 * Callers from afar who gave up are not told apart from others until they are many: a server that never answers must not
 * collect them (G5, P7). O(1) a call, over time.
 */
function forgetLateCallers(runtime: Runtime): void {
  const now = runtime.now();
  for (const [key, caller] of runtime.inboundCalls) {
    if (caller.deadline > now) continue;
    caller.cell.extra?.callers?.delete(caller);
    runtime.inboundCalls.delete(key);
  }
  runtime.inboundCallsMark = Math.max(INBOUND_CALLS_MARK, 2 * runtime.inboundCalls.size);
}

/** Answers a call from another node, once. False: it was answered, its caller has given up, or another node was asked. */
export function replyFar(runtime: Runtime, ref: Ref, status: ReplyStatus, value: unknown): boolean {
  const caller = runtime.inboundCalls.get(ref.key);
  if (caller === undefined) return false;
  runtime.remote.reply(caller.cell.pid, ref, status, value);
  runtime.inboundCalls.delete(ref.key);
  caller.cell.extra?.callers?.delete(caller);
  if (caller.request !== undefined) caller.request.isAnswered = true;
  return true;
}
