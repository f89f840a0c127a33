// When a node ends, some of the other nodes have its last messages and some do not. This makes all of them have the same messages.
//
//   lost ──▶ both ways            both nodes have lost the origin: neither gets a further message from it
//   newest ──▶ ask ──▶ told       the node that has fewer messages asks the other one for them
import type { Runtime } from '../actor/index.ts';
import { Snapshots } from '../peer/index.ts';
import type { Connection } from './connection.ts';
import type { Gaps } from './gaps.ts';
import type { History } from './history.ts';
import { MAX_ENDED } from './limits.ts';
import { inParts, type NewestEntry, type PeerMessage } from './messages.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

export class EndedOrigins {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #history: History;
  readonly #gaps: Gaps;
  /** Writes `newest` messages, to each peer while there is room in its outbox. */
  readonly #telling: Snapshots<RoomsPeer, PeerMessage>;
  /** The peers that are being told, each with the origins that come next. */
  readonly #untold = new Map<RoomsPeer, Set<string>>();

  constructor(runtime: Runtime, table: RoomTable, peers: Peers, history: History, gaps: Gaps) {
    this.#telling = new Snapshots(runtime, peers);
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#history = history;
    this.#gaps = gaps;
  }

  /**
   * This node has lost an origin. O(peers), and then some rooms in each turn of the event loop. Without a resume window no messages are kept:
   * there is nothing to tell and nothing to ask for.
   */
  lost(origin: string): void {
    if (!this.#history.hasEnded(origin)) return;
    for (const peer of this.#peers.all()) {
      // A peer answers with the rooms that it knows to be wanted here: it is told when it knows all of them.
      if (peer.isTold) this.#peers.send(peer, ['lost', origin]);
      // The peer may have connected to it again since: then it ignores this, and says once more that it has lost the origin.
      if (peer.lost.has(origin)) this.#tell(peer, origin);
    }
  }

  /** A peer was told which rooms this node wants: it is told which origins are lost. */
  *tellAll(peer: RoomsPeer): Generator<number, void> {
    peer.isTold = true;
    for (const [origin] of this.#history.recentlyEnded()) {
      if (!this.#history.hasEnded(origin)) continue; // it has connected again meanwhile
      this.#peers.send(peer, ['lost', origin]);
      yield 1;
    }
  }

  /**
   * A peer has lost an origin. It says so again after it was connected to it again: what it was told meanwhile, it has ignored. Some rooms in
   * each turn of the event loop.
   */
  lostBy(peer: RoomsPeer, origin: string): void {
    peer.lost.renew(origin, this.#runtime.now());
    if (peer.lost.size > MAX_ENDED) peer.lost.takeOldest();
    if (this.#history.mayTell(peer, origin)) this.#tell(peer, origin);
  }

  /** A peer says which newest message of an origin it has in each room. */
  received(peer: RoomsPeer, origin: string, entries: readonly NewestEntry[]): void {
    if (!this.#history.hasEnded(origin)) return;
    for (const [name, newest] of entries) {
      const room = this.#table.get(name);
      const last = room?.ring.last(origin);
      if (room !== undefined && last !== undefined && last < newest) this.#gaps.fill(peer, room, origin);
    }
  }

  /** This node got further messages of an ended origin: tells peers that have lost it, too. */
  late(room: Room<Connection>, origin: string): void {
    const newest = room.ring.newestKept(origin);
    if (newest === undefined) return;
    for (const peer of room.interested.keys()) {
      if (!peer.lost.has(origin)) continue;
      const isSent = this.#peers.offer(peer, ['newest', origin, [[room.name, newest]]]);
      if (!isSent) this.#tell(peer, origin); // when there is room in its outbox
    }
  }

  /** A peer takes part no longer. */
  forget(peer: RoomsPeer): void {
    this.#telling.end(peer);
    this.#untold.delete(peer);
  }

  close(): void {
    this.#telling.close();
    this.#untold.clear();
  }

  #tell(peer: RoomsPeer, origin: string): void {
    const untold = this.#untold.get(peer);
    if (untold !== undefined) return void untold.add(origin);
    const origins = new Set([origin]);
    this.#untold.set(peer, origins);
    this.#telling.begin(peer, this.#newestOfAll(peer, origins));
  }

  *#newestOfAll(peer: RoomsPeer, origins: Set<string>): Generator<number, void> {
    for (const origin of origins) {
      origins.delete(origin); // if it is added again, it is told again from its first room on
      yield* this.#newest(peer, origin);
    }
    this.#untold.delete(peer);
  }

  *#newest(peer: RoomsPeer, origin: string): Generator<number, void> {
    const newestIn = (name: string): NewestEntry | undefined => {
      const newest = this.#table.get(name)?.newestKept(origin);
      return newest === undefined ? undefined : [name, newest];
    };
    const tell = (part: readonly NewestEntry[]): void => this.#peers.send(peer, ['newest', origin, part]);
    for (const count of inParts(peer.rooms.keys(), newestIn, tell)) {
      yield count;
      if (!this.#history.hasEnded(origin)) return; // it has connected again
    }
  }
}
