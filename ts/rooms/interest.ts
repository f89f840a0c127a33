// Which rooms each node wants messages of. A node tells its own; a peer that is told of a room for the first time answers with
// its counter: everything that it broadcasts from then on comes here, in order.
import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';
import { COUNT_MS, MAX_INTEREST } from './limits.ts';
import { type BaseEntry, type InterestEntry, parts } from './messages.ts';
import type { PeerSide } from './peer-side.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';

/** A room that peers have been told of and have not all answered. */
interface Opening {
  readonly waiting: Set<PeerSide>;
  readonly promise: Promise<void>;
  readonly done: () => void;
}

export class Interest {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #joinMs: number;
  /** Called when this node begins to want the messages of a room, and when it does not any more. */
  onWanted: (room: string, isWanted: boolean) => void = () => {};
  readonly #openings = new Map<string, Opening>();
  /** Rooms whose number of members peers do not know. */
  readonly #changed = new Set<Room<Connection>>();
  #isScheduled = false;
  #isUrgent = false;

  constructor(runtime: Runtime, table: RoomTable, peers: Peers, joinMs: number) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#joinMs = joinMs;
    table.onUnwanted = (room) => this.#withdraw(room);
  }

  /**
   * This node wants the messages of a room. Resolves when every peer that takes part has answered, is gone, or has said nothing for
   * `joinMs`: what is broadcast after that anywhere comes here.
   */
  open(room: Room<Connection>): Promise<void> {
    const under = this.#openings.get(room.name);
    if (room.isAnnounced) return under?.promise ?? Promise.resolve();
    room.isAnnounced = true;
    this.onWanted(room.name, true);
    this.#changed.add(room);
    this.#schedule(true);
    return this.#waitFor(room.name, this.#peers.all());
  }

  /** The number of members changed. */
  counted(room: Room<Connection>): void {
    if (!room.isAnnounced) return;
    const isUnwanted = !room.isWanted(this.#runtime.now());
    if (isUnwanted) return this.#withdraw(room);
    this.#changed.add(room);
    this.#schedule(false);
  }

  /** Tells a peer everything. */
  tellAll(side: PeerSide): void {
    const entries: InterestEntry[] = [];
    for (const room of this.#table) if (room.isAnnounced) entries.push([room.name, room.members.size]);
    for (const part of parts(entries)) this.#peers.send(side, ['interest', part]);
  }

  /** What a peer wants. */
  heard(side: PeerSide, entries: readonly InterestEntry[]): void {
    const bases: BaseEntry[] = [];
    for (const [name, members] of entries) {
      if (members < 0) {
        this.#lose(side, name);
        continue;
      }
      if (!side.rooms.has(name)) {
        if (side.rooms.size >= MAX_INTEREST) {
          this.#peers.suspect(side, 'more rooms than a node may want');
          continue;
        }
        this.#table.obtain(name).interested.add(side);
        bases.push([name, this.#table.counter, this.#table.newestOwn(name)]);
      }
      side.rooms.set(name, members);
    }
    if (bases.length > 0) this.#peers.send(side, ['based', bases]);
  }

  /** A peer has answered for a room. */
  answered(side: PeerSide, name: string): void {
    const opening = this.#openings.get(name);
    if (opening?.waiting.delete(side) === true && opening.waiting.size === 0) opening.done();
  }

  /** A peer is gone; its members may come back here. O(its rooms). */
  lost(side: PeerSide): void {
    for (const name of [...side.rooms.keys()]) {
      const room = this.#table.get(name);
      if (room !== undefined) this.#table.awaitReturn(room);
      this.#lose(side, name);
    }
    for (const name of [...this.#openings.keys()]) this.answered(side, name);
  }

  /** A peer wants nothing any more. */
  forget(side: PeerSide): void {
    for (const name of [...side.rooms.keys()]) this.#lose(side, name);
  }

  close(): void {
    for (const opening of [...this.#openings.values()]) opening.done();
  }

  #lose(side: PeerSide, name: string): void {
    side.rooms.delete(name);
    const room = this.#table.get(name);
    if (room?.interested.delete(side) === true) this.#table.release(room);
  }

  #withdraw(room: Room<Connection>): void {
    this.#changed.add(room);
    this.#schedule(false);
  }

  #waitFor(name: string, peers: Iterable<PeerSide>): Promise<void> {
    const waiting = new Set(peers);
    if (waiting.size === 0) return Promise.resolve();
    let done = (): void => {};
    const promise = new Promise<void>((resolve) => {
      const cancel = this.#runtime.after(this.#joinMs, () => done());
      done = () => {
        cancel();
        this.#openings.delete(name);
        resolve();
      };
    });
    this.#openings.set(name, { waiting, promise, done });
    return promise;
  }

  /** At the end of this turn for a room that peers do not know, else a little later: counts change all the time. */
  #schedule(isUrgent: boolean): void {
    if (isUrgent && !this.#isUrgent) {
      this.#isUrgent = true;
      setImmediate(() => this.#tell());
    } else if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#runtime.after(COUNT_MS, () => this.#tell());
    }
  }

  #tell(): void {
    this.#isScheduled = this.#isUrgent = false;
    const now = this.#runtime.now();
    const entries: InterestEntry[] = [];
    for (const room of this.#changed) {
      if (room.isWanted(now)) entries.push([room.name, room.members.size]);
      else {
        entries.push([room.name, -1]);
        room.isAnnounced = false;
        this.onWanted(room.name, false);
        this.#openings.get(room.name)?.done();
        this.#table.release(room);
      }
    }
    this.#changed.clear();
    for (const part of parts(entries)) this.#peers.sendAll(['interest', part]);
  }
}
