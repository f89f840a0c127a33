// Which rooms each node wants. A node tells its peers the rooms that it wants. When a peer is told a room for the first time, it answers
// with its counter: from then on it sends all its broadcasts in that room, in order.
import type { Runtime } from '../actor/index.ts';
import type { Work } from '../peer/index.ts';
import type { Bridging } from './bridging.ts';
import type { Connection } from './connection.ts';
import { COUNT_MS, MAX_INTEREST } from './limits.ts';
import { type BaseEntry, type InterestEntry, inParts, parts } from './messages.ts';
import { PeerWait } from './peer-wait.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** A room that peers were told, and that not all of them have answered yet. */
interface Opening {
  readonly wait: PeerWait;
  readonly promise: Promise<void>;
  readonly done: () => void;
}

/** The rooms that a lost peer wanted, and that still count it among the interested. */
interface Lost {
  readonly peer: RoomsPeer;
  readonly rooms: Map<string, number>;
}

export class Interest {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #joinMs: number;
  readonly #bridging: Bridging | undefined;
  readonly #openings = new Map<string, Opening>();
  readonly #lost = new Set<Lost>();
  /** Rooms whose current number of members peers do not know yet. */
  readonly #changed = new Set<Room<Connection>>();
  #isScheduled = false;
  #isUrgent = false;

  constructor(
    runtime: Runtime,
    table: RoomTable,
    peers: Peers,
    joinMs: number,
    bridging: Bridging | undefined,
  ) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#joinMs = joinMs;
    this.#bridging = bridging;
  }

  /**
   * Tells peers that this node wants a room. Resolves when every peer that takes part has answered or is lost, or has had `joinMs` to answer
   * something. From then on all broadcasts in the room come here.
   *
   * @param sinceMs how long ago the broadcasts began that the new member wants.
   */
  open(room: Room<Connection>, sinceMs = 0): Promise<void> {
    const pending = this.#openings.get(room.name);
    const since = this.#runtime.now() - sinceMs;
    room.wantedSince = room.isAnnounced ? Math.min(room.wantedSince, since) : since;
    if (room.isAnnounced) return pending?.promise ?? Promise.resolve();
    room.isAnnounced = true;
    room.announcedAt = this.#runtime.now();
    this.#bridging?.wants(room.name, true);
    this.#changed.add(room);
    this.#schedule(true);
    return this.#waitFor(room.name, this.#peers.all());
  }

  /** The number of members of a room changed, or this node no longer wants it: peers are told after `COUNT_MS`. */
  changed(room: Room<Connection>): void {
    if (!room.isAnnounced) return;
    this.#changed.add(room);
    this.#schedule(false);
  }

  /** Tells a peer every room that this node wants, some at a time. Changes are told meanwhile. */
  tellAll(peer: RoomsPeer): Work {
    return inParts(
      this.#table,
      (room): InterestEntry | undefined => (room.isAnnounced ? [room.name, room.members.size] : undefined),
      (part) => this.#peers.send(peer, ['interest', part]),
    );
  }

  /** Has a peer say once more where its broadcasts in a room begin. */
  tellAgain(peer: RoomsPeer, room: Room<Connection>): void {
    if (!room.isAnnounced) return;
    const entries: InterestEntry[] = [
      [room.name, -1],
      [room.name, room.members.size],
    ];
    this.#peers.send(peer, ['interest', entries]);
  }

  /** A peer tells rooms that it wants, or no longer wants. */
  received(peer: RoomsPeer, entries: readonly InterestEntry[]): void {
    const bases: BaseEntry[] = [];
    for (const [name, members] of entries) {
      if (members < 0) {
        this.#lose(peer, name);
        continue;
      }
      if (!peer.rooms.has(name)) {
        this.settle(name);
        if (peer.rooms.size >= MAX_INTEREST) {
          this.#peers.suspect(peer, 'more rooms than a node may want');
          continue;
        }
        this.#table.getOrCreate(name).interested.set(peer, this.#runtime.now());
        bases.push([name, this.#table.counter, this.#table.newestOwn(name)]);
      }
      peer.rooms.set(name, members);
    }
    if (bases.length > 0) this.#peers.send(peer, ['based', bases]);
  }

  /** A peer has answered that it knows of a room. */
  answered(peer: RoomsPeer, name: string): void {
    this.#openings.get(name)?.wait.answered(peer);
  }

  /** A peer is lost; its members may reconnect to this node. The result removes its interest, a room at a time. O(joins under way). */
  lost(peer: RoomsPeer): Work {
    const lost = { peer, rooms: peer.rooms };
    peer.rooms = new Map();
    this.#lost.add(lost);
    for (const name of [...this.#openings.keys()]) this.answered(peer, name);
    return this.#removing(lost);
  }

  /** Removes the interest of lost peers in a room. Call it before the interest of peers in that room counts. O(lost peers). */
  settle(name: string): void {
    for (const lost of this.#lost) this.#remove(lost, name);
  }

  /** A peer wants no room any more. O(rooms of the peer). */
  forget(peer: RoomsPeer): void {
    for (const name of [...peer.rooms.keys()]) this.#lose(peer, name);
  }

  close(): void {
    for (const opening of [...this.#openings.values()]) opening.done();
  }

  *#removing(lost: Lost): Generator<number, void> {
    for (const name of lost.rooms.keys()) {
      this.#remove(lost, name);
      yield 1;
    }
    this.#lost.delete(lost);
  }

  #remove({ peer, rooms }: Lost, name: string): void {
    if (!rooms.delete(name)) return;
    const room = this.#table.get(name);
    if (room === undefined) return;
    this.#table.awaitReturn(room);
    room.interested.delete(peer);
    this.#table.release(room);
  }

  #lose(peer: RoomsPeer, name: string): void {
    if (!peer.rooms.delete(name)) return;
    const room = this.#table.get(name);
    if (room?.interested.delete(peer) === true) this.#table.release(room);
  }

  #waitFor(name: string, peers: Iterable<RoomsPeer>): Promise<void> {
    let resolve = (): void => {};
    const promise = new Promise<void>((settle) => (resolve = settle));
    const done = (): void => {
      wait.end();
      for (const peer of wait.unanswered) peer.unanswered.add(name);
      this.#openings.delete(name);
      resolve();
    };
    const wait = new PeerWait(this.#runtime, peers, this.#joinMs, done);
    this.#openings.set(name, { wait, promise, done });
    wait.begin();
    return promise;
  }

  /** Tells peers at the end of this turn of the event loop if it is urgent, otherwise after `COUNT_MS`, because counts change often. */
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
      this.settle(room.name);
      if (room.isWanted(now)) entries.push([room.name, room.members.size]);
      else {
        entries.push([room.name, -1]);
        room.isAnnounced = false;
        this.#bridging?.wants(room.name, false);
        this.#openings.get(room.name)?.done();
        for (const peer of this.#peers.sessions()) peer.unanswered.delete(room.name);
        this.#table.release(room);
      }
    }
    this.#changed.clear();
    for (const part of parts(entries)) this.#peers.sendAll(['interest', part]);
  }
}
