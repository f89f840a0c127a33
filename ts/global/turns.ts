/** Runs at most `limit` jobs at once; the others wait in order. */
export class Turns {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #running = 0;
  #isStarting = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `job` now or later. The job has to call `leave` once when it is done. */
  enter(job: () => void): void {
    this.#waiting.push(job);
    this.#start();
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
        const job = this.#waiting[this.#head];
        if (job === undefined) break;
        this.#head++;
        this.#running++;
        job();
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
