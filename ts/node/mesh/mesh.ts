// The wanted nodes, which should be connected and are not: a peer listed them (L1), a discovery found them, or their connection was
// lost. They are dialled a few at a time, with growing random pauses. A name that no discovery lists is given up after a while. The
// port provides dialling, time and randomness.
import { parseNodeName } from '../node-name.ts';
import type { DialResult, DownCause } from '../session/endings.ts';
import { RecentNames } from './dial-policy.ts';
import { Hints } from './hints.ts';

/** Dials under way at once. */
const MAX_DIALS = 16;
/** Wanted names beside those that a discovery lists. */
export const MAX_WANTED = 4096;
/** Pauses between dials of one name. Unit: ms. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 30_000;
/** After this many failed tries the pause is MAX_PAUSE_MS. */
const TRIES_FOR_MAX_PAUSE = 8;
/** How long a lost peer, and a hint, are dialled. Unit: ms. */
const LOST_FOR_MS = 10 * 60_000;
const HINT_FOR_MS = 60_000;
/** After a session that lasted this long, the first dial has no pause. Unit: ms. */
const STEADY_AFTER_MS = 30_000;

/** Ends of a session that neither side asked for. */
const LOST: ReadonlySet<DownCause> = new Set(['closed', 'timeout', 'overflow', 'displaced']);
/** These dials fail again for some time: a node with another cookie, version or name answers there. */
const REFUSED: ReadonlySet<DialResult> = new Set(['cookie', 'incompatible', 'wrong_name']);

/** What the mesh needs. */
export interface MeshPort {
  /** Our own full name. */
  readonly self: string;
  isUp(name: string): boolean;
  /** Dials; `up`: there is a session. */
  dial(name: string): Promise<DialResult>;
  /** ms of a clock that never goes back. */
  now(): number;
  /** Runs `action` once after `ms`; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

interface Wanted {
  readonly name: string;
  /** When it is given up, unless a discovery lists it. */
  until: number;
  /** A discovery lists it: never given up. */
  isFound: boolean;
  /** The peer that listed it, if it is only a hint: it was never connected, and no discovery lists it. */
  hintOf: string | undefined;
  tries: number;
  isDialling: boolean;
  cancel: (() => void) | undefined;
}

/** The sessions to a peer so far. */
interface History {
  /** When the last one began. */
  upAt: number;
  /** How many in a row ended within STEADY_AFTER_MS. */
  shortSessions: number;
}

export class Mesh {
  readonly #port: MeshPort;
  readonly #wanted = new Map<string, Wanted>();
  /** Of peers that are up, and of wanted ones that were. */
  readonly #histories = new Map<string, History>();
  readonly #blocked = new RecentNames();
  /** Names whose pause is over, waiting until fewer than MAX_DIALS are under way. */
  readonly #ready: Wanted[] = [];
  /** Hints are dialled after all others. */
  readonly #hints = new Hints<Wanted>();
  #dials = 0;
  /** How many of the wanted names a discovery lists. */
  #found = 0;
  #isStopped = false;

  constructor(port: MeshPort) {
    this.#port = port;
  }

