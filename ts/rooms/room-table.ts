import type { Runtime } from '../actor/index.ts';
import { KEY_ROOM } from '../client/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Listing, RoomInfo } from '../introspect/index.ts';
import type { Connection } from './connection.ts';
import { MAX_RETURNING, type ResumeLimits } from './limits.ts';
import { Room } from './room.ts';

/** Gets the events of a `RoomTable`. */
export interface RoomTableListener {
  /** This node no longer wants a room. */
  unwanted(room: Room<Connection>): void;
  /** Nothing shows any more that messages were dropped because of a limit, of which this node may have had the only copy. */
  backupDropped(): void;
}

/** The rooms that this node knows, and the sequences of its broadcasts. A room that is not needed has no entry. */
export class RoomTable {
  /** The origin of this node's messages. */
  readonly origin: string;
  readonly #runtime: Runtime;
  readonly #resume: ResumeLimits;
  readonly #listener: RoomTableListener;
  readonly #rooms = new Map<string, Room<Connection>>();
  /** Rooms that a sweep checks: they have kept messages, or former members may reconnect. */
  readonly #expiring = new Set<Room<Connection>>();
  /** Rooms whose former members may reconnect, the longest wait first. Some have members again. */
  readonly #returning = new OldestFirst<Room<Connection>, true>();
  /** Rooms with kept messages, the one without a message for the longest time first. */
  readonly #keeping = new OldestFirst<Room<Connection>, true>();
  /** Estimated memory of the kept messages of all rooms. */
  #memoryBytes = 0;
  /** How many of the rooms are of users. */
  #ofUsers = 0;
  #counter = 0;
  /** Messages of this node in rooms that were removed have at most this sequence. */
  #forgotten = 0;
  #isSweeping = false;
  #cancelSweep = (): void => {};

  constructor(runtime: Runtime, origin: string, resume: ResumeLimits, listener: RoomTableListener) {
    this.#runtime = runtime;
    this.origin = origin;
    this.#resume = resume;
    this.#listener = listener;
  }

  /** The sequence of this node's last message. */
  get counter(): number {
    return this.#counter;
  }

  get size(): number {
    return this.#rooms.size;
  }

  [Symbol.iterator](): IterableIterator<Room<Connection>> {
    return this.#rooms.values();
  }

  /** The rooms for introspection, without those of users. @param countOf the members of a room on all nodes. */
  listing(countOf: (name: string) => number): Listing<RoomInfo> {
    const named = (): number => this.#rooms.size - this.#ofUsers;
    return {
      get size() {
        return named();
      },
      keys: () => this.#rooms.keys(),
      describe: (name) => {
        const room = this.get(name);
        if (room === undefined || name.startsWith(KEY_ROOM)) return undefined;
        return { room: name, members: countOf(name), localMembers: room.members.size, kept: room.kept };
      },
    };
  }

  get(name: string): Room<Connection> | undefined {
    return this.#rooms.get(name);
  }

  getOrCreate(name: string): Room<Connection> {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this.#forgotten);
      this.#rooms.set(name, room);
      if (name.startsWith(KEY_ROOM)) this.#ofUsers++;
    }
    return room;
  }

  /** The sequence of this node's newest message in a room, or a greater one if the room was removed. */
  newestOwn(name: string): number {
    const room = this.#rooms.get(name);
    return room === undefined ? this.#forgotten : this.#newestIn(room);
  }

  /** The identity of this node's next message in a room. */
  nextNumber(room: Room<Connection>): { origin: string; sequence: number; previous: number } {
    return { origin: this.origin, previous: this.#newestIn(room), sequence: ++this.#counter };
  }

  /** The identity of this node's next message in a room that is not in the table. */
  nextNumberWithoutRoom(): { origin: string; sequence: number; previous: number } {
    const previous = this.#counter;
    this.#forgotten = ++this.#counter;
    return { origin: this.origin, previous, sequence: this.#counter };
  }

  /** Keeps a room because a former member may reconnect within the window. Beyond `MAX_RETURNING` rooms, the longest wait is ended. */
  awaitReturn(room: Room<Connection>): void {
    if (this.#resume.windowMs === 0) return;
    room.keepUntil = this.#runtime.now() + this.#resume.windowMs;
    this.#expireLater(room);
    this.#returning.renew(room, true);
    if (this.#returning.size <= MAX_RETURNING) return;
    const [oldest] = this.#returning.takeOldest() as [Room<Connection>, true];
    oldest.keepUntil = 0;
    this.#unneeded(oldest);
  }

  /**
   * Messages were added to a room. If all rooms together keep too much, the rooms without a message for the longest time lose their kept
   * messages. O(1 + dropped messages).
   */
  kept(room: Room<Connection>): void {
    if (room.kept === 0) return;
    this.#expireLater(room);
    this.#keeping.renew(room, true);
    this.#account(room);
    while (this.#memoryBytes > this.#resume.totalBytes && this.#keeping.size > 0) {
      const [oldest] = this.#keeping.takeOldest() as [Room<Connection>, true];
      oldest.ring.empty();
      this.#account(oldest);
      this.release(oldest);
    }
  }

  #expireLater(room: Room<Connection>): void {
    const { windowMs } = this.#resume;
    this.#expiring.add(room);
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(windowMs / 4, () => this.#sweep());
  }

  /** Removes a room if it is no longer needed. Call it when a reason to keep the room has ended. */
  release(room: Room<Connection>): void {
    const now = this.#runtime.now();
    if (room.isNeeded(now) || room.isAnnounced) return;
    this.#forgotten = Math.max(this.#forgotten, this.#newestIn(room));
    this.#expiring.delete(room);
    this.#returning.delete(room);
    if (this.#rooms.get(room.name) !== room) return;
    this.#rooms.delete(room.name);
    if (room.name.startsWith(KEY_ROOM)) this.#ofUsers--;
    // As long as the room was here, its sequences showed that messages are missing.
    if (room.dropped(now - this.#resume.windowMs).length > 0) this.#listener.backupDropped();
  }

  close(): void {
    this.#cancelSweep();
    this.#rooms.clear();
    this.#ofUsers = 0;
    this.#expiring.clear();
    this.#returning.clear();
    this.#keeping.clear();
  }

  #account(room: Room<Connection>): void {
    const { memoryBytes } = room;
    this.#memoryBytes += memoryBytes - room.accountedBytes;
    room.accountedBytes = memoryBytes;
    if (memoryBytes === 0) this.#keeping.delete(room);
  }

  #newestIn(room: Room<Connection>): number {
    return Math.max(room.floor, room.newest(this.origin));
  }

  /** The time for former members of a room is over. */
  #unneeded(room: Room<Connection>): void {
    if (room.isAnnounced && !room.isWanted(this.#runtime.now())) this.#listener.unwanted(room);
    this.release(room);
  }

  #sweep(): void {
    this.#isSweeping = false;
    const now = this.#runtime.now();
    for (const room of [...this.#expiring]) {
      room.expire(now - this.#resume.windowMs);
      this.#account(room);
      if (room.keepUntil > now || room.kept > 0) continue;
      this.#expiring.delete(room);
      this.#returning.delete(room);
      this.#unneeded(room);
    }
    if (this.#expiring.size === 0 || this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(this.#resume.windowMs / 4, () => this.#sweep());
  }
}
