/** Names that are remembered unless told otherwise; of more, the one shunned longest ago goes. */
const MOST = 1024;

/** Names that nobody dials by himself, a bounded number: those somebody here sent away, or lost when that is for good. */
export class Shunned {
  readonly #names = new Set<string>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= this.#most) return;
    for (const oldest of this.#names) return void this.#names.delete(oldest);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
