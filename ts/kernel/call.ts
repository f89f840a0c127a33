import type { Pid, Ref } from '../term/index.ts';
import { SystemMessage } from './system-message.ts';

/** The receiver of an answer: a pending call of this node, or a call from another node. */
export interface ReplyTarget {
  readonly address: Ref;
  /** Whether an answer was given. It is here, so that what waits for one need not hold the request. */
  isAnswered: boolean;
}

/**
 * A request in a mailbox, as `call` sends it. Answer it with `replyTo(self, call, value)`, or pass `ref` to another actor of this
 * node, which then answers it. As the `{'$gen_call', From, Request}` of Erlang's gen_server.
 *
 * @example
 * const message = await self.receive();
 * if (message instanceof Call && message.tag === 'add') replyTo(self, message, 1 + 1);
 */
export class Call extends SystemMessage {
  /** The calling actor; undefined: code outside of actors, on this node or on another one. */
  readonly from: Pid | undefined;
  /** The name of the request. */
  readonly tag: string;
  /** The arguments of the request. */
  readonly args: readonly unknown[];
  /** When the caller gives up, in ms of the runtime's monotonic clock (`self.now()`); Infinity: never. */
  readonly deadline: number;
  /** The actors that wait for this answer, directly or through other calls, outermost first. */
  readonly chain: readonly Pid[];
  /** @internal Where the answer goes. */
  readonly replyTarget: ReplyTarget;

  /** @internal */
  constructor(
    from: Pid | undefined,
    replyTarget: ReplyTarget,
    tag: string,
    args: readonly unknown[],
    deadline: number,
    chain: readonly Pid[],
  ) {
    super();
    this.from = from;
    this.replyTarget = replyTarget;
    this.tag = tag;
    this.args = args;
    this.deadline = deadline;
    this.chain = chain;
  }

  /** @internal Without where the answer goes, which holds the runtime. */
  override toJSON(): unknown {
    const { from, tag, args, deadline, chain } = this;
    return { from, tag, args, deadline, chain };
  }

  /** Whether it was answered. */
  get isAnswered(): boolean {
    return this.replyTarget.isAnswered;
  }

  /** The reply address: it can be sent to another actor, and takes one answer. */
  get ref(): Ref {
    const { address } = this.replyTarget;
    callsByRef.set(address, this);
    return address;
  }
}

/** Calls whose `ref` was read: an answer to the reference marks the call as answered. */
const callsByRef = new WeakMap<Ref, Call>();

/** The call that a reference belongs to, if that reference was read from a call of this node. */
export function callOf(ref: Ref): Call | undefined {
  return callsByRef.get(ref);
}
