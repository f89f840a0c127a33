/** Names that are remembered at most; the one shunned longest ago goes. */
const MOST = 1024;

/** Names that somebody here sent away: no hint of a peer brings them back, only who dials them on purpose, or they us. */
export class Shunned {
  readonly #names = new Set<string>();

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= MOST) return;
    for (const oldest of this.#names) return void this.#names.delete(oldest);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
