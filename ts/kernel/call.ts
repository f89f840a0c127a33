import type { Pid, Ref } from '../term/index.ts';
import { SystemMessage } from './system-message.ts';

/** What an answer goes to. */
export interface Asker {
  readonly address: Ref;
}

/** A request that waits for an answer. A handler answers it with `replyTo(self, call, value)`, or hands `ref` to another actor of its node that does. */
export class Call extends SystemMessage {
  /** The caller; undefined: code outside of actors. */
  readonly from: Pid | undefined;
  /** Which call. */
  readonly tag: string;
  /** What it was called with. */
  readonly args: readonly unknown[];
  /** ms of the runtime's clock when the caller gives up; Infinity: never. */
  readonly deadline: number;
  /** The callers that wait for this answer, directly or not, the first one first. */
  readonly chain: readonly Pid[];
  isAnswered = false;
  /** @internal What the answer goes to. */
  readonly asker: Asker;

  /** @internal */
  constructor(
    from: Pid | undefined,
    asker: Asker,
    tag: string,
    args: readonly unknown[],
    deadline: number,
    chain: readonly Pid[],
  ) {
    super();
    this.from = from;
    this.asker = asker;
    this.tag = tag;
    this.args = args;
    this.deadline = deadline;
    this.chain = chain;
  }

  /** The reply address: sendable, good for one answer. */
  get ref(): Ref {
    const { address } = this.asker;
    callsByRef.set(address, this);
    return address;
  }
}

/** Calls whose reference was handed out: an answer through that counts as theirs. */
const callsByRef = new WeakMap<Ref, Call>();

/** The call that a reference was handed out for on this node. */
export function callOf(ref: Ref): Call | undefined {
  return callsByRef.get(ref);
}
