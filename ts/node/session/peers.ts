// The node names that have a session or a dial. A name with neither is removed, so that dialling nodes that do not exist
// takes no memory (L16).
import { DialReason } from '../../wire/index.ts';
import type { NodeName } from '../node-name.ts';
import type { DialResult } from './end-causes.ts';
import type { Outgoing } from './outgoing.ts';
import type { Session } from './session.ts';

/** The state of one node name: a session, a dial, or for a moment both. */
export class PeerState {
  readonly name: NodeName;
  session: Session | undefined = undefined;
  /** Holds the frames written before there is a session. The session takes it over. */
  pendingOutgoing: Outgoing | undefined = undefined;
  /** The number of the dial under way, 0 for none, and the reason that the native core knows. */
  request = 0;
  reason: number = DialReason.ASKED;
  /** Resolved when the dial under way ends. */
  readonly #callers: ((result: DialResult) => void)[] = [];

  constructor(name: NodeName) {
    this.name = name;
  }

  /** True when it has neither a session nor a dial. */
  get isIdle(): boolean {
    return this.session === undefined && this.request === 0;
  }

  /** Resolves when the dial under way has ended. */
  dialled(): Promise<DialResult> {
    return new Promise((resolve) => this.#callers.push(resolve));
  }

  /** The dial has ended. */
  settle(result: DialResult): void {
    for (const resolve of this.#callers.splice(0)) resolve(result);
  }
}

/** Peers by name, and by the number of the dial under way. */
export class PeerTable {
  readonly #byName = new Map<string, PeerState>();
  readonly #byRequest = new Map<number, PeerState>();
  #lastRequest = 0;

  get(full: string): PeerState | undefined {
    return this.#byName.get(full);
  }

  all(): IterableIterator<PeerState> {
    return this.#byName.values();
  }

  /** The peer of that name, created if missing: the caller gives it a session or a dial at once. */
  of(name: NodeName): PeerState {
    const known = this.#byName.get(name.full);
    if (known !== undefined) return known;
    const peer = new PeerState(name);
    this.#byName.set(name.full, peer);
    return peer;
  }

  /** Assigns a number to a new dial of `peer`. False: there is nothing to tell the native core, which knows of a session or a dial. */
  startDial(peer: PeerState, reason: number): boolean {
    if (!peer.isIdle) {
      // What this node asks for must not wait as long as what peers told (T14).
      const isAskedNow = reason === DialReason.ASKED && peer.reason !== DialReason.ASKED;
      if (peer.session !== undefined || !isAskedNow) return false;
    } else {
      this.#lastRequest = (this.#lastRequest + 1) >>> 0 || 1; // 0 stands for none
      peer.request = this.#lastRequest;
      this.#byRequest.set(peer.request, peer);
    }
    peer.reason = reason;
    return true;
  }

  /**
   * Ends a dial and returns its peer; undefined when there is no dial with that number. Without a session the peer is removed: a dial
   * that begins while this one is reported is one of a new peer.
   */
  endDial(request: number): PeerState | undefined {
    const peer = this.#byRequest.get(request);
    if (peer === undefined) return undefined;
    this.#byRequest.delete(request);
    peer.request = 0;
    this.forgetIdle(peer);
    return peer;
  }

  forgetIdle(peer: PeerState): void {
    if (peer.isIdle) this.#byName.delete(peer.name.full);
  }
}
