import { OldestFirst } from '../collections/index.ts';
import type { ChannelPeer } from '../node/index.ts';

/** What this node knows of the rooms of one peer, during one session. */
export class RoomsPeer {
  readonly channelPeer: ChannelPeer;
  /** The origin of its messages; it changes when its rooms are created again. */
  origin = '';
  /** The id of its signing key. */
  keyId = '';
  /** Whether it has sent its hello: it has rooms. */
  takesPart = false;
  /** Whether its session is older than these rooms: before its hello it may send what is meant for rooms that this node had before. */
  isOlder = false;
  /** Whether it was told all rooms that this node wants. */
  isTold = false;
  /** The rooms that it wants, each with its number of members, which may be 0. */
  rooms: Map<string, number> = new Map();
  /** The rooms of this node in which a join was acknowledged before it had answered. */
  readonly unanswered: Set<string> = new Set();
  /** Pending requests for missing messages, each by its {@link logKey}. */
  readonly asked: Set<string> = new Set();
  /** Where other nodes have reported more of it than it said, by {@link logKey}, with what it has said since it was asked once more. */
  readonly doubted: Map<string, { readonly counter: number; readonly newest: number }> = new Map();
  /** The origins that it has lost, each with when it said so, the one that it named longest ago first. It may be connected to some of them again. */
  readonly lost: OldestFirst<string, number> = new OldestFirst();
  /** Estimated bytes of the copies that it has handed over since its hello. */
  handedBytes = 0;
  /** When it was first asked something after it was last heard, in ms of the monotonic clock; undefined: nothing since. */
  askedAt: number | undefined;
  /** How often it has sent a hello, and when it sent the last one, in ms of the monotonic clock. */
  hellos = 0;
  greetedAt = 0;
  /** Whether an invalid message of it was logged: that happens once. */
  isSuspect = false;

  constructor(channelPeer: ChannelPeer) {
    this.channelPeer = channelPeer;
  }
}

/** Names the messages of an origin in a room. */
export const logKey = (origin: string, room: string): string => `${origin} ${room}`;
