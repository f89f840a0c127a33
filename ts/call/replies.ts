import { Call, callOf, ReplyStatus } from '../kernel/index.ts';
import { copyTerm, type Ref } from '../term/index.ts';
import type { InboundCalls } from './inbound-calls.ts';
import type { OutboundCalls } from './outbound-calls.ts';
import { PendingCall } from './pending-call.ts';

/** Answers to calls, from this node and from others. */
export class Replies {
  private readonly calls: OutboundCalls;
  private readonly inbound: InboundCalls;

  constructor(calls: OutboundCalls, inbound: InboundCalls) {
    this.calls = calls;
    this.inbound = inbound;
  }

  /** Answers a call with a value: {@link answer} with the status `ok`. */
  succeed(to: Call | Ref, value: unknown): boolean {
    return this.answer(to, ReplyStatus.ok, value);
  }

  /**
   * Answers a call, once. False: it was answered already, or its caller no longer waits.
   *
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE; then the call is not answered.
   */
  answer(to: Call | Ref, status: ReplyStatus, value: unknown): boolean {
    if (!(to instanceof Call)) {
      if (to.nc === 0) return this.calls.answered(null, to, status, copyTerm(value));
      return callOf(to)?.isAnswered === true ? false : this.inbound.reply(to, status, value);
    }
    if (to.isAnswered) return false;
    const { replyTarget } = to;
    if (replyTarget instanceof PendingCall) return this.calls.settle(replyTarget, status, copyTerm(value));
    const isOpen = this.inbound.reply(replyTarget.address, status, value);
    replyTarget.isAnswered = true;
    return isOpen;
  }
}
