// The wanted nodes, which should be connected and are not: a peer listed them (L1), a discovery found them, or their connection was
// lost. They are dialled a few at a time, with growing random pauses. A name that no discovery lists is given up after a while. The
// port provides dialling, time and randomness.
import { nodeNameOf } from '../node-name.ts';
import type { DialResult, DownCause } from '../session/end-causes.ts';
import { pauseBeforeDial, SessionHistories, TRIES_FOR_MAX_PAUSE } from './dial-backoff.ts';
import { RecentNames } from './dial-policy.ts';
import { DialShares } from './dial-shares.ts';

/** Dials under way at once of names that a discovery lists. */
const MAX_DIALS = 16;
/** Names that only peers listed: further ones are dropped (T14). */
export const HINT_LIMITS = { names: 1024, dials: 8, dialsOfOne: 4 };
/** Names of lost peers, by the network that they connected from. A member can connect under very many names. */
export const LOST_LIMITS = { names: 4096, dials: 24, dialsOfOne: 16 };
/** How long a lost peer, and a hint, are dialled. Unit: ms. */
const LOST_FOR_MS = 10 * 60_000;
const HINT_FOR_MS = 60_000;

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
  dial(name: string, source: Wanted['source']): Promise<DialResult>;
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
  /** Why it is wanted. One that a discovery lists (`found`) is never given up, and one that a peer listed (`hint`) was never connected. */
  source: 'found' | 'lost' | 'hint';
  tries: number;
  isDialling: boolean;
  cancel: (() => void) | undefined;
}

/** A name that is wanted for more than one reason keeps the one with the greatest number. */
const RANKS = { hint: 0, lost: 1, found: 2 } as const;
/** The teller of names that a discovery has listed. */
const UNLISTED = '';

