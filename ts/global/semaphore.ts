interface Waiting {
  readonly job: () => void;
  readonly owner: object | undefined;
}

/** Runs at most `limit` jobs at once; the others wait in order. */
export class Semaphore {
  readonly #limit: number;
  #waiting: Waiting[] = [];
  #head = 0;
  #running = 0;
  #isStarting = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `job` now or later. The job has to call `leave` once when it is done. */
  enter(job: () => void, owner?: object): void {
    this.#waiting.push({ job, owner });
    this.#start();
  }

  /** Runs the waiting jobs of `owner` out of turn: they have become void, and end at once. O(waiting jobs). */
  void(owner: object): void {
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = waiting.filter((each) => each.owner !== owner);
    this.#head = 0;
    for (const each of waiting) {
      if (each.owner !== owner) continue;
      this.#running++;
      each.job();
    }
  }

  leave(): void {
    this.#running--;
    this.#start();
  }

  /** A loop instead of recursion: many jobs that are done at once would overflow the stack. */
  #start(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    try {
      while (this.#running < this.#limit) {
        const next = this.#waiting[this.#head];
        if (next === undefined) break;
        this.#head++;
        this.#running++;
        next.job();
      }
    } finally {
      this.#isStarting = false;
      this.#clear();
    }
  }

  /** Removes the jobs that were started. Amortized O(1) a job. */
  #clear(): void {
    if (this.#head < Math.max(1, this.#waiting.length / 2)) return;
    this.#waiting.splice(0, this.#head);
    this.#head = 0;
  }
}
