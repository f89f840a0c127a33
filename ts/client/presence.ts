import type { PresenceDiff } from './protocol.ts';

/** The presence of a room: for each key the metadata of its connections. */
export type Presence = ReadonlyMap<string, readonly unknown[]>;

/**
 * The presence after a change, as a new map. O(keys).
 *
 * @example
 * const after = presenceOf(before, diff); // the difference comes with a message of the server
 */
export function presenceOf(before: Presence, { joins, updates, leaves }: PresenceDiff): Presence {
  const after = new Map(before);
  for (const { key } of leaves) after.delete(key);
  for (const { key, metas } of [...joins, ...updates]) after.set(key, metas);
  return after;
}
