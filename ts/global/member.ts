import { SeededMap } from '../collections/index.ts';
import type { ChannelPeer } from '../node/index.ts';
import type { Claim, Claimant } from './claim-queue.ts';
import type { Entry, Owner } from './name-table.ts';

/**
 * The state of a connected peer: `expected` until it greets, `member` from then on; `absent` when it has not greeted in time or has
 * closed its global names.
 */
export type Standing = 'expected' | 'member' | 'absent';

/** A peer, from the up to the down of its session. */
export class Member implements Owner, Claimant {
  readonly peer: ChannelPeer;
  names: Map<string, Entry> = new Map();
  remembered = 0;
  readonly claims: SeededMap<Claim> = new SeededMap();
  standing: Standing = 'expected';
  /** Whether it has sent all names that it had when it joined. */
  isKnown = false;
  /** How often it was sent all names of this node. */
  syncs = 0;
  /** Rounds of pings since its last message. */
  silentRounds = 0;
  /** Whether it does not answer: this node does not wait for it until it sends something. */
  isQuiet = false;
  /** The number of the last ping sent to it, and of the last that it has answered. */
  pings = 0;
  pongs = 0;
  /** Messages that it has not acknowledged, oldest first: their numbers, each with the number of the last ping sent before. */
  readonly unacknowledged: Map<number, number> = new Map();
  /** The number of the last ping that was sent before it joined. */
  pingsBeforeSync = 0;
  /** Its requests that are under way on this node. */
  asked = 0;
  /** Whether a malformed message was logged: at most one is logged in a session. */
  isSuspect = false;

  constructor(peer: ChannelPeer) {
    this.peer = peer;
  }

  get node(): string {
    return this.peer.node;
  }
}

/** This node as an owner and claimant. */
export class OwnNode implements Owner, Claimant {
  readonly node: string;
  names: Map<string, Entry> = new Map();
  remembered = 0;
  readonly claims: SeededMap<Claim> = new SeededMap();
  #ids = 0;

  constructor(node: string) {
    this.node = node;
  }

  /** A number for a message of this node: its answer or acknowledgement has the same number. */
  nextId(): number {
    return ++this.#ids;
  }
}
