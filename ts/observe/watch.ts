/** Looks in rounds while a viewer follows, and shows all viewers what it saw. */
export abstract class Watch<T> {
  readonly #pauseMs: number;
  readonly #listeners = new Set<(seen: T) => void>();
  #last: T | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** @param pauseMs The time between two rounds. */
  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** Whether it has no viewer. */
  get isUnused(): boolean {
    return this.#listeners.size === 0;
  }

  /** Calls `listener` now, if a round has ended before, and after each round. Returns a function that stops it. */
  follow(listener: (seen: T) => void): () => void {
    this.#listeners.add(listener);
    if (this.#last !== undefined) listener(this.#last);
    if (this.#listeners.size === 1) void this.#round();
    return () => {
      this.#listeners.delete(listener);
      if (this.isUnused) clearTimeout(this.#timer);
    };
  }

  close(): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
  }

  /** One round. */
  protected abstract look(): Promise<T>;

  async #round(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    let seen: T;
    try {
      seen = await this.look();
    } finally {
      this.#isLooking = false;
    }
    this.#last = seen;
    for (const listener of this.#listeners) listener(seen);
    if (!this.isUnused) this.#timer = setTimeout(() => void this.#round(), this.#pauseMs);
  }
}
