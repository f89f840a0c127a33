import type { ChannelPeer } from '../node/index.ts';
import { Side } from './group-table.ts';

/** A peer, from the up to the down of its session. */
export class GroupsPeer extends Side {
  readonly peer: ChannelPeer;
  /** Whether it is sent changes: it was sent all memberships, or they are being sent. */
  isSynced = false;
  /** How often it was sent all memberships. */
  syncs = 0;
  /** Groups of this node that it was not sent yet, by their numbers: those above `above`, up to `upTo`. */
  unsent: { above: number; readonly upTo: number } = { above: 0, upTo: 0 };
  /** Whether a malformed message was logged: at most one is logged in a session. */
  isSuspect = false;

  constructor(peer: ChannelPeer) {
    super();
    this.peer = peer;
  }
}
