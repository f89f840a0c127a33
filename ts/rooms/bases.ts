// Where the broadcasts of a peer in a room begin. A peer that is told that this node wants a room says how many it has sent so far, and sends
// all that follow.
//
//   interest ──▶ based ─────────────▶ follow it from there; fetch what it sent while it was not connected
//                  └─ others reported more than that ──▶ interest ──▶ based, told ──▶ still more: they were wrong
import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';
import type { Gaps } from './gaps.ts';
import type { History } from './history.ts';
import type { Interest } from './interest.ts';
import { HISTORY_MS, type ResumeLimits } from './limits.ts';
import type { BaseEntry } from './messages.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';
import { logKey, type RoomsPeer } from './rooms-peer.ts';

export interface BasesListener {
  /** The room may know more origins than before. */
  originsAdded(room: Room<Connection>): void;
  /** Members may have missed messages that cannot be fetched for them. @param corrected Their origin, if its sequences were reported too high. */
  gap(room: Room<Connection>, corrected?: string): void;
}

export class Bases {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #interest: Interest;
  readonly #history: History;
  readonly #gaps: Gaps;
  /** Whether nodes keep messages. */
  readonly #isKept: boolean;
  readonly #listener: BasesListener;

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly interest: Interest;
    readonly history: History;
    readonly gaps: Gaps;
    readonly resume: ResumeLimits;
    readonly listener: BasesListener;
  }) {
    this.#runtime = parts.runtime;
    this.#table = parts.table;
    this.#peers = parts.peers;
    this.#interest = parts.interest;
    this.#history = parts.history;
    this.#gaps = parts.gaps;
    this.#isKept = parts.resume.windowMs > 0;
    this.#listener = parts.listener;
  }

  /** A peer sends its broadcasts in a room from `counter` on. What it broadcast before that, while it was not connected, is fetched. */
  received(peer: RoomsPeer, [name, counter, newest]: BaseEntry): void {
    const wasLate = peer.unanswered.delete(name);
    const room = this.#table.get(name);
    if (room === undefined) return;
    const { ring } = room;
    const { origin, doubted } = peer;
    const reported = ring.latest(origin);
    const what = logKey(origin, name);
    if (doubted.has(what)) doubted.set(what, { counter, newest });
    else if (reported > counter) this.#doubt(peer, room, reported);
    ring.believe(origin, counter);
    const last = ring.last(origin);
    ring.noteNewest(origin, newest);
    const mayMiss = wasLate || room.wantedSince < peer.greetedAt;
    if (last === undefined && newest > 0 && this.#isKept && mayMiss) this.#lookBack(peer, room, newest);
    if (last === undefined || newest <= last) ring.startAt(origin, counter);
    else this.#gaps.fill(peer, room, origin);
    this.#listener.originsAdded(room);
  }

  /**
   * A peer has broadcast in a room that has members here, before it knew of them: this node meets it for the first time, perhaps because it was
   * started while the network was split; or it did not answer in time when they joined. They have missed its newest message, if that was sent
   * while they were members.
   */
  #lookBack(peer: RoomsPeer, room: Room<Connection>, newest: number, origin = peer.origin): void {
    const after = (): [string, number][] => [[origin, newest - 1]];
    this.#history.askUntilAnswered(peer, room.name, after, (told) => {
      if (this.#table.get(room.name) !== room) return;
      // Without an answer they may have missed it: the peer is lost, and is not asked this again when it is back.
      const message = told?.messages.find((each) => each.origin === origin && each.sequence === newest);
      // Unless it is kept, it may be of any age.
      if (message === undefined || message.arrivedAt >= room.wantedSince) this.#listener.gap(room);
    });
  }

  /**
   * Other nodes have reported a message of a peer that it had not sent when it said where it begins. It may have sent it since: that can come
   * here by way of another node first. So it is asked once more; what it says now is later than every true report.
   */
  #doubt(peer: RoomsPeer, room: Room<Connection>, reported: number, origin = peer.origin): void {
    const { doubted } = peer;
    const what = logKey(origin, room.name);
    if (!this.#isHere(peer, origin, room)) return void doubted.delete(what);
    const said = { counter: reported, newest: 0 };
    doubted.set(what, said);
    this.#interest.tellAgain(peer, room);
    const nothing = (): [] => [];
    this.#history.askUntilAnswered(peer, room.name, nothing, (told) => {
      // It has been silent for the whole window, so a question ends at once: the next one has to wait.
      if (told === undefined)
        return void this.#runtime.after(HISTORY_MS, () => this.#doubt(peer, room, reported, origin));
      const { counter, newest } = doubted.get(what) ?? said;
      doubted.delete(what);
      if (!this.#isHere(peer, origin, room)) return;
      if (reported <= counter || !room.ring.correct(origin, counter, newest)) return;
      room.ring.startAt(origin, counter);
      this.#listener.gap(room, origin);
    });
  }

  #isHere(peer: RoomsPeer, origin: string, room: Room<Connection>): boolean {
    const isPeer = this.#peers.named(peer.channelPeer.node) === peer && peer.origin === origin;
    return isPeer && this.#table.get(room.name) === room;
  }
}
