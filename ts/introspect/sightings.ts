import { OldestFirst } from '../collections/index.ts';

/** Actors that are remembered. */
const MAX_ACTORS = 10_000;

interface Sighting {
  readonly turns: number;
  readonly since: number;
}

/**
 * Since when an actor has taken no message, as far as it was looked at: a turn writes no time, so that a node that nobody looks at pays
 * nothing. The actors looked at longest ago are forgotten first.
 */
export class Sightings {
  readonly #byActor = new OldestFirst<number, Sighting>();

  /** @returns ms, at least; undefined at the first look. */
  look(local: number, turns: number, now: number): number | undefined {
    const before = this.#byActor.get(local);
    const isSame = before?.turns === turns;
    this.#byActor.renew(local, isSame ? before : { turns, since: now });
    if (this.#byActor.size > MAX_ACTORS) this.#byActor.takeOldest();
    if (before === undefined) return undefined;
    return isSame ? now - before.since : 0;
  }
}
