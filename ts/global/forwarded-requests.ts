import type { LocalOutcome } from './claims.ts';
import { MAX_IN_FLIGHT } from './limits.ts';
import type { Member } from './member.ts';
import type { Message, Outcome } from './messages.ts';
import type { ReplacedEntry } from './name-table.ts';
import { Semaphore } from './semaphore.ts';

/** @param known with `taken`: the entry that has the name, as the answering node sees it. */
export type Answered = (outcome: LocalOutcome, known?: readonly ReplacedEntry[]) => void;

interface Forwarded {
  readonly member: Member;
  readonly message: Message;
  readonly done: Answered;
}

/** Requests of this node about actors of other nodes, sent to those nodes. Each ends with an answer or with the node. */
export class ForwardedRequests {
  readonly #open = new Map<number, Forwarded>();
  readonly #semaphore = new Semaphore(MAX_IN_FLIGHT);
  readonly #send: (member: Member, message: Message) => void;
  #isClosed = false;

  constructor(send: (member: Member, message: Message) => void) {
    this.#send = send;
  }

  /** Sends a request, as soon as the peer is known to be a member. */
  ask(member: Member, id: number, message: Message, done: Answered): void {
    this.#semaphore.enter(() => {
      this.#open.set(id, { member, message, done });
      if (this.#isClosed) this.#end(id, 'closed');
      else if (member.standing === 'member') this.#send(member, message);
      else if (member.standing === 'absent') this.#end(id, 'gone');
    });
  }

  /** An answer counts only from the node that was asked. */
  answered(member: Member, id: number, outcome: Outcome, known: readonly ReplacedEntry[]): void {
    if (this.#open.get(id)?.member === member) this.#end(id, outcome, known);
  }

  /** The peer has become a member: sends the requests that wait for it. O(requests). */
  joined(member: Member): void {
    for (const request of this.#open.values())
      if (request.member === member) this.#send(member, request.message);
  }

  gone(member: Member): void {
    for (const [id, request] of [...this.#open]) if (request.member === member) this.#end(id, 'gone');
  }

  close(): void {
    this.#isClosed = true;
    for (const id of this.#open.keys()) this.#end(id, 'closed'); // also requests that are added meanwhile
  }

  #end(id: number, outcome: LocalOutcome, known?: readonly ReplacedEntry[]): void {
    const request = this.#open.get(id);
    this.#open.delete(id);
    request?.done(outcome, known);
    this.#semaphore.leave();
  }
}
