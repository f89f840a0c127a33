/** At most `limit` jobs at once; the others wait their turn, first in, first out. */
export class Turns {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `job` now or when its turn has come; it has to call `leave` once when it is done. */
  enter(job: () => void): void {
    if (this.#running >= this.#limit) return void this.#waiting.push(job);
    this.#running++;
    job();
  }

  leave(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#head++;
    if (this.#head === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#head = 0;
    }
    next();
  }
}