export class Mesh {
  readonly #port: MeshPort;
  readonly #wanted = new Map<string, Wanted>();
  /** Of peers that are up, and of wanted ones that were. */
  readonly #histories = new SessionHistories();
  readonly #blocked = new RecentNames();
  /** Found names whose pause is over, waiting until fewer than MAX_DIALS are under way. */
  readonly #ready = new Set<Wanted>();
  #dials = 0;
  readonly #lost = new DialShares<Wanted>(LOST_LIMITS);
  readonly #hints = new DialShares<Wanted>(HINT_LIMITS);
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
      this.#want(name, HINT_FOR_MS, { source: 'hint', by, tries: 0 });
    }
  }

  /** Takes the whole list of a discovery: its names are wanted as long as it lists them. */
  found(names: readonly string[]): void {
    const kept = new Set(names.map(dialable));
    for (const wanted of this.#wanted.values()) {
      if (wanted.source !== 'found' || kept.has(wanted.name)) continue;
      if (this.#port.isUp(wanted.name)) this.#drop(wanted);
      else this.#move(wanted, 'lost', UNLISTED);
    }
    for (const name of names) this.#want(name, 0, { source: 'found', by: '', tries: 0 });
  }

  up(name: string): void {
    this.#blocked.delete(name);
    this.#histories.up(name, this.#port.now());
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    if (wanted.source !== 'found') return this.#drop(wanted);
    wanted.tries = 0;
    this.#cancelPause(wanted);
  }

  /**
   * A session has ended. A peer that left, was disconnected or broke the protocol is wanted only if a discovery lists it. The same
   * holds for a peer outside the mesh.
   *
   * @param network where the peer was.
   */
  down(name: string, cause: DownCause, network: string, isOfMesh = true): void {
    if (cause === 'replaced') return;
    const shortSessions = this.#histories.down(name, this.#port.now());
    const known = this.#wanted.get(name);
    if (known?.source === 'found') {
      known.tries = shortSessions;
      return this.#pause(known);
    }
    if (isOfMesh && LOST.has(cause) && !this.#blocked.has(name)) {
      // Other nodes may have lost the same peer: the pause before the first dial spreads their dials.
      const tries = Math.max(1, shortSessions);
      this.#want(name, LOST_FOR_MS, { source: 'lost', by: network, tries });
    } else if (known !== undefined) this.#drop(known);
    if (!this.#wanted.has(name)) this.#forget(name);
  }

  /** Stops dialling the name until `unblock` or a session. A name that a discovery lists is dialled nevertheless. */
  block(name: string): void {
    this.#blocked.add(name);
    this.#forget(name);
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined && wanted.source !== 'found') this.#drop(wanted);
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
    this.#ready.clear();
    this.#lost.clear();
    this.#hints.clear();
  }

  #want(
    text: string,
    ms: number,
    { source, by, tries }: Pick<Wanted, 'source' | 'tries'> & { by: string },
  ): void {
    if (this.#isStopped) return;
    const name = dialable(text);
    if (name === undefined || name === this.#port.self) return;
    if (source === 'hint' && this.#blocked.has(name)) return;
    const until = this.#port.now() + ms;
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      if (RANKS[source] > RANKS[known.source]) this.#move(known, source, by);
      return;
    }
    const isUp = this.#port.isUp(name);
    if ((isUp && source !== 'found') || (source === 'lost' && !this.#lost.hasRoom(by))) return;
    const wanted: Wanted = { name, until, source, tries, isDialling: false, cancel: undefined };
    this.#wanted.set(name, wanted);
    this.#enter(wanted, by);
    if (!isUp) this.#pause(wanted);
  }

  /** Counts a name for its teller. A name of another teller may have to go for it. */
  #enter(wanted: Wanted, by: string): void {
    const tooMany = this.#sharesOf(wanted)?.add(by, wanted);
    if (tooMany !== undefined) this.#drop(tooMany);
  }

  /** True: its pause was over, and it was not dialled yet. */
  #leave(wanted: Wanted): boolean {
    return (this.#sharesOf(wanted)?.remove(wanted) ?? false) || this.#ready.delete(wanted);
  }

  #move(wanted: Wanted, source: Wanted['source'], by: string): void {
    const wasReady = this.#leave(wanted);
    wanted.source = source;
    this.#enter(wanted, by);
    if (wasReady) this.#pauseOver(wanted);
  }

  #sharesOf({ source }: Wanted): DialShares<Wanted> | undefined {
    if (source === 'found') return undefined;
    return source === 'lost' ? this.#lost : this.#hints;
  }

  /** Schedules the next dial. */
  #pause(wanted: Wanted): void {
    if (wanted.isDialling || wanted.cancel !== undefined || this.#isStopped) return;
    wanted.cancel = this.#port.after(pauseBeforeDial(wanted.tries, this.#port.random()), () => {
      wanted.cancel = undefined;
      this.#pauseOver(wanted);
    });
  }

  #pauseOver(wanted: Wanted): void {
    const shares = this.#sharesOf(wanted);
    if (shares === undefined) this.#ready.add(wanted);
    else shares.ready(wanted);
    this.#dialNext();
  }

  #dialNext(): void {
    for (;;) {
      const wanted = this.#nextFound() ?? this.#nextOf(this.#lost) ?? this.#nextOf(this.#hints);
      if (wanted === undefined) return;
      const isMissing = this.#wanted.get(wanted.name) === wanted && !this.#port.isUp(wanted.name);
      if (isMissing && !wanted.isDialling) void this.#dial(wanted);
    }
  }

  #nextFound(): Wanted | undefined {
    const [next] = this.#dials < MAX_DIALS ? this.#ready : [];
    if (next !== undefined) this.#ready.delete(next);
    return next;
  }

  /** The next name to dial; hints whose time is over are dropped on the way. */
  #nextOf(shares: DialShares<Wanted>): Wanted | undefined {
    for (;;) {
      const next = shares.next();
      if (next?.source !== 'hint' || this.#port.now() < next.until) return next;
      this.#drop(next);
    }
  }

  async #dial(wanted: Wanted): Promise<void> {
    const ended = this.#dialling(wanted); // its source may be another one when the dial ends
    wanted.isDialling = true;
    const result = await this.#port.dial(wanted.name, wanted.source).catch((): DialResult => 'unreachable');
    ended();
    wanted.isDialling = false;
    if (this.#wanted.get(wanted.name) === wanted) {
      if (result !== 'up') this.#failed(wanted, result);
      else if (!this.#port.isUp(wanted.name)) this.#pause(wanted); // the session has ended already
    }
    this.#dialNext();
  }

  #dialling(wanted: Wanted): () => void {
    const shares = this.#sharesOf(wanted);
    if (shares !== undefined) return shares.dialling(wanted);
    this.#dials++;
    return () => void this.#dials--;
  }

  #failed(wanted: Wanted, result: DialResult): void {
    const isRefused = REFUSED.has(result);
    // Another node with this node's name is connected there. It may leave later: try again rarely.
    wanted.tries = isRefused || result === 'name_taken' ? TRIES_FOR_MAX_PAUSE : wanted.tries + 1;
    if (wanted.source === 'found' || (!isRefused && this.#port.now() < wanted.until))
      return this.#pause(wanted);
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
    if (this.#wanted.delete(wanted.name)) this.#leave(wanted);
  }
}

/** The canonical form of a name that can be dialled; undefined for any other text. */
function dialable(text: string): string | undefined {
  const name = nodeNameOf(text);
  return name?.port === 0 ? undefined : name?.full;
}
