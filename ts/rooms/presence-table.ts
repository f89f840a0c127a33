import type { PresenceDiff, PresenceEntry } from '../client/index.ts';

/** Whose connections: this node, or a peer from its hello to its end. */
export type Owner = object;

/** One connection in the presence of a room. */
interface Present {
  readonly owner: Owner;
  /** JSON. */
  readonly meta: string;
}

/** The presence of one room: by key, and below by owner and connection. */
type RoomPresence = Map<string, Map<string, Present>>;

/** Keys of a room that changed, with the metas they had. */
type Changes = Map<string, readonly unknown[]>;

/** Metas of one key that are shown, those of its oldest connections: each change of one shows them all. */
export const MAX_METAS = 256;

/** The presence of all rooms on all nodes. Each change costs O(metas shown of its key); the end of an owner, O(its connections). */
export class PresenceTable {
  readonly #rooms = new Map<string, RoomPresence>();
  /** What each owner has: by connection, room and key. */
  readonly #owned = new Map<Owner, Map<string, readonly [room: string, key: string, connection: string]>>();
  #changed = new Map<string, Changes>();

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
    return Array.from(this.#rooms.get(room) ?? [], ([key, present]) => ({ key, metas: metasOf(present) }));
  }

  metas(room: string, key: string): readonly unknown[] {
    return metasOf(this.#rooms.get(room)?.get(key));
  }

  /** Connections of an owner. */
  count(owner: Owner): number {
    return this.#owned.get(owner)?.size ?? 0;
  }

  /** What an owner has: room, key, connection and meta. */
  *owned(
    owner: Owner,
  ): IterableIterator<readonly [room: string, key: string, connection: string, meta: string]> {
    for (const [id, [room, key, connection]] of this.#owned.get(owner) ?? []) {
      const present = this.#rooms.get(room)?.get(key)?.get(idIn(owner, id));
      if (present !== undefined) yield [room, key, connection, present.meta];
    }
  }

  set(owner: Owner, room: string, key: string, connection: string, meta: string): void {
    const id = idOf(room, connection);
    const [, keyBefore = key] = this.#owned.get(owner)?.get(id) ?? [];
    if (keyBefore !== key) this.remove(owner, room, connection); // a connection has one key, but a peer may say anything
    const presence = this.#rooms.get(room) ?? new Map<string, Map<string, Present>>();
    this.#rooms.set(room, presence);
    const present = presence.get(key) ?? new Map<string, Present>();
    if (present.get(idIn(owner, id))?.meta === meta) return;
    this.#note(room, key);
    presence.set(key, present);
    present.set(idIn(owner, id), { owner, meta });
    const owned = this.#owned.get(owner) ?? new Map();
    this.#owned.set(owner, owned);
    owned.set(id, [room, key, connection]);
  }

  /** False: it was not there. */
  remove(owner: Owner, room: string, connection: string): boolean {
    const owned = this.#owned.get(owner);
    const id = idOf(room, connection);
    const key = owned?.get(id)?.[1];
    if (owned === undefined || key === undefined) return false;
    owned.delete(id);
    if (owned.size === 0) this.#owned.delete(owner);
    this.#note(room, key);
    const presence = this.#rooms.get(room);
    const present = presence?.get(key);
    present?.delete(idIn(owner, id));
    if (present?.size === 0) presence?.delete(key);
    if (presence?.size === 0) this.#rooms.delete(room);
    return true;
  }

  /** An owner is gone, with all it had. */
  drop(owner: Owner): void {
    for (const [room, , connection] of [...(this.#owned.get(owner)?.values() ?? [])])
      this.remove(owner, room, connection);
  }

  /** What has changed since the last call, by room: a key that came and went meanwhile did not change. */
  takeChanges(): [room: string, diff: PresenceDiff][] {
    const changed = this.#changed;
    this.#changed = new Map();
    const diffs: [string, PresenceDiff][] = [];
    for (const [room, changes] of changed) {
      const diff = this.#diff(room, changes);
      if (diff.joins.length + diff.updates.length + diff.leaves.length > 0) diffs.push([room, diff]);
    }
    return diffs;
  }

  #diff(room: string, changes: Changes): PresenceDiff {
    const joins: PresenceEntry[] = [];
    const updates: PresenceEntry[] = [];
    const leaves: PresenceEntry[] = [];
    for (const [key, before] of changes) {
      const metas = this.metas(room, key);
      if (before.length === 0 && metas.length > 0) joins.push({ key, metas });
      else if (metas.length === 0 && before.length > 0) leaves.push({ key, metas: before });
      else if (JSON.stringify(before) !== JSON.stringify(metas)) updates.push({ key, metas });
    }
    return { joins, updates, leaves };
  }

  #note(room: string, key: string): void {
    const changes = this.#changed.get(room) ?? new Map<string, readonly unknown[]>();
    this.#changed.set(room, changes);
    if (!changes.has(key)) changes.set(key, this.metas(room, key));
  }
}

/** A connection can be in many rooms. Both may be any text. */
function idOf(room: string, connection: string): string {
  return `${connection.length} ${connection}${room}`;
}

const owners = new WeakMap<Owner, number>();
let ownerCount = 0;

/** A connection that moves from one node to another is on both for a moment. */
function idIn(owner: Owner, id: string): string {
  let number = owners.get(owner);
  if (number === undefined) owners.set(owner, (number = ++ownerCount));
  return `${number} ${id}`;
}

function metasOf(present: ReadonlyMap<string, Present> | undefined): unknown[] {
  const metas: unknown[] = [];
  for (const { meta } of present?.values() ?? []) {
    if (metas.length === MAX_METAS) break;
    metas.push(JSON.parse(meta));
  }
  return metas;
}
