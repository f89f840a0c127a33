// Where the broadcasts of a peer in a room begin. A peer that is told that this node wants a room says how many it has sent so far, and sends
// all that follow.
//
//   interest ──▶ based ─────────────▶ follow it from there; fetch what it sent while it was not connected
//                  └─ others reported more than that ──▶ interest ──▶ based, told ──▶ still more: they were wrong
import type { Connection } from './connection.ts';
import type { History } from './history.ts';
import type { Interest } from './interest.ts';
import { HISTORY_MS } from './limits.ts';
import type { BaseEntry } from './messages.ts';
import type { PeerQueries } from './peer-queries.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

export interface BasesListener {
  /** The room may know more origins than before. */
  originsAdded(room: Room<Connection>): void;
  /** Members may have skipped messages of this origin, because its sequences were reported too high. */
  corrected(room: Room<Connection>, origin: string): void;
}

export class Bases {
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #queries: PeerQueries;
  readonly #interest: Interest;
  readonly #history: History;
  readonly #listener: BasesListener;

  constructor(
    table: RoomTable,
    peers: Peers,
    queries: PeerQueries,
    interest: Interest,
    history: History,
    listener: BasesListener,
  ) {
    this.#table = table;
    this.#peers = peers;
    this.#queries = queries;
    this.#interest = interest;
    this.#history = history;
    this.#listener = listener;
  }

  /** A peer sends its broadcasts in a room from `counter` on. What it broadcast before that, while it was not connected, is fetched. */
  received(peer: RoomsPeer, [name, counter, newest]: BaseEntry): void {
    const room = this.#table.get(name);
    if (room === undefined) return;
    const { ring } = room;
    const { origin, doubted } = peer;
    const reported = ring.latest(origin);
    if (doubted.has(name)) doubted.set(name, { counter, newest });
    else if (reported > counter) this.#doubt(peer, room, reported);
    const last = ring.last(origin);
    ring.noteNewest(origin, newest);
    if (last === undefined || newest <= last) ring.startAt(origin, counter);
    else this.#history.fill(peer, room, origin);
    this.#listener.originsAdded(room);
  }

  /**
   * Other nodes have reported a message of a peer that it had not sent when it said where it begins. It may have sent it since: that can come
   * here by way of another node first. So it is asked once more; what it says now is later than every true report.
   */
  #doubt(peer: RoomsPeer, room: Room<Connection>, reported: number): void {
    const { origin, doubted } = peer;
    const said = { counter: reported, newest: 0 };
    doubted.set(room.name, said);
    this.#interest.tellAgain(peer, room);
    const asked = this.#queries.ask([peer], HISTORY_MS, (_peer, ref) =>
      this.#peers.send(peer, ['ask', ref, room.name, []]),
    );
    void asked.then((answers) => {
      const { counter, newest } = doubted.get(room.name) ?? said;
      doubted.delete(room.name);
      const isHere = this.#peers.named(peer.channelPeer.node) === peer && peer.origin === origin;
      if (!isHere || this.#table.get(room.name) !== room) return;
      if (answers.length === 0) return this.#doubt(peer, room, reported); // its outbox was full
      if (reported <= counter || !room.ring.correct(origin, counter, newest)) return;
      room.ring.startAt(origin, counter);
      this.#listener.corrected(room, origin);
    });
  }
}
