// Who should be connected and is not: names learned from peers (L1), names that a discovery found, peers that were
// lost. They are dialled a few at a time, again and again with growing, random pauses; what nobody vouches for any more
// is given up after a while. Pure bookkeeping: dialling, time and chance come in through the port.
import { parseNodeName } from './node-name.ts';
import type { DialResult } from './peer.ts';
import type { DownCause } from './session.ts';
import { Shunned } from './shunned.ts';

/** Whether peers of peers are connected by themselves (`full`), or only those that are named here. */
export type MeshMode = 'full' | 'explicit';

/** Dials under way at once. */
const MAX_DIALS = 16;
/** How many of these may be dials of names that only a peer told: the others are for nodes that were here. */
const MAX_HINT_DIALS = 8;
/** Names that may be wanted at once. */
export const MAX_WANTED = 4096;
/** How many of these may be names that only a peer told; what is beyond is dropped (T14). */
export const MAX_HINTS = 1024;
/** Pauses between dials of one name. Unit: ms. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 30_000;
/** So many failed tries make the pause the longest. */
const TRIES_OF_LONGEST = 8;
/** How long a peer that was lost, and a name that a peer told, is dialled. Unit: ms. */
const LOST_FOR = 10 * 60_000;
const HINT_FOR = 60_000;
/** A session that lasted so long was a good one: the dial after it comes at once. Unit: ms. */
const STEADY_AFTER = 30_000;

/** Ends of a session that nobody meant. */
const LOST: ReadonlySet<DownCause> = new Set(['closed', 'timeout', 'overflow']);
/** Dials that end like this end no better soon: another cookie, version or name answers there. */
const REFUSED: ReadonlySet<DialResult> = new Set(['cookie', 'incompatible', 'wrong-name']);

