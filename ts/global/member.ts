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
  /** Entries of this node that a switch of it replaced, by name, with the number of its claim, until all peers know. */
  readonly switched: Map<string, { readonly claim: number; readonly entry: Entry }> = new Map();
  standing: Standing = 'expected';
  /** Whether it has told all the names it had when it came. */
  isKnown = false;
  /** Rounds of the roll call in which it said nothing. */
  silence = 0;
  /** Whether it does not answer: nobody waits for it until it does. */
  isQuiet = false;
  /** Requests of it that are under way here. */
  asked = 0;
  /** Whether something it sent was found to be nonsense: that is logged once. */
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

  constructor(node: string) {
    this.node = node;
  }
}
