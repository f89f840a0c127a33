import type { Runtime } from '../actor/index.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/**
 * Waits for the answers of peers. Each has some time, which begins when it was first asked something after it was last heard. So a peer that does
 * not answer delays everything that asks it, at once or one after the other, by that time in all.
 */
export class PeerWait {
  readonly #runtime: Runtime;
  readonly #waiting: Set<RoomsPeer>;
  readonly #ms: number;
  readonly #done: () => void;
  readonly #since: number;
  #until = 0;
  #cancel = (): void => {};

  /** @param ms The time of each peer. @param done is called once: each has answered, or its time is over. */
  constructor(runtime: Runtime, peers: Iterable<RoomsPeer>, ms: number, done: () => void) {
    this.#runtime = runtime;
    this.#waiting = new Set(peers);
    this.#ms = ms;
    this.#done = done;
    this.#since = runtime.now();
    for (const peer of this.#waiting) peer.askedAt ??= this.#since;
  }

  /** The peers that have not answered. */
  get unanswered(): ReadonlySet<RoomsPeer> {
    return this.#waiting;
  }

  /** Begins to wait. `done` may be called at once. O(peers). */
  begin(): void {
    let until = this.#since;
    for (const { askedAt = this.#since } of this.#waiting)
      until = Math.max(until, Math.min(this.#since, askedAt) + this.#ms);
    const now = this.#runtime.now();
    if (until <= now) return this.#done();
    if (until === this.#until) return; // the timer is set
    this.#until = until;
    this.#cancel();
    this.#cancel = this.#runtime.after(until - now, () => {
      this.#until = 0;
      this.begin();
    });
  }

  /** A peer has answered, or is lost. O(peers). */
  answered(peer: RoomsPeer): void {
    if (this.#waiting.delete(peer)) this.begin();
  }

  end(): void {
    this.#cancel();
  }
}
