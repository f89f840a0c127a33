import { OldestFirst } from '../collections/index.ts';
import type { Segment } from './segment.ts';

/** Cursors of tags and waiting receives that are compared one by one; older ones are in the index. */
const MAX_TAGS = 16;
/** Most cursors in the index of a mailbox. Then the oldest is dropped, and a search for its key begins at the front. */
const MAX_INDEXED = 65_536;

/** The ends of a chain of segments that is not empty. */
interface Ends {
  readonly head: Segment | null;
  readonly tail: Segment | null;
}

/** What a mailbox remembers a position for: a tag, a reference, a waiting receive. Not an array. */
export type Key = string | symbol | object;
/** One key, or a list of them. */
export type Keys = Key | readonly Key[];

/** A new key, which stores its own cursor: a mailbox needs no table of new references, however many there are. */
export interface FreshKey {
  /** Read and written by the mailbox that marked the key. */
  place: object | undefined;
}

/** A position in a mailbox: no message before it matches a key. */
class Cursor {
  segment: Segment;
  index: number;
  /** `base` and `use` of the segment when the cursor was placed. */
  base: number;
  use: number;
  /** Undefined: a fresh key, which stores this cursor itself. */
  readonly key: unknown;
  /** Of a fresh key: the cursor is valid for this mailbox, while the epoch is the same. */
  readonly owner: Cursors;
  readonly epoch: number;

  constructor(key: unknown, owner: Cursors, epoch: number, segment: Segment, index: number) {
    this.segment = segment;
    this.index = index;
    this.base = segment.base;
    this.use = segment.use;
    this.key = key;
    this.owner = owner;
    this.epoch = epoch;
  }
}

/**
 * The cursors of a mailbox. A new reference stores its own. Of tags and waiting receives the latest few are in an array: finding a key
 * compares at most 16 pointers; older ones are in an index. A cursor whose segment has left the chain is moved when it is looked up.
 */
export class Cursors {
  private readonly tags: Cursor[] = [];
  private index: OldestFirst<unknown, Cursor> | undefined = undefined;
  private nextTag = 0;
  /** The cursor that was found last: a receive looks its key up twice, and the next receive often has the same key. */
  private recent: Cursor | undefined = undefined;
  /** Changes when the mailbox becomes empty: cursors of fresh keys from before are invalid. */
  private epoch = 0;

  /** `key` is a new reference: no message before this position can contain it. */
  mark(key: FreshKey, segment: Segment, index: number): void {
    key.place = new Cursor(undefined, this, this.epoch, segment, index);
  }

  /** The position that {@link mark} remembered for `key`; undefined: there is none, or its segment has left the chain. O(1). */
  marked(key: FreshKey): { readonly segment: Segment; readonly index: number } | undefined {
    const cursor = this.freshCursor(key);
    return cursor !== undefined && cursor.segment.use === cursor.use ? cursor : undefined;
  }

  /** Where a search for any of `keys` begins; null: at the front. */
  start(keys: Keys, chain: Ends): Cursor | null {
    if (!Array.isArray(keys)) return this.find(keys as Key, chain) ?? null;
    let earliest: Cursor | null = null;
    for (let at = 0; at < keys.length; at++) {
      const cursor = this.find(keys[at], chain);
      if (cursor === undefined) return null;
      if (earliest === null || isBefore(cursor, earliest.segment, earliest.index)) earliest = cursor;
    }
    return earliest;
  }

  /** A search for `keys` that began at `from`, the result of {@link start}, found no match before this position. */
  advance(keys: Keys, from: Cursor | null, segment: Segment, index: number, chain: Ends): void {
    if (!Array.isArray(keys)) {
      if (from === null) this.add(keys, segment, index);
      else if (isBefore(from, segment, index)) place(from, segment, index);
      return;
    }
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const cursor = this.find(key, chain);
      if (cursor === undefined) this.add(key, segment, index);
      else if (isBefore(cursor, segment, index)) place(cursor, segment, index);
    }
  }

  forget(key: unknown): void {
    const { tags } = this;
    this.recent = undefined;
    const tag = tags.findIndex((cursor) => cursor.key === key);
    if (tag >= 0) {
      tags[tag] = tags.at(-1) as Cursor;
      tags.pop();
    }
    this.index?.delete(key);
  }

  /** The mailbox is empty: nothing has to be remembered. */
  clear(): void {
    this.tags.length = 0;
    this.recent = undefined;
    this.index = undefined;
    this.nextTag = 0;
    this.epoch++;
  }

  private add(key: unknown, segment: Segment, index: number): void {
    if (this.tags.length < MAX_TAGS) {
      this.tags.push(new Cursor(key, this, this.epoch, segment, index));
      return;
    }
    const older = this.tags[this.nextTag] as Cursor;
    this.tags[this.nextTag] = new Cursor(key, this, this.epoch, segment, index);
    this.nextTag = (this.nextTag + 1) % MAX_TAGS;
    this.index ??= new OldestFirst();
    this.index.set(older.key, older);
    if (this.index.size > MAX_INDEXED) this.index.takeOldest();
  }

  private find(key: unknown, chain: Ends): Cursor | undefined {
    const { recent } = this;
    if (recent !== undefined && recent.key === key) return current(recent, chain);
    const fresh = this.freshCursor(key);
    if (fresh !== undefined) return current(fresh, chain);
    const found = foundIn(this.tags, key) ?? this.index?.get(key);
    if (found === undefined) return undefined;
    this.recent = found;
    return current(found, chain);
  }

  private freshCursor(key: unknown): Cursor | undefined {
    if (typeof key !== 'object' || key === null) return undefined;
    const cursor = (key as FreshKey).place as Cursor | undefined; // no other key has a place
    return cursor !== undefined && cursor.owner === this && cursor.epoch === this.epoch ? cursor : undefined;
  }
}

function place(cursor: Cursor, segment: Segment, index: number): void {
  cursor.segment = segment;
  cursor.index = index;
  cursor.base = segment.base;
  cursor.use = segment.use;
}

/** A cursor, moved to the next segment if its own has left the chain. O(segments between it and the nearer end). */
function current(cursor: Cursor, { head, tail }: Ends): Cursor {
  if (cursor.segment.use === cursor.use) return cursor;
  const { base } = cursor;
  let segment = head as Segment;
  if (base - segment.base < (tail as Segment).base - base) {
    while (segment.base <= base && segment.next !== null) segment = segment.next;
  } else {
    segment = tail as Segment;
    while (segment.previous !== null && segment.previous.base > base) segment = segment.previous;
  }
  place(cursor, segment, segment.base > base ? segment.start : segment.end);
  return cursor;
}

function foundIn(cursors: readonly Cursor[], key: unknown): Cursor | undefined {
  for (const cursor of cursors) if (cursor.key === key) return cursor;
  return undefined;
}

function isBefore(cursor: Cursor, segment: Segment, index: number): boolean {
  const { base } = cursor.segment;
  return base < segment.base || (base === segment.base && cursor.index < index);
}
