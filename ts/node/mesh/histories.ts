/** After a session that lasted this long, the first dial has no pause. Unit: ms. */
const STEADY_AFTER_MS = 30_000;

/** The sessions to a peer so far. */
interface History {
  /** When the last one began. Unit: ms. */
  upAt: number;
  /** How many in a row ended within STEADY_AFTER_MS. */
  shortSessions: number;
}

/** How the sessions to each peer have lasted. */
export class Histories {
  readonly #ofPeers = new Map<string, History>();

  /** A session has begun at `now`, in ms. */
  up(name: string, now: number): void {
    const shortSessions = this.#ofPeers.get(name)?.shortSessions ?? 0;
    this.#ofPeers.set(name, { upAt: now, shortSessions });
  }

  /** A session has ended. Returns how many in a row were short. */
  down(name: string, now: number): number {
    const history = this.#ofPeers.get(name);
    if (history === undefined) return 0;
    history.shortSessions = now - history.upAt < STEADY_AFTER_MS ? history.shortSessions + 1 : 0;
    return history.shortSessions;
  }

  delete(name: string): void {
    this.#ofPeers.delete(name);
  }

  clear(): void {
    this.#ofPeers.clear();
  }
}
