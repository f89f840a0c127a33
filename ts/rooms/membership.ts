import { KEY_ROOM } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionRooms } from './connection-host.ts';
import type { Interest } from './interest.ts';
import type { OutputBatch } from './output-batch.ts';
import type { PresenceService } from './presence.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';

/** Adds connections of this node to rooms, and removes them. */
export class Membership implements ConnectionRooms<Connection> {
  readonly #table: RoomTable;
  readonly #interest: Interest;
  readonly #presence: PresenceService;
  readonly #output: OutputBatch;
  readonly #mostRooms: number;

  constructor(
    table: RoomTable,
    interest: Interest,
    presence: PresenceService,
    output: OutputBatch,
    mostRooms: number,
  ) {
    this.#table = table;
    this.#interest = interest;
    this.#presence = presence;
    this.#output = output;
    this.#mostRooms = mostRooms;
  }

  /**
   * Makes a connection a member. It gets broadcasts of this node at once, and those of all nodes from when the promise resolves.
   *
   * @throws SNOW_ERR_TOO_MANY_MEMBERS when it is in as many rooms as it may be.
   */
  join(connection: Connection, name: string): Promise<void> {
    const room = this.prepare(connection, name);
    const opened = this.#interest.open(room);
    const isNew = !room.members.has(connection);
    this.add(connection, room);
    // At once, not when peers have answered: it gets changes of the presence from now on.
    if (isNew) this.#presence.show(connection, name);
    return opened;
  }

  /** Whether a connection may join a room. The room of its user does not count. */
  hasPlaceFor(connection: Connection, name: string): boolean {
    const { joined, key } = connection;
    const own = joined.has(`${KEY_ROOM}${key}`) ? 1 : 0;
    return joined.has(name) || joined.size - own < this.#mostRooms || name.startsWith(KEY_ROOM);
  }

  /** Gets or creates a room that a connection will join. @throws SNOW_ERR_TOO_MANY_MEMBERS */
  prepare(connection: Connection, name: string): Room<Connection> {
    if (!this.hasPlaceFor(connection, name)) {
      const why = `connection ${connection.id} is in ${this.#mostRooms} rooms, the limit for one connection.`;
      throw new SnowmeshError('SNOW_ERR_TOO_MANY_MEMBERS', why);
    }
    const room = this.#table.getOrCreate(name);
    const { origin, counter } = this.#table;
    if (!room.ring.knows(origin)) {
      room.ring.startAt(origin, counter);
      room.ring.noteNewest(origin, this.#table.newestOwn(name));
    }
    return room;
  }

  /** Adds a connection, and tells peers the new number of members. */
  add(connection: Connection, room: Room<Connection>): void {
    if (room.members.has(connection)) return;
    this.#output.distribute();
    room.addMember(connection);
    connection.joined.add(room);
    this.#interest.changed(room);
  }

  /** Removes a connection: no further message of the room is queued for it. Returns whether it was a member. */
  leave(connection: Connection, name: string): boolean {
    const room = connection.joined.get(name);
    if (room === undefined) return false;
    this.#output.distribute();
    this.#remove(connection, room);
    return true;
  }

  /** Removes a connection from all rooms. @param mayReturn Its session may be resumed. O(rooms of the connection). */
  leaveAll(connection: Connection, mayReturn: boolean): void {
    this.#output.distribute();
    for (const room of connection.joined) {
      if (mayReturn) this.#table.awaitReturn(room);
      this.#remove(connection, room);
    }
  }

  #remove(connection: Connection, room: Room<Connection>): void {
    connection.joined.delete(room);
    if (!room.removeMember(connection)) return;
    this.#interest.changed(room);
    this.#table.release(room);
  }
}
