import type { PresenceDiff } from './protocol.ts';

/** The presence of a room: the metas of the connections of each key. */
export type Presence = ReadonlyMap<string, readonly unknown[]>;

/** A presence after a change; the old one stays as it is. */
export function presenceOf(before: Presence, { joins, updates, leaves }: PresenceDiff): Presence {
  const after = new Map(before);
  for (const { key } of leaves) after.delete(key);
  for (const { key, metas } of [...joins, ...updates]) after.set(key, metas);
  return after;
}
