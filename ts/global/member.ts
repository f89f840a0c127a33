import type { ChannelPeer } from '../node/index.ts';
import type { Claim, Claimant } from './claim-queue.ts';
import type { Entry, Owner } from './name-table.ts';

/**
 * What is known of a connected peer: `expected` until it says that it has global names, `member` from then on,
 * `absent` when it did not say so in time.
 */
export type Standing = 'expected' | 'member' | 'absent';

/** A peer from the up to the down of its session. */
export class Member implements Owner, Claimant {
  readonly peer: ChannelPeer;
  readonly names: Map<string, Entry> = new Map();
  readonly claims: Map<number, Claim> = new Map();
  standing: Standing = 'expected';
  /** Whether it has told all the names it had when it came. */
  isKnown = false;
  /** How often it was told all names of this node. */
  tellings = 0;
  /** Rounds of the roll call since it said something. */
  silentRounds = 0;
  /** Whether it does not answer: no node waits for it until it does. */
  isQuiet = false;
  /** Pings that were sent to it, and the last that it has answered. */
  pings = 0;
  pongs = 0;
  /** Acknowledgements that are missing, by number, in the order of what they are for: the pings that were sent before. */
  readonly unacknowledged: Map<number, number> = new Map();
  /** Pings that were sent before it was asked for its names. */
  pingsBeforeSync = 0;
  /** Requests of it that are under way here. */
  asked = 0;
  /** Whether a malformed message of it was logged: once a session. */
  isSuspect = false;

  constructor(peer: ChannelPeer) {
    this.peer = peer;
  }

  get node(): string {
    return this.peer.node;
  }
}

/** This node among the owners and claimants. */
export class OwnNode implements Owner, Claimant {
  readonly node: string;
  readonly names: Map<string, Entry> = new Map();
  readonly claims: Map<number, Claim> = new Map();
  #ids = 0;

  constructor(node: string) {
    this.node = node;
  }

  /** A number for what this node asks or tells: an answer or an acknowledgement has the same. */
  nextId(): number {
    return ++this.#ids;
  }
}