/** What the mesh needs. */
export interface MeshPort {
  /** Our own full name. */
  readonly self: string;
  isUp(name: string): boolean;
  /** Dials; `up`: there is a session. */
  dial(name: string): Promise<DialResult>;
  /** ms of a clock that never goes back. */
  now(): number;
  /** Calls back once after `ms`; returns a way to take it back. */
  after(ms: number, action: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

interface Wanted {
  readonly name: string;
  /** When it is given up. */
  until: number;
  /** A discovery names it: never given up. */
  isFound: boolean;
  /** Only a peer told it: it was neither here nor found. */
  isHint: boolean;
  tries: number;
  isDialling: boolean;
  cancel: (() => void) | undefined;
}

/** How the sessions to a peer went. */
interface Past {
  /** When the last one began. */
  upAt: number;
  /** How many in a row were over soon. */
  flaps: number;
}

export class Mesh {
  readonly #port: MeshPort;
  readonly #wanted = new Map<string, Wanted>();
  /** Of those that are up, or were and are wanted. */
  readonly #pasts = new Map<string, Past>();
  readonly #shunned = new Shunned();
  /** Names whose pause is over, waiting for a dial to become free. */
  readonly #ready: Wanted[] = [];
  /** The same for hints, which come after. */
  readonly #readyHints: Wanted[] = [];
  #dials = 0;
  #hints = 0;
  #hintDials = 0;
  #isStopped = false;

  constructor(port: MeshPort) {
    this.#port = port;
  }

  /** Names that are wanted and missing. */
  get missing(): string[] {
    return [...this.#wanted.keys()].filter((name) => !this.#port.isUp(name));
  }

  /** A peer told whom it is connected to. Hints: what is no name, known or too many is passed over (T14). */
  hinted(names: readonly string[]): void {
    for (const name of names) {
      if (this.#hints >= MAX_HINTS) return;
      this.#want(name, HINT_FOR, { isFound: false, isHint: true, tries: 0 });
    }
  }

  /** All that a discovery found: these are wanted as long as it names them. */
  found(names: readonly string[]): void {
    const kept = new Set(names.map(canonical));
    for (const wanted of this.#wanted.values()) {
      if (!wanted.isFound || kept.has(wanted.name)) continue;
      wanted.isFound = false;
      if (this.#port.isUp(wanted.name)) this.#drop(wanted);
    }
    for (const name of names) this.#want(name, 0, { isFound: true, isHint: false, tries: 0 });
  }

  up(name: string): void {
    this.#shunned.delete(name);
    const flaps = this.#pasts.get(name)?.flaps ?? 0;
    this.#pasts.set(name, { upAt: this.#port.now(), flaps });
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    wanted.tries = 0;
    this.#rest(wanted);
    if (!wanted.isFound) this.#drop(wanted);
  }

  /**
   * A peer is gone. One that left, was sent away or broke the protocol is not wanted any more unless a discovery names it; nor is one
   * that is not `isOfMesh`.
   */
  down(name: string, cause: DownCause, isOfMesh = true): void {
    if (cause === 'replaced') return;
    const flaps = this.#sessionOver(name);
    const known = this.#wanted.get(name);
    if (known?.isFound) {
      known.tries = flaps;
      return this.#pause(known);
    }
    if (isOfMesh && LOST.has(cause) && !this.#shunned.has(name)) {
      // Everybody else may have lost the same peer: the first dials are spread.
      this.#want(name, LOST_FOR, { isFound: false, isHint: false, tries: Math.max(1, flaps) });
    } else if (known !== undefined) this.#drop(known);
    if (!this.#wanted.has(name)) this.#forget(name);
  }

  /** Somebody here sends it away: no more dials, until somebody here dials it, or a discovery names it. */
  shun(name: string): void {
    this.#shunned.add(name);
    this.#forget(name);
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined && !wanted.isFound) this.#drop(wanted);
  }

  /** Somebody here dials it. */
  welcome(name: string): void {
    this.#shunned.delete(name);
  }

  stop(): void {
    this.#isStopped = true;
    for (const wanted of this.#wanted.values()) this.#rest(wanted);
    this.#wanted.clear();
    this.#pasts.clear();
    this.#ready.length = 0;
    this.#readyHints.length = 0;
  }

  /** How many sessions to that peer in a row were over soon. */
  #sessionOver(name: string): number {
    const past = this.#pasts.get(name);
    if (past === undefined) return 0;
    past.flaps = this.#port.now() - past.upAt < STEADY_AFTER ? past.flaps + 1 : 0;
    return past.flaps;
  }

  #want(
    text: string,
    ms: number,
    { isFound, isHint, tries }: Pick<Wanted, 'isFound' | 'isHint' | 'tries'>,
  ): void {
    if (this.#isStopped) return;
    const name = canonical(text);
    if (name === undefined || name === this.#port.self || (isHint && this.#shunned.has(name))) return;
    const until = this.#port.now() + ms;
    const known = this.#wanted.get(name);
    if (known !== undefined) {
      known.until = Math.max(known.until, until);
      known.isFound ||= isFound;
      if (!isHint) this.#trust(known);
      return;
    }
    const isUp = this.#port.isUp(name);
    if ((isUp && !isFound) || this.#wanted.size >= MAX_WANTED) return;
    const wanted = { name, until, isFound, isHint, tries, isDialling: false, cancel: undefined };
    this.#wanted.set(name, wanted);
    if (isHint) this.#hints++;
    if (!isUp) this.#pause(wanted);
  }

  /** More than a peer's word stands for it now. */
  #trust(wanted: Wanted): void {
    if (!wanted.isHint) return;
    wanted.isHint = false;
    this.#hints--;
    const at = this.#readyHints.indexOf(wanted);
    if (at < 0) return;
    this.#readyHints.splice(at, 1);
    this.#ready.push(wanted);
    this.#dialNext();
  }

  /** The first dial comes at once, later ones after a random part of a pause that doubles each time. */
  #pause(wanted: Wanted): void {
    if (wanted.isDialling || wanted.cancel !== undefined || this.#isStopped) return;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(wanted.tries, 20));
    const ms = wanted.tries === 0 ? 0 : longest * this.#port.random();
    wanted.cancel = this.#port.after(ms, () => {
      wanted.cancel = undefined;
      (wanted.isHint ? this.#readyHints : this.#ready).push(wanted);
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

  /** What waited longer than it is wanted is dropped on the way. */
  #nextHint(): Wanted | undefined {
    while (this.#hintDials < MAX_HINT_DIALS) {
      const hint = this.#readyHints.shift();
      if (hint === undefined || this.#port.now() < hint.until) return hint;
      if (this.#wanted.get(hint.name) === hint) this.#drop(hint);
    }
    return undefined;
  }

  async #dial(wanted: Wanted): Promise<void> {
    const { isHint } = wanted; // which may change meanwhile
    this.#dials++;
    if (isHint) this.#hintDials++;
    wanted.isDialling = true;
    const result = await this.#port.dial(wanted.name).catch((): DialResult => 'unreachable');
    this.#dials--;
    if (isHint) this.#hintDials--;
    wanted.isDialling = false;
    if (this.#wanted.get(wanted.name) === wanted) {
      if (result !== 'up') this.#failed(wanted, REFUSED.has(result));
      else if (!this.#port.isUp(wanted.name)) this.#pause(wanted); // up, and down again before we heard of it
    }
    this.#dialNext();
  }

  #failed(wanted: Wanted, isRefused: boolean): void {
    wanted.tries = isRefused ? TRIES_OF_LONGEST : wanted.tries + 1;
    if (wanted.isFound || (!isRefused && this.#port.now() < wanted.until)) return this.#pause(wanted);
    this.#drop(wanted);
    this.#forget(wanted.name);
  }

  /** Nobody wants it any more. */
  #forget(name: string): void {
    if (!this.#port.isUp(name)) this.#pasts.delete(name);
  }

  #rest(wanted: Wanted): void {
    wanted.cancel?.();
    wanted.cancel = undefined;
  }

  #drop(wanted: Wanted): void {
    this.#rest(wanted);
    if (this.#wanted.delete(wanted.name) && wanted.isHint) this.#hints--;
  }
}

/** The one form of a name that can be dialled; undefined for any other text. */
function canonical(text: string): string | undefined {
  try {
    const name = parseNodeName(text);
    return name.port === 0 ? undefined : name.full;
  } catch {
    return undefined;
  }
}
