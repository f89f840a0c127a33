import { MAX_IN_FLIGHT } from './limits.ts';
import type { Member } from './member.ts';
import type { Message, Outcome } from './messages.ts';
import { Turns } from './turns.ts';

interface Request {
  readonly member: Member;
  readonly message: Message;
  readonly done: (outcome: Outcome) => void;
}

/** What this node has asked of the nodes whose actors it concerns. Lost with the node. */
export class Requests {
  readonly #open = new Map<number, Request>();
  readonly #turns = new Turns(MAX_IN_FLIGHT);
  readonly #send: (member: Member, message: Message) => void;

  constructor(send: (member: Member, message: Message) => void) {
    this.#send = send;
  }

  /** Sends a request, as soon as it is known that the peer takes any. */
  ask(member: Member, id: number, message: Message, done: (outcome: Outcome) => void): void {
    this.#turns.enter(() => {
      this.#open.set(id, { member, message, done });
      if (member.standing === 'member') this.#send(member, message);
      else if (member.standing === 'absent') this.#end(id, 'gone');
    });
  }

  answered(member: Member, id: number, outcome: Outcome): void {
    if (this.#open.get(id)?.member === member) this.#end(id, outcome);
  }

  /** The peer turned out to take requests. */
  joined(member: Member): void {
    for (const request of this.#open.values())
      if (request.member === member) this.#send(member, request.message);
  }

  gone(member: Member): void {
    for (const [id, request] of [...this.#open]) if (request.member === member) this.#end(id, 'gone');
  }

  close(): void {
    for (const id of this.#open.keys()) this.#end(id, 'gone'); // also those whose turn comes meanwhile
  }

  #end(id: number, outcome: Outcome): void {
    const request = this.#open.get(id);
    this.#open.delete(id);
    request?.done(outcome);
    this.#turns.leave();
  }
}
