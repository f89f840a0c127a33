import type { PresenceDiff, PresenceEntry } from '../client/index.ts';
import { SmallMap } from '../collections/index.ts';

/** Identifies whose connections they are: those of this node, or of one peer. */
export type PresenceOwner = object;

/** One connection in the presence of a room, from when it is tracked until it has left. If it comes again, it gets a new object. */
export interface Tracked {
  readonly owner: PresenceOwner;
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
  readonly byConnection = new Map<string, SmallMap<string, Tracked>>();
  count = 0;
}

/** Most metas of one key in a presence, those of its oldest connections. Each change of one sends all of them. */
export const MAX_METAS = 256;

/**
 * The presence of all rooms on all nodes. A change costs O(metas of its key), the removal of an owner O(its connections).
 *
 * Where there are many rooms, most have one key, and most keys have one connection. So the inner maps are SmallMaps, which allocate no table
 * for a first entry, and no key is concatenated from several strings.
 */
export class PresenceTable {
  /** By room and key. */
  readonly #rooms = new Map<string, SmallMap<string, TrackedSet>>();
  readonly #owned = new Map<PresenceOwner, Owned>();
  readonly #changes: (room: string) => void;
  /** Keys that have changed since the last diff, by room, with their metas before. */
  #changed = new Map<string, SmallMap<string, MetaTexts>>();

  /** @param changes Is called with the room before each change. */
  constructor(changes: (room: string) => void = () => {}) {
    this.#changes = changes;
  }

  /** Whether a room has any connection. */
  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  /** The number of keys. */
  size(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }

  /** O(connections in the room). */
  entries(room: string): PresenceEntry[] {
    return Array.from(this.#rooms.get(room) ?? [], ([key, connections]) => ({
      key,
      metas: parsed(metasOf(connections)),
    }));
  }

  metas(room: string, key: string): readonly unknown[] {
    return parsed(this.#metas(room, key));
  }

  /** The number of connections of an owner. */
  count(owner: PresenceOwner): number {
    return this.#owned.get(owner)?.count ?? 0;
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
        before.meta = meta;
      }
      return before;
    }
    if (before !== undefined) this.remove(owner, room, connection); // a connection keeps its key, but a peer may send anything
    return this.#add({ owner, room, key, connection, meta, hasLeft: false, isTold: false });
  }

  /** Removes and returns a connection; undefined: it was not there. */
  remove(owner: PresenceOwner, room: string, connection: string): Tracked | undefined {
    const owned = this.#owned.get(owner);
    const byRoom = owned?.byConnection.get(connection);
    const tracked = byRoom?.get(room);
    if (owned === undefined || byRoom === undefined || tracked === undefined) return undefined;
    byRoom.delete(room);
    if (byRoom.size === 0) owned.byConnection.delete(connection);
    owned.count--;
    if (owned.count === 0) this.#owned.delete(owner);
    this.#rememberMetas(room, tracked.key);
    tracked.hasLeft = true;
    const keys = this.#rooms.get(room);
    const connections = keys?.get(tracked.key);
    connections?.delete(tracked);
    if (connections?.size === 0) keys?.delete(tracked.key);
    if (keys?.size === 0) this.#rooms.delete(room);
    return tracked;
  }

  /** Removes all connections of an owner. O(connections). */
  drop(owner: PresenceOwner): void {
    for (const { room, connection } of [...this.owned(owner)]) this.remove(owner, room, connection);
  }

  /**
   * The changes since the last call, by room. A key that joined and left in between is not in them.
   *
   * @param isWatched Rooms for which it returns false are left out, and cost nothing.
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

  #add(tracked: Tracked): Tracked {
    const { owner, room, key, connection } = tracked;
    this.#rememberMetas(room, key);
    const keys = getOrCreate(this.#rooms, room, newSmallMap<string, TrackedSet>);
    getOrCreate(keys, key, newSmallMap<Tracked, Tracked>).set(tracked, tracked);
    const owned = getOrCreate(this.#owned, owner, newOwned);
    getOrCreate(owned.byConnection, connection, newSmallMap<string, Tracked>).set(room, tracked);
    owned.count++;
    return tracked;
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
    this.#changes(room);
    const changes = getOrCreate(this.#changed, room, newSmallMap<string, MetaTexts>);
    if (!changes.has(key)) changes.set(key, this.#metas(room, key));
  }
}

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
