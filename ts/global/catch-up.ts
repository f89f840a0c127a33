// Waiting until this node knows the names of the peers it has.
import type { Member } from './member.ts';

interface Waiting {
  readonly left: Set<Member>;
  readonly done: () => void;
}

/** Who waits for which peers to have told all their names. */
export class CatchUp {
  readonly #waiting = new Set<Waiting>();

  /** Those who wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** `done` is called when each of them is {@link over}: at once for none. */
  begin(members: Iterable<Member>, done: () => void): void {
    const left = new Set(members);
    if (left.size === 0) done();
    else this.#waiting.add({ left, done });
  }

  /** It has told all its names, or is not waited for any more. O(those who wait). */
  over(member: Member): void {
    for (const waiting of this.#waiting) {
      if (!waiting.left.delete(member) || waiting.left.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }

  /** Nobody is waited for any more. */
  close(): void {
    for (const { done } of this.#waiting) done();
    this.#waiting.clear();
  }
}
