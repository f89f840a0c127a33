import type { PresenceDiff } from './protocol.ts';

/** The presence of a room: for each key the metadata of its connections. */
export type Presence = ReadonlyMap<string, readonly unknown[]>;

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
