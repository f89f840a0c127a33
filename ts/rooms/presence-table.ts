import type { PresenceDiff, PresenceEntry } from '../client/index.ts';
import { SmallMap } from '../collections/index.ts';

/** Whose connections: this node, or a peer from its hello to its end. */
export type Owner = object;

/** One connection in the presence of a room. A new object for each time it comes: this one stays out once it has left. */
export interface Present {
  readonly owner: Owner;
  readonly room: string;
  readonly key: string;
  readonly connection: string;
  /** JSON. */
  meta: string;
  hasLeft: boolean;
  /** A peer may know of it. */
  isTold: boolean;
}

/** The connections under one key, the oldest first. */
type Presents = SmallMap<Present, Present>;

/** The metas of a key as JSON, as far as they are shown. */
type MetaTexts = readonly string[];

/** The connections of one owner, by connection and room. */
class Owned {
  readonly byConnection = new Map<string, SmallMap<string, Present>>();
  count = 0;
}

/** Metas of one key that are shown, those of its oldest connections: each change of one shows them all. */
export const MAX_METAS = 256;

/**
 * The presence of all rooms on all nodes. Each change costs O(metas shown of its key); the end of an owner, O(its connections).
 *
 * Most rooms of many have one key, and most keys one connection. So the maps within the outer ones hold their first entry without a
 * table of their own, and no key is built from several texts.
 */
export class PresenceTable {
  /** By room and key. */
  readonly #rooms = new Map<string, SmallMap<string, Presents>>();
  readonly #owned = new Map<Owner, Owned>();
  readonly #changes: (room: string) => void;
  /** Keys that changed since the last diff, by room, with the metas they had. */
  #changed = new Map<string, SmallMap<string, MetaTexts>>();

  /** @param changes is called with the room before each change. */
  constructor(changes: (room: string) => void = () => {}) {
    this.#changes = changes;
  }

  /** Whether a room has any connection. */
  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  /** Different keys. */
  size(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }

  /** O(connections in the room). */
  entries(room: string): PresenceEntry[] {
    return Array.from(this.#rooms.get(room) ?? [], ([key, presents]) => ({
      key,
      metas: parsed(metasOf(presents)),
    }));
  }

  metas(room: string, key: string): readonly unknown[] {
    return parsed(this.#metas(room, key));
  }

  /** Connections of an owner. */
  count(owner: Owner): number {
    return this.#owned.get(owner)?.count ?? 0;
  }

  /** All connections of an owner. */
  *owned(owner: Owner): IterableIterator<Present> {
    for (const byRoom of this.#owned.get(owner)?.byConnection.values() ?? []) yield* byRoom.values();
  }

  /** One connection of an owner, in each room that it is seen in. */
  ofConnection(owner: Owner, connection: string): Present[] {
    return [...(this.#owned.get(owner)?.byConnection.get(connection)?.values() ?? [])];
  }

  /** Adds a connection, or changes its meta. */
  set(owner: Owner, room: string, key: string, connection: string, meta: string): Present {
    const before = this.#owned.get(owner)?.byConnection.get(connection)?.get(room);
    if (before?.key === key) {
      if (before.meta !== meta) {
        this.#note(room, key);
        before.meta = meta;
      }
      return before;
    }
    if (before !== undefined) this.remove(owner, room, connection); // a connection has one key, but a peer may send anything
    return this.#add({ owner, room, key, connection, meta, hasLeft: false, isTold: false });
  }

  /** Returns what was removed; undefined: it was not there. */
  remove(owner: Owner, room: string, connection: string): Present | undefined {
    const owned = this.#owned.get(owner);
    const byRoom = owned?.byConnection.get(connection);
    const present = byRoom?.get(room);
    if (owned === undefined || byRoom === undefined || present === undefined) return undefined;
    byRoom.delete(room);
    if (byRoom.size === 0) owned.byConnection.delete(connection);
    owned.count--;
    if (owned.count === 0) this.#owned.delete(owner);
    this.#note(room, present.key);
    present.hasLeft = true;
    const keys = this.#rooms.get(room);
    const presents = keys?.get(present.key);
    presents?.delete(present);
    if (presents?.size === 0) keys?.delete(present.key);
    if (keys?.size === 0) this.#rooms.delete(room);
    return present;
  }

  /** An owner is gone, with all it had. */
  drop(owner: Owner): void {
    for (const { room, connection } of [...this.owned(owner)]) this.remove(owner, room, connection);
  }

  /**
   * What has changed since the last call, by room: a key that came and went meanwhile did not change.
   *
   * @param isWatched rooms for which this is false are left out, and cost nothing.
   */
  takeChanges(isWatched: (room: string) => boolean = () => true): [room: string, diff: PresenceDiff][] {
    const changed = this.#changed;
    this.#changed = new Map();
    const diffs: [string, PresenceDiff][] = [];
    for (const [room, changes] of changed) {
      if (!isWatched(room)) continue;
      const diff = this.#diff(room, changes);
      if (diff.joins.length + diff.updates.length + diff.leaves.length > 0) diffs.push([room, diff]);
    }
    return diffs;
  }

  #add(present: Present): Present {
    const { owner, room, key, connection } = present;
    this.#note(room, key);
    const keys = obtain(this.#rooms, room, newSmallMap<string, Presents>);
    obtain(keys, key, newSmallMap<Present, Present>).set(present, present);
    const owned = obtain(this.#owned, owner, newOwned);
    obtain(owned.byConnection, connection, newSmallMap<string, Present>).set(room, present);
    owned.count++;
    return present;
  }

  #diff(room: string, changes: SmallMap<string, MetaTexts>): PresenceDiff {
    const joins: PresenceEntry[] = [];
    const updates: PresenceEntry[] = [];
    const leaves: PresenceEntry[] = [];
    for (const [key, before] of changes) {
      const metas = this.#metas(room, key);
      if (before.length === 0 && metas.length > 0) joins.push({ key, metas: parsed(metas) });
      else if (metas.length === 0 && before.length > 0) leaves.push({ key, metas: parsed(before) });
      else if (metas.length !== before.length || metas.some((meta, index) => meta !== before[index]))
        updates.push({ key, metas: parsed(metas) });
    }
    return { joins, updates, leaves };
  }

  #metas(room: string, key: string): MetaTexts {
    return metasOf(this.#rooms.get(room)?.get(key));
  }

  /** To be called before a change of a key. */
  #note(room: string, key: string): void {
    this.#changes(room);
    const changes = obtain(this.#changed, room, newSmallMap<string, MetaTexts>);
    if (!changes.has(key)) changes.set(key, this.#metas(room, key));
  }
}

const newSmallMap = <K, V>(): SmallMap<K, V> => new SmallMap();
const newOwned = (): Owned => new Owned();

/** The value of a key, made when there is none. */
function obtain<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const NO_METAS: MetaTexts = [];

function metasOf(presents: Presents | undefined): MetaTexts {
  if (presents === undefined) return NO_METAS;
  const metas: string[] = [];
  for (const { meta } of presents.values()) {
    if (metas.length === MAX_METAS) break;
    metas.push(meta);
  }
  return metas;
}

const parsed = (metas: MetaTexts): unknown[] => metas.map((meta) => JSON.parse(meta) as unknown);
