// What a node that stops hands over: the kept messages that no other node may have. All nodes keep copies of each other's messages, so it may
// have the last copy of a message of a node that has ended before.
//
//   close ──copies──▶ …  ──▶ bye      the peer keeps them as it keeps copies of a peer that is connected
//                     held ──▶ end    those of a node that is connected to the peer: it may have read their copies before the end of that node
import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';
import type { Gaps } from './gaps.ts';
import type { History } from './history.ts';
import {
  COPIES_BYTES,
  MAX_ENDED,
  MAX_HANDED_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  type ResumeLimits,
  SETTLED_MS,
} from './limits.ts';
import { messageOf, type ToldMessage, toldOf } from './messages.ts';
import { keeperOf, type Peers } from './peers.ts';
import type { Dropped } from './replay-ring.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

export class Copies {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #resume: ResumeLimits;
  readonly #history: History;
  readonly #gaps: Gaps;
  readonly #originsAdded: (room: Room<Connection>) => void;
  /** By connected origin: what others have handed over of it, with its room. */
  readonly #held = new Map<string, Map<string, RoomMessage[]>>();
  /** Estimated bytes of these messages. */
  #heldBytes = 0;
  #cancelDrop = (): void => {};

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly resume: ResumeLimits;
    readonly history: History;
    readonly gaps: Gaps;
    /** A room may know more origins than before. */
    readonly originsAdded: (room: Room<Connection>) => void;
  }) {
    this.#runtime = parts.runtime;
    this.#table = parts.table;
    this.#peers = parts.peers;
    this.#resume = parts.resume;
    this.#history = parts.history;
    this.#gaps = parts.gaps;
    this.#originsAdded = parts.originsAdded;
  }

  /** Hands over what no other node may have, and tells peers that this node no longer takes part. O(kept messages + peers · peers). */
  leave(): void {
    const present = this.#peers.origins();
    if (!this.#handOver(present) || present.size > MAX_ENDED) this.#history.backupDropped();
    const ended = this.#history.recentlyEnded().slice(-MAX_ENDED);
    for (const peer of this.#peers.sessions())
      this.#peers.send(peer, ['bye', [...present].slice(0, MAX_ENDED), ended]);
  }

  /**
   * A peer that stops hands over messages: its own, and those of nodes that have ended. Those of a node that is connected count if it ends within
   * the window; until then it has them itself.
   */
  received(peer: RoomsPeer, name: string, told: readonly ToldMessage[]): void {
    if (this.#resume.windowMs === 0) return;
    for (const [, , , , payload] of told) peer.handedBytes += bytesOf(payload);
    if (peer.handedBytes > MAX_HANDED_BYTES)
      return this.#peers.suspect(peer, 'more copies than a node hands over');
    const present = this.#peers.origins();
    present.delete(peer.origin);
    const now = this.#runtime.now();
    const messages = told.map((each) => messageOf(each, now, this.#resume.windowMs));
    this.#keep(
      name,
      messages.filter(({ origin }) => origin !== this.#table.origin && !present.has(origin)),
    );
    const early = messages.filter(({ origin }) => present.has(origin));
    if (early.length > 0) this.#hold(name, early);
  }

  /** An origin has ended: what was handed over of it before counts now. O(those messages). */
  ended(origin: string): void {
    const held = this.#held.get(origin);
    this.#held.delete(origin);
    for (const [name, messages] of held ?? []) {
      for (const { content } of messages) this.#heldBytes -= bytesOf(content.payload);
      this.#keep(name, messages);
    }
  }

  close(): void {
    this.#cancelDrop();
    this.#held.clear();
  }

  /** Messages of a room that were handed over, without those of connected nodes other than the one that handed them over. */
  #keep(name: string, handed: readonly RoomMessage[]): void {
    const room = this.#table.getOrCreate(name);
    const origins = new Set<string>();
    const messages: RoomMessage[] = [];
    for (const message of handed) {
      const { origin, sequence } = message;
      if (room.ring.noteNewestFromPeer(origin, sequence)) messages.push(message);
      else this.#history.backupDropped();
      origins.add(origin);
    }
    room.ring.merge(messages, this.#resume);
    this.#table.kept(room);
    for (const origin of origins) this.#gaps.handedOver(room, origin);
    this.#originsAdded(room);
    // If nothing of it is kept, the room is not needed.
    this.#table.release(room);
  }

  /** Keeps messages of connected nodes apart that have not come from there. All of them are dropped when none was added within the window. */
  #hold(name: string, early: readonly RoomMessage[]): void {
    for (const message of early) {
      const { origin, sequence, content } = message;
      if ((this.#table.get(name)?.ring.last(origin) ?? 0) >= sequence) continue;
      this.#heldBytes += bytesOf(content.payload);
      if (this.#heldBytes > MAX_HANDED_BYTES) {
        this.#heldBytes -= bytesOf(content.payload);
        this.#history.backupDropped();
        continue;
      }
      const rooms = this.#held.get(origin) ?? new Map<string, RoomMessage[]>();
      const messages = rooms.get(name) ?? [];
      messages.push(message);
      this.#held.set(origin, rooms.set(name, messages));
    }
    this.#cancelDrop();
    this.#cancelDrop = this.#runtime.after(this.#resume.windowMs, () => {
      this.#held.clear();
      this.#heldBytes = 0;
    });
  }

  /** False: some messages are not sent, because they are too many, or no longer kept, or the peers do not read. */
  #handOver(present: ReadonlySet<string>): boolean {
    const now = this.#runtime.now();
    const from = now - this.#resume.windowMs;
    let areAll = true;
    const open = [...this.#peers.all()].filter((peer) => this.#peers.whenWritable(peer) === undefined);
    let left = MAX_HANDED_BYTES;
    for (const room of this.#table) {
      const dropped = room.dropped(from);
      // Perhaps no other node knows that there were these messages.
      if (dropped.some((each) => !present.has(each.origin) && !this.#isAtMembers(room, each))) areAll = false;
      const told: ToldMessage[] = [];
      for (const message of this.#keptHereOnly(room, present, from)) {
        left -= bytesOf(message.content.payload);
        told.push(toldOf(message, now));
        if (left < 0) break;
      }
      const keeper = keeperOf(room.name, open);
      const isTold = told.length === 0 || (left >= 0 && keeper !== undefined);
      if (!isTold || dropped.some(({ origin }) => origin === this.#table.origin)) this.#tellNewest(room);
      if (!isTold) areAll = false;
      else if (keeper !== undefined)
        for (const part of parts(told)) this.#peers.send(keeper, ['copies', room.name, part]);
    }
    return areAll;
  }

  /** A full outbox may have kept messages of this node from members of peers, and they are not handed over: those peers are told of the newest. */
  #tellNewest(room: Room<Connection>): void {
    const { origin, counter } = this.#table;
    for (const peer of room.interested.keys())
      if (peer.takesPart) this.#peers.send(peer, ['based', [[room.name, counter, room.newest(origin)]]]);
  }

  /**
   * The messages of a room that have arrived since `from` and are kept, without those that another node has: the one that broadcast them, the one that keeps copies of them, or one
   * that was interested in the room all the time. What an interested peer has of an ended node is known if it was connected to it, too.
   */
  *#keptHereOnly(
    room: Room<Connection>,
    present: ReadonlySet<string>,
    from: number,
  ): Generator<RoomMessage, void> {
    if (room.kept === 0) return;
    for (const message of room.ring.allKept()) {
      const { origin, arrivedAt, keptBy } = message;
      if (present.has(origin) || present.has(keptBy)) continue;
      if (arrivedAt >= from && !this.#isAtMembers(room, message)) yield message;
    }
  }

  /** Whether a peer with members has what arrived here at this time: it was interested since, and connected to the origin. */
  #isAtMembers({ interested }: Room<Connection>, { origin, arrivedAt }: Dropped): boolean {
    const isOwn = origin === this.#table.origin;
    for (const [peer, since] of interested)
      if (peer.takesPart && since + SETTLED_MS < arrivedAt && (isOwn || peer.lost.has(origin))) return true;
    return false;
  }
}

const bytesOf = (payload: Uint8Array): number => MESSAGE_OVERHEAD_BYTES + payload.length;

/** Splits messages, so that each part has at most `COPIES_BYTES`, or one message. */
function* parts(told: readonly ToldMessage[]): Generator<readonly ToldMessage[], void> {
  let part: ToldMessage[] = [];
  let bytes = 0;
  for (const each of told) {
    const more = bytesOf(each[4]);
    if (part.length > 0 && bytes + more > COPIES_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(each);
    bytes += more;
  }
  if (part.length > 0) yield part;
}
