// Answers, to callers here and far away.

import type { Runtime } from '../actor/runtime.ts';
import { Call, type CallState, callOf } from '../kernel/call.ts';
import { ReplyStatus } from '../kernel/remote-port.ts';
import { copyTerm, type Ref } from '../term/index.ts';
import { replyFar } from './inbound-calls.ts';
import { PendingCall } from './pending-call.ts';

/** Answers a call, here or far away. False: nobody waits any more. What cannot be sent throws, and answers nothing. */
export function reply(runtime: Runtime, to: Call | Ref, status: ReplyStatus, value: unknown): boolean {
  if (to instanceof Call) {
    if (to.isAnswered) return false;
    const { asker } = to;
    if (asker instanceof PendingCall) return settle(runtime, asker, to, status, copyTerm(value));
    const isOpen = replyFar(runtime, asker.address, status, value);
    to.isAnswered = true;
    return isOpen;
  }
  if (to.nc === 0) return answered(runtime, to, status, copyTerm(value));
  return callOf(to)?.isAnswered === true ? false : replyFar(runtime, to, status, value);
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
