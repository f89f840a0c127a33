import type { PresenceDiff, PresenceEntry } from '../client/index.ts';
import { SmallMap } from '../collections/index.ts';
import type { Work } from '../peer/index.ts';

/** Identifies whose connections they are: those of this node, or of one peer. */
export type PresenceOwner = object;

/** One connection in the presence of a room, from when it is tracked until it has left. If it comes again, it gets a new object. */
export interface Tracked {
  readonly owned: Owned;
  readonly room: string;
  readonly key: string;
  readonly connection: string;
  /** As JSON. */
  meta: string;
  hasLeft: boolean;
  /** Whether peers may know of it. */
  isTold: boolean;
}

/** The connections of one key, oldest first. */
type TrackedSet = SmallMap<Tracked, Tracked>;

/** The metas of a key as JSON, at most `MAX_METAS`. */
type MetaTexts = readonly string[];

/** The connections of one owner, by connection and room. */
class Owned {
  readonly byConnection: Map<string, SmallMap<string, Tracked>> = new Map();
  count = 0;
  /** Characters in the rooms, keys, ids and metas of all of them. */
  characters = 0;
  /** Whether the owner was dropped. */
  isDropped = false;
}

/** Most metas of one key in a presence, those of its oldest connections. Each change of one sends all of them. */
export const MAX_METAS = 256;

/**
 * The presence of all rooms on all nodes. A change costs O(metas of its key), the removal of an owner O(its connections).
 *
 * The connections of an owner that was dropped are removed step by step. No method returns them meanwhile: what returns a key or a room first
 * removes such connections of it, which costs O(its connections) once.
 *
 * Where there are many rooms, most have one key, and most keys have one connection. So the inner maps are SmallMaps, which allocate no table
 * for a first entry, and no key is concatenated from several strings.
 */
export class PresenceTable {
  /** By room and key. */
  readonly #rooms = new Map<string, SmallMap<string, TrackedSet>>();
  readonly #owned = new Map<PresenceOwner, Owned>();
  readonly #changes: (room: string, key: string) => void;
  /** Keys that have changed since the last diff, by room, with their metas before. */
  #changed = new Map<string, SmallMap<string, MetaTexts>>();
  /** Owners that were dropped, and whose connections are not all removed yet. */
  #dropped = 0;
  /** The keys, and the rooms as maps of keys, that had no connection of these when they were looked at. */
  #settled = new Set<object>();

  /** @param changes Is called before each change of a key. */
  constructor(changes: (room: string, key: string) => void = () => {}) {
    this.#changes = changes;
  }

  /** Whether a room has any connection. */
  has(room: string): boolean {
    this.#settleRoom(room);
    return this.#rooms.has(room);
  }

  /** The number of keys. */
  size(room: string): number {
    this.#settleRoom(room);
    return this.#rooms.get(room)?.size ?? 0;
  }

