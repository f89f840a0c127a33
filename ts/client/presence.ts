import type { PresenceDiff, PresenceEntry } from './protocol.ts';

/** The presence of a room: for each key the metadata of its connections. */
export type Presence = ReadonlyMap<string, readonly unknown[]>;

/** The presence of a room changed: the event `presence`. */
export interface PresenceChange {
  readonly room: string;
  /** The change. */
  readonly diff: PresenceDiff;
  /** The whole presence when this is read. O(1), and O(keys) for the change that follows. */
  readonly all: Presence;
}

/** The presences of the rooms of a client. A change costs O(changed keys), and once O(keys) after the program has looked at the whole. */
export class Presences {
  private readonly rooms = new Map<string, Map<string, readonly unknown[]>>();
  /** Rooms whose presence the program may hold: that map does not change any more. */
  private readonly shown = new Set<string>();

  of(room: string): Presence {
    const presence = this.rooms.get(room);
    if (presence !== undefined) this.shown.add(room);
    return presence ?? new Map();
  }

  /** Changes the presence of a room. Undefined: nothing is different. */
  change(room: string, change: (before: Presence) => PresenceDiff): PresenceChange | undefined {
    const whole = (): Presence => this.of(room);
    let presence = this.rooms.get(room) ?? new Map();
    const diff = change(presence);
    const { joins, updates, leaves } = diff;
    if (joins.length + updates.length + leaves.length === 0) return undefined;
    if (this.shown.delete(room)) presence = new Map(presence);
    for (const { key } of leaves) presence.delete(key);
    for (const { key, metas } of [...joins, ...updates]) presence.set(key, metas);
    this.rooms.set(room, presence);
    return {
      room,
      diff,
      get all() {
        return whole();
      },
    };
  }

  forget(room: string): void {
    this.rooms.delete(room);
  }
}

/** The change from a presence to all entries of a room, as the server sends them after a join or a reconnect. O(keys). */
export function diffTo(before: Presence, entries: readonly PresenceEntry[]): PresenceDiff {
  const now = new Set(entries.map(({ key }) => key));
  const leaves = Array.from(before, ([key, metas]) => ({ key, metas })).filter(({ key }) => !now.has(key));
  return newIn(before, { joins: entries, updates: [], leaves });
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
