import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { MAX_RETURNING, type ResumeLimits } from './limits.ts';
import { Room } from './room.ts';

/** The rooms this node knows, and the numbers of the messages it broadcasts. A room without members and subscribers has no entry. */
export class RoomTable {
  /** What this node's messages are numbered under. */
  readonly origin: string;
  readonly #runtime: Runtime;
  readonly #resume: ResumeLimits;
  readonly #rooms = new Map<string, Room<Connection>>();
  /** Rooms to look at when time passes: they keep messages, or wait for members to come back. */
  readonly #expiring = new Set<Room<Connection>>();
  /** Rooms that wait for members to come back, those that wait longest first. Some have members again. */
  readonly #returning = new OldestFirst<Room<Connection>, true>();
  /** Rooms with kept messages, those that were silent longest first. */
  readonly #keeping = new OldestFirst<Room<Connection>, true>();
  /** What is kept in all rooms. Unit: bytes, about. */
  #weight = 0;
  #counter = 0;
  /** No message of this node with a greater number was forgotten together with its room. */
  #forgotten = 0;
  #isSweeping = false;
  #cancelSweep = (): void => {};

  constructor(runtime: Runtime, origin: string, resume: ResumeLimits) {
    this.#runtime = runtime;
    this.origin = origin;
    this.#resume = resume;
  }

  /** The number of this node's last message. */
  get counter(): number {
    return this.#counter;
  }

  get size(): number {
    return this.#rooms.size;
  }

  [Symbol.iterator](): IterableIterator<Room<Connection>> {
    return this.#rooms.values();
  }

  names(): IterableIterator<string> {
    return this.#rooms.keys();
  }

  get(name: string): Room<Connection> | undefined {
    return this.#rooms.get(name);
  }

  obtain(name: string): Room<Connection> {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this.#forgotten);
      this.#rooms.set(name, room);
    }
    return room;
  }

  /** The newest message of this node in a room, or one that is certainly not older. */
  newestOwn(name: string): number {
    const room = this.#rooms.get(name);
    return room === undefined ? this.#forgotten : this.#newestIn(room);
  }

  /** The number of this node's next message in a room. */
  nextNumber(room: Room<Connection>): { origin: string; sequence: number; previous: number } {
    return { origin: this.origin, previous: this.#newestIn(room), sequence: ++this.#counter };
  }

  /** The number of a message in a room that is not known here. */
  numberOutside(): { origin: string; sequence: number; previous: number } {
    const previous = this.#counter;
    this.#forgotten = ++this.#counter;
    return { origin: this.origin, previous, sequence: this.#counter };
  }

  /** A member of the room may come back within the window. Clients choose how many rooms wait so: beyond a limit the oldest is given up. */
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
   * Something was added to what is kept of a room. When that is too much over all rooms, those that were silent longest lose it. O(1), and what
   * is dropped.
   */
  kept(room: Room<Connection>): void {
    if (room.kept === 0) return;
    this.#expireLater(room);
    this.#keeping.renew(room, true);
    this.#weigh(room);
    while (this.#weight > this.#resume.totalBytes && this.#keeping.size > 0) {
      const [oldest] = this.#keeping.takeOldest() as [Room<Connection>, true];
      oldest.ring.empty();
      this.#weigh(oldest);
      // As long as the room stays, its numbers show that something is missing.
      if (oldest.isWanted(this.#runtime.now()) || oldest.interested.size > 0) continue;
      this.onGivenUp();
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

  /** Called when a room lost something it was needed for. */
  release(room: Room<Connection>): void {
    if (room.isNeeded(this.#runtime.now()) || room.isAnnounced) return;
    this.#forgotten = Math.max(this.#forgotten, this.#newestIn(room));
    this.#expiring.delete(room);
    this.#returning.delete(room);
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
  }

  /** Called when messages were dropped that this node may have kept alone, for others. */
  onGivenUp: () => void = () => {};

  /** Told of each room that this node does not want any more. */
  onUnwanted: (room: Room<Connection>) => void = () => {};

  close(): void {
    this.#cancelSweep();
    this.#rooms.clear();
    this.#expiring.clear();
    this.#returning.clear();
    this.#keeping.clear();
  }

  #weigh(room: Room<Connection>): void {
    const { weight } = room;
    this.#weight += weight - room.weighed;
    room.weighed = weight;
    if (weight === 0) this.#keeping.delete(room);
  }

  #newestIn(room: Room<Connection>): number {
    return Math.max(room.floor, room.ring.newest(this.origin));
  }

  /** A room for which nothing is waited any more. */
  #unneeded(room: Room<Connection>): void {
    if (room.isAnnounced && !room.isWanted(this.#runtime.now())) this.onUnwanted(room);
    this.release(room);
  }

  #sweep(): void {
    this.#isSweeping = false;
    const now = this.#runtime.now();
    for (const room of [...this.#expiring]) {
      room.expire(now - this.#resume.windowMs);
      this.#weigh(room);
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
