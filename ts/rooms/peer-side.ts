import type { ChannelPeer } from '../node/index.ts';

/** A peer from the up to the down of its session. */
export class PeerSide {
  readonly peer: ChannelPeer;
  /** What its messages are numbered under; another one when rooms are created anew there. */
  origin = '';
  /** Names the key that it signs with. */
  keyId = '';
  /** Whether it has rooms: it said hello. */
  takesPart = false;
  /** Members it has in each room it wants messages of; 0: none now. */
  readonly rooms: Map<string, number> = new Map();
  /** Rooms whose missing messages were asked for, each with the origin, and have not come yet. */
  readonly asked: Set<string> = new Set();
  /** Origins that it has lost. It may be connected to some of them again. */
  readonly lost: Set<string> = new Set();
  /** Whether something it sent was found to be nonsense: that is logged once. */
  isSuspect = false;

  constructor(peer: ChannelPeer) {
    this.peer = peer;
  }
}
