// Sends room messages to other clusters, and receives theirs. Each node publishes its own broadcasts and subscribes to the rooms that it wants. It drops
// published messages of its own cluster, which it gets directly, and never publishes received ones, so there are no loops.
//
// A message keeps its origin and sequence, so a member gets it once on any node, and a client can resume it like any other. Each message names
// the one that was published before it in its room: so a loss is noticed, and members are told `resync`.
import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { BridgeOptions, RoomBridgeListener } from './bridge.ts';
import { readEnvelope, writeEnvelope } from './bridge-envelope.ts';
import type { Connection } from './connection.ts';
import { MAX_BRIDGED_BYTES, MAX_BRIDGED_ROOMS } from './limits.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';

/** The figures of one node's bridge. */
export interface BridgeStats {
  /** Whether the bridge works. */
  readonly isUp: boolean;
  /** Messages that were passed to the bridge. */
  readonly published: number;
  /** Messages of other clusters that were delivered. */
  readonly received: number;
  /** Messages of this node that other clusters do not get: the bridge was down, its queue was full, or they were longer than 1 MiB. */
  readonly failed: number;
  /** Data from the bridge that is not a valid message of another cluster; messages of this cluster do not count. */
  readonly refused: number;
}

export interface BridgingListener {
  /** A message arrived that is the next one of its origin. */
  next(room: Room<Connection>, message: RoomMessage): void;
  /** Members of the room may have missed messages. */
  gap(room: Room<Connection>): void;
  /** The bridge works, or has stopped working. */
  changed(isUp: boolean, why: string): void;
}

export class Bridging implements RoomBridgeListener {
  readonly #runtime: Runtime;
  readonly #options: BridgeOptions;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #listener: BridgingListener;
  /** Sequence of the last message of this node for other clusters, by room; the room without a message for the longest time is first. */
  readonly #last = new OldestFirst<string, number>();
  /** Messages in rooms that were removed from `#last` have at most this sequence. */
  #forgotten = 0;
  /** Rooms whose last message of this node was not published. */
  readonly #broken = new Set<string>();
  #isUp = false;
  #wasUp = false;
  #isClosed = false;
  #published = 0;
  #received = 0;
  #failed = 0;
  #refused = 0;

  constructor(
    runtime: Runtime,
    options: BridgeOptions,
    table: RoomTable,
    peers: Peers,
    listener: BridgingListener,
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#table = table;
    this.#peers = peers;
    this.#listener = listener;
  }

  get stats(): BridgeStats {
    return {
      isUp: this.#isUp,
      published: this.#published,
      received: this.#received,
      failed: this.#failed,
      refused: this.#refused,
    };
  }

  open(): void {
    this.#runtime.guard(() => this.#options.via.open(this));
  }

  /** Whether messages of a room are sent to other clusters. Not if the callback throws, or returns a promise. */
  isFor(room: string): boolean {
    const options = this.#options;
    return options.rooms === undefined || this.#isTrue(() => options.rooms?.(room));
  }

  /** This node wants the messages of a room, or no longer wants them. */
  wants(room: string, isWanted: boolean): void {
    if (!this.isFor(room)) return;
    const { via } = this.#options;
    this.#runtime.guard(() => (isWanted ? via.subscribe(room) : via.unsubscribe(room)));
  }

  /** Publishes a broadcast of this node. O(bytes). */
  publish(room: string, message: RoomMessage): void {
    if (!this.isFor(room)) return;
    const previous = this.#last.get(room) ?? this.#forgotten;
    this.#last.renew(room, message.sequence);
    if (this.#last.size > MAX_BRIDGED_ROOMS) {
      const [, sequence] = this.#last.takeOldest() as [string, number];
      this.#forgotten = Math.max(this.#forgotten, sequence);
    }
    if (this.#send(room, message, previous)) {
      this.#published++;
      this.#broken.delete(room);
    } else {
      this.#failed++;
      if (this.#broken.size < MAX_BRIDGED_ROOMS) this.#broken.add(room);
    }
  }

  up(): void {
    if (this.#isClosed || this.#isUp) return;
    this.#isUp = true;
    this.#runtime.logger.info(
      { event: 'rooms_bridge_up' },
      'the bridge of the rooms to other clusters is up',
    );
    this.#listener.changed(true, '');
    for (const room of [...this.#broken]) this.#tellEnd(room);
    // While it was down other clusters may have published, and no node keeps those messages.
    if (this.#wasUp)
      for (const room of this.#table)
        if (room.members.size > 0 && this.isFor(room.name)) this.#listener.gap(room);
    this.#wasUp = true;
  }

  down(why: string): void {
    if (this.#isClosed || !this.#isUp) return;
    this.#isUp = false;
    this.#runtime.logger.warn(
      { event: 'rooms_bridge_down', why },
      `the bridge of the rooms to other clusters is down: ${why}`,
    );
    this.#listener.changed(false, why);
  }

  message(name: string, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const envelope = bytes.length > 2 * MAX_BRIDGED_BYTES ? undefined : readEnvelope(bytes);
    if (envelope === undefined) return void this.#refused++;
    const { cluster, origin, sequence, previous, content, except } = envelope;
    if (cluster === this.#options.cluster) return;
    const { origin: own } = this.#table;
    // Messages of a node of this cluster come directly from it, never in its name from another cluster.
    if (origin === own || this.#peers.wasHere(origin)) return void this.#refused++;
    const room = this.#table.get(name);
    if (room === undefined || !this.isFor(name)) return;
    const last = room.ring.last(origin);
    if (last !== undefined && sequence <= last) return;
    const isGap = last !== undefined && previous > last;
    if (isGap) room.ring.startAt(origin, previous);
    if (content !== undefined) {
      this.#received++;
      const id = { origin, sequence, previous };
      this.#listener.next(room, new RoomMessage(id, content, except, this.#runtime.now()));
    } else {
      room.ring.noteNewest(origin, sequence);
      room.ring.startAt(origin, sequence);
    }
    if (isGap) this.#listener.gap(room);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#runtime.guard(() => this.#options.via.close());
  }

  /** Publishes the sequence of this node's last message in a room, because that message was not published: so others notice that it is missing. */
  #tellEnd(room: string): void {
    const last = this.#last.get(room);
    this.#broken.delete(room);
    if (last === undefined) return;
    const { cluster } = this.#options;
    const bytes = writeEnvelope({
      cluster,
      origin: this.#table.origin,
      sequence: last,
      previous: last,
      content: undefined,
      except: [],
    });
    if (!this.#isTrue(() => this.#options.via.publish(room, bytes))) this.#broken.add(room);
  }

  #send(room: string, { origin, sequence, content, except }: RoomMessage, previous: number): boolean {
    if (!this.#isUp || content.payload.length > MAX_BRIDGED_BYTES) return false;
    const { cluster, via } = this.#options;
    const bytes = writeEnvelope({ cluster, origin, sequence, previous, content, except });
    return this.#isTrue(() => via.publish(room, bytes));
  }

  /** Whether code of a user returns true. What it throws, or rejects with, is logged. */
  #isTrue(ask: () => unknown): boolean {
    let isTrue = false;
    this.#runtime.guard(() => {
      const answer = ask();
      isTrue = answer === true;
      return answer;
    });
    return isTrue;
  }
}