  /** O(connections in the room). */
  entries(room: string): PresenceEntry[] {
    this.#settleRoom(room);
    return Array.from(this.#rooms.get(room) ?? [], ([key, connections]) => ({
      key,
      metas: parsed(metasOf(connections)),
    }));
  }

  keys(room: string): string[] {
    this.#settleRoom(room);
    return Array.from(this.#rooms.get(room) ?? [], ([key]) => key);
  }

  /** The entry of a key as JSON; undefined: it is not in the room. */
  entryText(room: string, key: string): string | undefined {
    const metas = this.#metas(room, key);
    return metas.length > 0 ? `{"key":${JSON.stringify(key)},"metas":[${metas.join()}]}` : undefined;
  }

  metas(room: string, key: string): readonly unknown[] {
    this.#settle(room, key);
    return parsed(this.#metas(room, key));
  }

  /** The number of connections of an owner. */
  count(owner: PresenceOwner): number {
    return this.#owned.get(owner)?.count ?? 0;
  }

  /** The characters in the rooms, keys, ids and metas of the connections of an owner. */
  characters(owner: PresenceOwner): number {
    return this.#owned.get(owner)?.characters ?? 0;
  }

  /** All connections of an owner. */
  *owned(owner: PresenceOwner): IterableIterator<Tracked> {
    for (const byRoom of this.#owned.get(owner)?.byConnection.values() ?? []) yield* byRoom.values();
  }

  /** One connection of an owner, once for each room in which it is tracked. */
  ofConnection(owner: PresenceOwner, connection: string): Tracked[] {
    return [...(this.#owned.get(owner)?.byConnection.get(connection)?.values() ?? [])];
  }

  /** Adds a connection, or changes its meta. */
  set(owner: PresenceOwner, room: string, key: string, connection: string, meta: string): Tracked {
    const before = this.#owned.get(owner)?.byConnection.get(connection)?.get(room);
    if (before?.key === key) {
      if (before.meta !== meta) {
        this.#rememberMetas(room, key);
        before.owned.characters += meta.length - before.meta.length;
        before.meta = meta;
      }
      return before;
    }
    if (before !== undefined) this.remove(owner, room, connection); // a connection keeps its key, but a peer may send anything
    const owned = getOrCreate(this.#owned, owner, newOwned);
    return this.#add({ owned, room, key, connection, meta, hasLeft: false, isTold: false });
  }

  /** Removes and returns a connection; undefined: it was not there. */
  remove(owner: PresenceOwner, room: string, connection: string): Tracked | undefined {
    const tracked = this.#owned.get(owner)?.byConnection.get(connection)?.get(room);
    if (tracked === undefined) return undefined;
    this.#remove(tracked);
    if (tracked.owned.count === 0) this.#owned.delete(owner);
    return tracked;
  }

  /** Drops all connections of an owner: from now on it has none. The result removes them from the table, one at a time. */
  drop(owner: PresenceOwner): Work {
    const owned = this.#owned.get(owner) ?? newOwned();
    this.#owned.delete(owner);
    owned.isDropped = true;
    this.#dropped++;
    this.#settled.clear();
    return this.#removing(owned);
  }

  /**
   * The changes since the last call, by room. A key that joined and left in between is not in them.
   *
   * @param isWatched Rooms for which it returns false are left out, and cost nothing.
   */
  takeChanges(isWatched: (room: string) => boolean = () => true): [room: string, diff: PresenceDiff][] {
    if (this.#dropped > 0)
      for (const [room, changes] of this.#changed)
        if (isWatched(room)) for (const [key] of changes) this.#settle(room, key);
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

  #add(tracked: Tracked): Tracked {
    const { owned, room, key, connection } = tracked;
    this.#rememberMetas(room, key);
    const keys = getOrCreate(this.#rooms, room, newSmallMap<string, TrackedSet>);
    getOrCreate(keys, key, newSmallMap<Tracked, Tracked>).set(tracked, tracked);
    getOrCreate(owned.byConnection, connection, newSmallMap<string, Tracked>).set(room, tracked);
    owned.count++;
    owned.characters += charactersOf(tracked);
    return tracked;
  }

  *#removing(owned: Owned): Generator<number, void> {
    for (const byRoom of owned.byConnection.values()) {
      for (const tracked of byRoom.values()) {
        this.#remove(tracked);
        yield 1;
      }
    }
    this.#dropped--;
    if (this.#dropped === 0) this.#settled.clear();
  }

  #remove(tracked: Tracked): void {
    const { owned, room, key, connection } = tracked;
    const byRoom = owned.byConnection.get(connection);
    byRoom?.delete(room);
    if (byRoom?.size === 0) owned.byConnection.delete(connection);
    owned.count--;
    owned.characters -= charactersOf(tracked);
    this.#rememberMetas(room, key);
    tracked.hasLeft = true;
    const keys = this.#rooms.get(room);
    const connections = keys?.get(key);
    connections?.delete(tracked);
    if (connections?.size === 0) keys?.delete(key);
    if (keys?.size === 0) this.#rooms.delete(room);
  }

  /** Removes the connections in a room whose owners were dropped. */
  #settleRoom(room: string): void {
    if (this.#dropped === 0) return;
    const keys = this.#rooms.get(room);
    if (keys === undefined || this.#settled.has(keys)) return;
    this.#settled.add(keys);
    for (const [key] of keys) this.#settle(room, key);
  }

  /** Removes the connections of a key whose owners were dropped. */
  #settle(room: string, key: string): void {
    if (this.#dropped === 0) return;
    const connections = this.#rooms.get(room)?.get(key);
    if (connections === undefined || this.#settled.has(connections)) return;
    this.#settled.add(connections);
    for (const tracked of connections.values()) if (tracked.owned.isDropped) this.#remove(tracked);
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

  /** Remembers the metas of a key. Call it before a change. */
  #rememberMetas(room: string, key: string): void {
    this.#changes(room, key);
    const changes = getOrCreate(this.#changed, room, newSmallMap<string, MetaTexts>);
    if (!changes.has(key)) changes.set(key, this.#metas(room, key));
  }
}

const charactersOf = ({ room, key, connection, meta }: Tracked): number =>
  room.length + key.length + connection.length + meta.length;

const newSmallMap = <K, V>(): SmallMap<K, V> => new SmallMap();
const newOwned = (): Owned => new Owned();

/** The value of a key; it is created if it is missing. */
function getOrCreate<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const NO_METAS: MetaTexts = [];

function metasOf(connections: TrackedSet | undefined): MetaTexts {
  if (connections === undefined) return NO_METAS;
  const metas: string[] = [];
  for (const { meta } of connections.values()) {
    if (metas.length === MAX_METAS) break;
    metas.push(meta);
  }
  return metas;
}

const parsed = (metas: MetaTexts): unknown[] => metas.map((meta) => JSON.parse(meta) as unknown);
