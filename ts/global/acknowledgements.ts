import type { Member } from './member.ts';

interface Awaited {
  readonly members: Set<Member>;
  readonly done: () => void;
}

/** Who has not yet acknowledged what, by number. A member that is lost, or does not answer, needs not acknowledge. */
export class Acknowledgements {
  readonly #awaited = new Map<number, Awaited>();

  /** What is waited for now. */
  get size(): number {
    return this.#awaited.size;
  }

  /** Calls `done` once all `members` have acknowledged, at once when there are none. */
  expect(id: number, members: Iterable<Member>, done: () => void): void {
    const awaited = { members: new Set(members), done };
    if (awaited.members.size === 0) return done();
    this.#awaited.set(id, awaited);
  }

  /** One more has to; nothing happens when all had. */
  add(id: number, member: Member): void {
    this.#awaited.get(id)?.members.add(member);
  }

  of(member: Member, id: number): void {
    const awaited = this.#awaited.get(id);
    if (awaited?.members.delete(member) && awaited.members.size === 0) this.#end(id, awaited);
  }

  gone(member: Member): void {
    for (const [id, awaited] of [...this.#awaited]) {
      if (awaited.members.delete(member) && awaited.members.size === 0) this.#end(id, awaited);
    }
  }

  /** Nobody is waited for any more. */
  close(): void {
    for (const [id, awaited] of [...this.#awaited]) this.#end(id, awaited);
  }

  #end(id: number, awaited: Awaited): void {
    this.#awaited.delete(id);
    awaited.done();
  }
}
