import type { Member } from './member.ts';

interface Wait {
  readonly members: Set<Member>;
  readonly done: () => void;
}

/** Waits, by number, for something from several members. A wait ends when none of its members is missing any more. */
export class MemberWaits {
  readonly #open = new Map<number, Wait>();

  get size(): number {
    return this.#open.size;
  }

  /** Calls `done` once nothing is missing: at once for no members. */
  begin(id: number, members: Iterable<Member>, done: () => void): void {
    const wait = { members: new Set(members), done };
    if (wait.members.size === 0) return done();
    this.#open.set(id, wait);
  }

  /** Another member is missing; nothing happens when the wait is over. */
  add(id: number, member: Member): void {
    this.#open.get(id)?.members.add(member);
  }

  /** What this wait needs of a member has come. */
  arrived(id: number, member: Member): void {
    const wait = this.#open.get(id);
    if (wait !== undefined) this.#remove(id, wait, member);
  }

  /** No wait needs anything of that member any more. O(waits). */
  release(member: Member): void {
    for (const [id, wait] of [...this.#open]) this.#remove(id, wait, member);
  }

  /** Ends all waits. */
  close(): void {
    const waits = [...this.#open.values()];
    this.#open.clear();
    for (const { done } of waits) done();
  }

  #remove(id: number, wait: Wait, member: Member): void {
    if (!wait.members.delete(member) || wait.members.size > 0) return;
    this.#open.delete(id);
    wait.done();
  }
}
