import type { Member } from './member.ts';

interface Wait {
  readonly members: Set<Member>;
  readonly done: () => void;
}

/** Waits for an answer of several members; each has a number. A wait ends when no member is missing any more. */
export class MemberWaits {
  readonly #open = new Map<number, Wait>();

  get size(): number {
    return this.#open.size;
  }

  /** Calls `done` when no member is missing: at once if `members` is empty. */
  begin(id: number, members: Iterable<Member>, done: () => void): void {
    const wait = { members: new Set(members), done };
    if (wait.members.size === 0) return done();
    this.#open.set(id, wait);
  }

  /** Adds a member to a wait. Does nothing when the wait is over. */
  add(id: number, member: Member): void {
    this.#open.get(id)?.members.add(member);
  }

  /** A member has answered. */
  arrived(id: number, member: Member): void {
    const wait = this.#open.get(id);
    if (wait !== undefined) this.#remove(id, wait, member);
  }

  /** Removes a member from all waits. O(waits). */
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
