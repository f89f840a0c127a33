import { KEY_ROOM } from '../client/index.ts';

/** Up to this many rooms are in an array that is searched: it takes a tenth of the memory of a Map. */
const MAX_IN_LIST = 8;

/** The rooms of a connection. Most connections have one or two, some have a thousand. */
export class JoinedRooms<R extends { readonly name: string }> {
  /** No room, a single room, an array of a few, or a Map of many by name. */
  #rooms: R | readonly R[] | Map<string, R> | undefined;

  get size(): number {
    const rooms = this.#rooms;
    if (rooms instanceof Map) return rooms.size;
    return rooms === undefined ? 0 : isList(rooms) ? rooms.length : 1;
  }

  [Symbol.iterator](): IterableIterator<R> {
    return this.#rooms instanceof Map ? this.#rooms.values() : this.#list().values();
  }

  get(name: string): R | undefined {
    const rooms = this.#rooms;
    if (rooms instanceof Map) return rooms.get(name);
    return this.#list().find((room) => room.name === name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds a room that is not in here. */
  add(room: R): void {
    const rooms = this.#rooms;
    if (rooms instanceof Map) rooms.set(room.name, room);
    else if (rooms === undefined) this.#rooms = room;
    else {
      const list = [...this.#list(), room];
      this.#rooms =
        list.length <= MAX_IN_LIST ? list : new Map(list.map((each) => [each.name, each] as const));
    }
  }

  delete(room: R): void {
    const rooms = this.#rooms;
    if (rooms instanceof Map) {
      rooms.delete(room.name);
      return;
    }
    const left = this.#list().filter((each) => each !== room);
    this.#rooms = left.length > 1 ? left : left[0];
  }

  /** The names of the rooms, without the room of a user. */
  names(): string[] {
    return Array.from(this, ({ name }) => name).filter((name) => !name.startsWith(KEY_ROOM));
  }

  /** All rooms, unless they are in a Map. */
  #list(): readonly R[] {
    const rooms = this.#rooms as R | readonly R[] | undefined;
    return rooms === undefined ? NONE : isList(rooms) ? rooms : [rooms];
  }
}

const NONE: readonly never[] = [];

/** `Array.isArray`, for the type of a readonly array, too. */
const isList = <R>(rooms: R | readonly R[]): rooms is readonly R[] => Array.isArray(rooms);
