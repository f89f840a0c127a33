// Messages of a node that has ended, which some of the others had received and some had not: those that have them tell the others.
//
//   lost ──▶ both ways            each side has lost the origin: nothing more of it comes to either
//   newest ──▶ ask ──▶ told       the side that has less asks for what is missing
import type { Connection } from './connection.ts';
import type { History } from './history.ts';
import { MAX_ENDED } from './limits.ts';
import { type NewestEntry, parts } from './messages.ts';
import type { PeerSide } from './peer-side.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';

export class EndedOrigins {
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #history: History;

  constructor(table: RoomTable, peers: Peers, history: History) {
    this.#table = table;
    this.#peers = peers;
    this.#history = history;
  }

  /** This node gets nothing more from an origin. O(peers, and the rooms of those that have lost it already). */
  lost(origin: string): void {
    for (const side of this.#peers.all()) {
      this.#peers.send(side, ['lost', origin]);
      if (side.lost.has(origin)) this.#tell(side, origin);
    }
  }

  /** A peer takes part from now on, and has been told which rooms this node wants. */
  greeted(side: PeerSide): void {
    for (const origin of this.#history.endedOrigins()) this.#peers.send(side, ['lost', origin]);
  }

  /** A peer gets nothing more from an origin. O(rooms of the peer). */
  lostBy(side: PeerSide, origin: string): void {
    if (side.lost.size < MAX_ENDED) side.lost.add(origin);
    if (this.#history.hasEnded(origin)) this.#tell(side, origin);
  }

  /** A peer tells the newest messages that it has of an origin. */
  heard(side: PeerSide, origin: string, entries: readonly NewestEntry[]): void {
    if (!this.#history.hasEnded(origin)) return;
    for (const [name, newest] of entries) {
      const room = this.#table.get(name);
      const last = room?.ring.last(origin);
      if (room !== undefined && last !== undefined && last < newest) this.#history.fill(side, room, origin);
    }
  }

  /** This node has more of an origin that has ended than it told. */
  late(room: Room<Connection>, origin: string): void {
    const newest = room.ring.newestKept(origin);
    if (newest === undefined) return;
    for (const side of room.interested)
      if (side.lost.has(origin)) this.#peers.offer(side, ['newest', origin, [[room.name, newest]]]);
  }

  #tell(side: PeerSide, origin: string): void {
    const entries: NewestEntry[] = [];
    for (const name of side.rooms.keys()) {
      const newest = this.#table.get(name)?.ring.newestKept(origin);
      if (newest !== undefined) entries.push([name, newest]);
    }
    for (const part of parts(entries)) this.#peers.offer(side, ['newest', origin, part]);
  }
}
