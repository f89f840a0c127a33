import { OldestFirst } from '../collections/index.ts';

/** Most actors that are remembered. */
const MAX_ACTORS = 10_000;

interface Sighting {
  readonly turns: number;
  readonly since: number;
}

/**
 * How long an actor has taken no message, counted from the first look at it: a turn records no time, so that unobserved actors cost
 * nothing. The least recently looked at actors are dropped first.
 */
export class IdleTimes {
  readonly #byActor = new OldestFirst<number, Sighting>();

  /** @returns The least ms since it took a message; undefined at the first look. */
  look(local: number, turns: number, now: number): number | undefined {
    const before = this.#byActor.get(local);
    const isSame = before?.turns === turns;
    this.#byActor.renew(local, isSame ? before : { turns, since: now });
    if (this.#byActor.size > MAX_ACTORS) this.#byActor.takeOldest();
    if (before === undefined) return undefined;
    return isSame ? now - before.since : 0;
  }
}
