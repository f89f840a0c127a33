import { KEY_ROOM } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionRooms } from './connection-host.ts';
import type { Interest } from './interest.ts';
import type { Room } from './room.ts';
import type { RoomTable } from './room-table.ts';
import type { Turn } from './turn.ts';

/** Which connections of this node are in which rooms. */
export class Membership implements ConnectionRooms<Connection> {
  readonly #table: RoomTable;
  readonly #interest: Interest;
  readonly #turn: Turn;
  readonly #mostRooms: number;

  constructor(table: RoomTable, interest: Interest, turn: Turn, mostRooms: number) {
    this.#table = table;
    this.#interest = interest;
    this.#turn = turn;
    this.#mostRooms = mostRooms;
  }

  /**
   * Makes a connection a member: at once for what is broadcast here, and for all nodes when the promise resolves.
   *
   * @throws SNOW_ERR_TOO_MANY_MEMBERS: it is in as many rooms as it may be.
   */
  join(connection: Connection, name: string): Promise<void> {
    const room = this.prepare(connection, name);
    const opened = this.#interest.open(room);
    this.add(connection, room);
    return opened;
  }

  /** The room of its user does not count: it is always in that. */
  hasPlaceFor(connection: Connection, name: string): boolean {
    const { joined } = connection;
    return joined.has(name) || joined.size < this.#mostRooms || name.startsWith(KEY_ROOM);
  }

  /** A room that a connection may become a member of. @throws SNOW_ERR_TOO_MANY_MEMBERS */
  prepare(connection: Connection, name: string): Room<Connection> {
    if (!this.hasPlaceFor(connection, name)) {
      const why = `connection ${connection.id} is in ${this.#mostRooms} rooms, as many as it may be.`;
      throw new SnowmeshError('SNOW_ERR_TOO_MANY_MEMBERS', why);
    }
    const room = this.#table.obtain(name);
    const { origin, counter } = this.#table;
    if (!room.ring.knows(origin)) {
      room.ring.startAt(origin, counter);
      room.ring.heardOf(origin, this.#table.newestOwn(name));
    }
    return room;
  }

  /** Adds it here; peers are told. */
  add(connection: Connection, room: Room<Connection>): void {
    if (room.members.has(connection)) return;
    this.#turn.settle();
    room.members.add(connection);
    connection.joined.add(room);
    this.#interest.counted(room);
  }

  /** False: it was no member. From now on nothing of the room is queued for it. */
  leave(connection: Connection, name: string): boolean {
    const room = connection.joined.get(name);
    if (room === undefined) return false;
    this.#turn.settle();
    this.#remove(connection, room);
    return true;
  }

  /** Its socket is gone. @param mayReturn it has a session that may be resumed. O(its rooms). */
  leaveAll(connection: Connection, mayReturn: boolean): void {
    this.#turn.settle();
    for (const room of connection.joined) {
      if (mayReturn) this.#table.awaitReturn(room);
      this.#remove(connection, room);
    }
  }

  #remove(connection: Connection, room: Room<Connection>): void {
    connection.joined.delete(room);
    if (!room.members.delete(connection)) return;
    this.#interest.counted(room);
    this.#table.release(room);
  }
}
