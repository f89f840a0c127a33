// How long to wait before a node is dialled: the pause doubles with each failed dial in a row, and with each session in a row that ended
// soon.

/** The pauses between dials of one name. Unit: ms. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 30_000;
/** After this many failed tries the pause is MAX_PAUSE_MS. */
export const TRIES_FOR_MAX_PAUSE = 8;
/** After a session that lasted this long, the first dial has no pause. Unit: ms. */
const STEADY_AFTER_MS = 30_000;

/** The pause before the next dial, in ms: none before the first try, later a random part (`random`, from 0 to below 1) of the longest. */
export function pauseBeforeDial(tries: number, random: number): number {
  if (tries === 0) return 0;
  return random * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, TRIES_FOR_MAX_PAUSE));
}

/** The sessions to a peer so far. */
interface History {
  /** When the last one began. Unit: ms. */
  upAt: number;
  /** How many in a row ended within STEADY_AFTER_MS. */
  shortSessions: number;
}

/** How the sessions to each peer have lasted. */
export class SessionHistories {
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
