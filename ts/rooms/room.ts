import type { PeerSide } from './peer-side.ts';
import { ReplayRing } from './replay-ring.ts';
import type { Recipient } from './turn.ts';

/** One room as this node knows it: its own members, the peers that have some, and the last messages. */
export class Room<M extends Recipient = Recipient> {
  readonly name: string;
  /** No message of this node from before the room was known here has a greater number. */
  readonly floor: number;
  /** Connections of this node. */
  readonly members: Set<M> = new Set();
  /** Peers that want its messages. */
  readonly interested: Set<PeerSide> = new Set();
  /** Members may come back until then. ms of the monotonic clock. */
  keepUntil = 0;
  /** Peers were told that this node wants its messages. */
  isAnnounced = false;
  #ring: ReplayRing | undefined;

  constructor(name: string, floor: number) {
    this.name = name;
    this.floor = floor;
  }

  get ring(): ReplayRing {
    this.#ring ??= new ReplayRing();
    return this.#ring;
  }

  /** Messages kept. */
  get kept(): number {
    return this.#ring?.size ?? 0;
  }

  expire(time: number): void {
    this.#ring?.expire(time);
  }

  /** Whether this node wants its messages: it has members, or some may come back. */
  isWanted(now: number): boolean {
    return this.members.size > 0 || this.keepUntil > now;
  }

  /** Whether anything would be lost with it. */
  isNeeded(now: number): boolean {
    return this.isWanted(now) || this.interested.size > 0 || this.kept > 0;
  }
}