  /** Names that are wanted and missing. */
  get missing(): string[] {
    return [...this.#wanted.keys()].filter((name) => !this.#port.isUp(name));
  }

  /** The peer `by` has listed its peers. Invalid names, known names, and names for which there is no room are ignored (T14). */
  hinted(names: readonly string[], by: string): void {
    for (const name of names) {
      if (!this.#hints.hasRoom(by)) return;
      this.#want(name, HINT_FOR_MS, { isFound: false, hintOf: by, tries: 0 });
    }
  }

  /** Takes the whole list of a discovery: its names are wanted as long as it lists them. */
  found(names: readonly string[]): void {
    const kept = new Set(names.map(canonical));
    for (const wanted of this.#wanted.values()) {
      if (!wanted.isFound || kept.has(wanted.name)) continue;
      wanted.isFound = false;
      this.#found--;
      if (this.#port.isUp(wanted.name)) this.#drop(wanted);
    }
    for (const name of names) this.#want(name, 0, { isFound: true, hintOf: undefined, tries: 0 });
  }

  up(name: string): void {
    this.#blocked.delete(name);
    const shortSessions = this.#histories.get(name)?.shortSessions ?? 0;
    this.#histories.set(name, { upAt: this.#port.now(), shortSessions });
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    wanted.tries = 0;
    this.#cancelPause(wanted);
    if (!wanted.isFound) this.#drop(wanted);
  }

  /**
   * A session has ended. A peer that left, was disconnected or broke the protocol is wanted only if a discovery lists it. The same
   * holds for a peer outside the mesh.
   */
  down(name: string, cause: DownCause, isOfMesh = true): void {
    if (cause === 'replaced') return;
    const shortSessions = this.#countShortSessions(name);
    const known = this.#wanted.get(name);
    if (known?.isFound) {
      known.tries = shortSessions;
      return this.#pause(known);
    }
    if (isOfMesh && LOST.has(cause) && !this.#blocked.has(name)) {
      // Other nodes may have lost the same peer: the pause before the first dial spreads their dials.
      const tries = Math.max(1, shortSessions);
      this.#want(name, LOST_FOR_MS, { isFound: false, hintOf: undefined, tries });
    } else if (known !== undefined) this.#drop(known);
    if (!this.#wanted.has(name)) this.#forget(name);
  }

  /** Stops dialling the name until `unblock` or a session. A name that a discovery lists is dialled nevertheless. */
  block(name: string): void {
    this.#blocked.add(name);
    this.#forget(name);
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined && !wanted.isFound) this.#drop(wanted);
  }

  /** Reverses `block`. */
  unblock(name: string): void {
    this.#blocked.delete(name);
  }

  stop(): void {
    this.#isStopped = true;
    for (const wanted of this.#wanted.values()) this.#cancelPause(wanted);
    this.#wanted.clear();
    this.#histories.clear();
    this.#ready.length = 0;
    this.#hints.clear();
    this.#found = 0;
  }

  /** Counts a session that has ended. Returns how many in a row were short. */
  #countShortSessions(name: string): number {
    const history = this.#histories.get(name);
    if (history === undefined) return 0;
    const isShort = this.#port.now() - history.upAt < STEADY_AFTER_MS;
    history.shortSessions = isShort ? history.shortSessions + 1 : 0;
    return history.shortSessions;
  }

  #want(
    text: string,
    ms: number,
    { isFound, hintOf, tries }: Pick<Wanted, 'isFound' | 'hintOf' | 'tries'>,
  ): void {
    if (this.#isStopped) return;
    const name = canonical(text);
    const isHint = hintOf !== undefined;
    if (name === undefined || name === this.#port.self || (isHint && this.#blocked.has(name))) return;
    const until = this.#port.now() + ms;
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      if (isFound && !known.isFound) this.#found++;
      known.isFound ||= isFound;
      if (!isHint) this.#promote(known);
      return;
    }
    const isUp = this.#port.isUp(name);
    const hasRoom = isFound || this.#wanted.size - this.#found < MAX_WANTED;
    if ((isUp && !isFound) || !hasRoom) return;
    const wanted = { name, until, isFound, hintOf, tries, isDialling: false, cancel: undefined };
    this.#wanted.set(name, wanted);
    if (isFound) this.#found++;
    const tooMany = isHint ? this.#hints.add(hintOf, wanted) : undefined;
    if (tooMany !== undefined) this.#drop(tooMany);
    if (!isUp) this.#pause(wanted);
  }

  /** Makes a hint an ordinary wanted name. */
  #promote(wanted: Wanted): void {
    if (wanted.hintOf === undefined) return;
    wanted.hintOf = undefined;
    if (!this.#hints.remove(wanted)) return;
    this.#ready.push(wanted);
    this.#dialNext();
  }

  /** Schedules the next dial: the first at once, later ones after a random part of a pause that doubles each time. */
  #pause(wanted: Wanted): void {
    if (wanted.isDialling || wanted.cancel !== undefined || this.#isStopped) return;
    const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(wanted.tries, 20));
    const ms = wanted.tries === 0 ? 0 : longest * this.#port.random();
    wanted.cancel = this.#port.after(ms, () => {
      wanted.cancel = undefined;
      if (wanted.hintOf === undefined) this.#ready.push(wanted);
      else this.#hints.ready(wanted);
      this.#dialNext();
    });
  }

  #dialNext(): void {
    while (this.#dials < MAX_DIALS) {
      const wanted = this.#ready.shift() ?? this.#nextHint();
      if (wanted === undefined) return;
      const isMissing = this.#wanted.get(wanted.name) === wanted && !this.#port.isUp(wanted.name);
      if (isMissing && !wanted.isDialling) void this.#dial(wanted);
    }
  }

  /** The next hint to dial; hints whose time is over are dropped on the way. */
  #nextHint(): Wanted | undefined {
    for (;;) {
      const hint = this.#hints.next();
      if (hint === undefined || this.#port.now() < hint.until) return hint;
      this.#drop(hint);
    }
  }

  async #dial(wanted: Wanted): Promise<void> {
    const ended = this.#hints.dialling(wanted); // it may be no hint any more when the dial ends
    this.#dials++;
    wanted.isDialling = true;
    const result = await this.#port.dial(wanted.name).catch((): DialResult => 'unreachable');
    this.#dials--;
    ended();
    wanted.isDialling = false;
    if (this.#wanted.get(wanted.name) === wanted) {
      if (result !== 'up') this.#failed(wanted, result);
      else if (!this.#port.isUp(wanted.name)) this.#pause(wanted); // the session has ended already
    }
    this.#dialNext();
  }

  #failed(wanted: Wanted, result: DialResult): void {
    const isRefused = REFUSED.has(result);
    // Another node with this node's name is connected there. It may leave later: try again rarely.
    wanted.tries = isRefused || result === 'name_taken' ? TRIES_FOR_MAX_PAUSE : wanted.tries + 1;
    if (wanted.isFound || (!isRefused && this.#port.now() < wanted.until)) return this.#pause(wanted);
    this.#drop(wanted);
    this.#forget(wanted.name);
  }

  /** Drops its history, unless it is up. */
  #forget(name: string): void {
    if (!this.#port.isUp(name)) this.#histories.delete(name);
  }

  #cancelPause(wanted: Wanted): void {
    wanted.cancel?.();
    wanted.cancel = undefined;
  }

  #drop(wanted: Wanted): void {
    this.#cancelPause(wanted);
    if (!this.#wanted.delete(wanted.name)) return;
    this.#hints.remove(wanted);
    if (wanted.isFound) this.#found--;
  }
}

/** The canonical form of a name that can be dialled; undefined for any other text. */
function canonical(text: string): string | undefined {
  try {
    const name = parseNodeName(text);
    return name.port === 0 ? undefined : name.full;
  } catch {
    return undefined;
  }
}
