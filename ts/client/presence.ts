import type { PresenceDiff, PresenceEntry } from './protocol.ts';

/** The presence of a room: for each key the metadata of its connections. */
export type Presence = ReadonlyMap<string, readonly unknown[]>;

/** The presences of the rooms of a client. */
export class Presences {
  private readonly rooms = new Map<string, Presence>();

  of(room: string): Presence {
    return this.rooms.get(room) ?? new Map();
  }

  /** Changes the presence of a room. Undefined: nothing is different. */
  change(
    room: string,
    change: (before: Presence) => PresenceDiff,
  ): { readonly diff: PresenceDiff; readonly all: Presence } | undefined {
    const before = this.of(room);
    const diff = change(before);
    const all = presenceOf(before, diff);
    this.rooms.set(room, all);
    return diff.joins.length + diff.updates.length + diff.leaves.length > 0 ? { diff, all } : undefined;
  }

  forget(room: string): void {
    this.rooms.delete(room);
  }
}

/**
 * Applies a change to a presence. O(keys).
 *
 * @returns the presence after the change, as a new map.
 * @example
 * const after = presenceOf(before, diff);
 */
export function presenceOf(before: Presence, { joins, updates, leaves }: PresenceDiff): Presence {
  const after = new Map(before);
  for (const { key } of leaves) after.delete(key);
  for (const { key, metas } of [...joins, ...updates]) after.set(key, metas);
  return after;
}

/** The change from a presence to all entries of a room, as the server sends them after a join or a reconnect. O(keys). */
export function diffTo(before: Presence, entries: readonly PresenceEntry[]): PresenceDiff {
  const now = new Set(entries.map(({ key }) => key));
  const gone = [...before].filter(([key]) => !now.has(key)).map(([key, metas]) => ({ key, metas }));
  return newIn(before, { joins: entries, updates: [], leaves: gone });
}

/** What of a change is not in a presence yet: the server may send a change of which the whole presence was sent just before. O(changes). */
export function newIn(before: Presence, { joins, updates, leaves }: PresenceDiff): PresenceDiff {
  const now = [...joins, ...updates];
  const textOf = (metas: readonly unknown[] | undefined): string => JSON.stringify(metas);
  return {
    joins: now.filter(({ key }) => !before.has(key)),
    updates: now.filter(({ key, metas }) => before.has(key) && textOf(metas) !== textOf(before.get(key))),
    leaves: leaves.filter(({ key }) => before.has(key)),
  };
}
