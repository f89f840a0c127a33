import { KEY_ROOM } from '../client/index.ts';

const NONE: readonly never[] = [];
/** Up to here a look at each costs less than a Map, which takes ten times the memory. */
const MOST_IN_LIST = 8;

/** The rooms that a connection is in: one or two for most, and for some a thousand. */
export class JoinedRooms<R extends { readonly name: string }> {
  #list: readonly R[] = NONE;
  /** By name, once there are many. */
  #map: Map<string, R> | undefined;

  get size(): number {
    return this.#map?.size ?? this.#list.length;
  }

  [Symbol.iterator](): IterableIterator<R> {
    return this.#map?.values() ?? this.#list.values();
  }

  get(name: string): R | undefined {
    return this.#map === undefined ? this.#list.find((room) => room.name === name) : this.#map.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** A room that it is not in. */
  add(room: R): void {
    if (this.#map === undefined && this.#list.length < MOST_IN_LIST) {
      this.#list = this.#list.concat(room);
      return;
    }
    this.#map ??= new Map(this.#list.map((each) => [each.name, each]));
    this.#map.set(room.name, room);
    this.#list = NONE;
  }

  delete(room: R): void {
    if (this.#map !== undefined) this.#map.delete(room.name);
    else this.#list = this.#list.length === 1 ? NONE : this.#list.filter((each) => each !== room);
  }

  /** Those with a name that a user gave. */
  names(): string[] {
    return Array.from(this, ({ name }) => name).filter((name) => !name.startsWith(KEY_ROOM));
  }
}
