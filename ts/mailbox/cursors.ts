import { OldestFirst } from '../collections/index.ts';
import type { Segment } from './segment.ts';

/** Cursors of tags and waiting receives that are compared one by one; older ones are in the index. */
const MAX_TAGS = 16;
/** Cursors of new references that are compared one by one; older ones are in the index. */
const MAX_MARKS = 16;
/** Most cursors in the index of a mailbox. Then the oldest is dropped, and a search for its key begins at the front. */
const MAX_INDEXED = 65_536;

/** The ends of a chain of segments that is not empty. */
interface Ends {
  readonly head: Segment | null;
  readonly tail: Segment | null;
}

/** A position in a mailbox: no message before it matches `key`. */
export class Cursor {
  key: unknown;
  segment: Segment;
  index: number;
  /** `base` and `use` of the segment when the cursor was put into the index. */
  base = 0;
  use = 0;

  constructor(key: unknown, segment: Segment, index: number) {
    this.key = key;
    this.segment = segment;
    this.index = index;
  }
}

/**
 * The cursors of a mailbox. The latest few are in arrays: finding a key compares at most 32 pointers, and a segment that leaves the
 * chain moves the cursors in it. Older ones are in an index: a cursor whose segment has left is moved when it is looked up.
 */
export class Cursors {
  private readonly tags: Cursor[] = [];
  private readonly marks: Cursor[] = [];
  private index: OldestFirst<unknown, Cursor> | undefined = undefined;
  private nextTag = 0;
  private nextMark = 0;
  /** The cursor that was found last: a receive looks its key up twice, and the next receive often has the same key. */
  private recent: Cursor | undefined = undefined;

  /** `key` is a new reference: no message before this position can contain it. */
  mark(key: unknown, segment: Segment, index: number): void {
    if (this.marks.length < MAX_MARKS) {
      this.recent = new Cursor(key, segment, index);
      this.marks.push(this.recent);
      return;
    }
    const older = this.marks[this.nextMark] as Cursor;
    this.recent = new Cursor(key, segment, index);
    this.marks[this.nextMark] = this.recent;
    this.nextMark = (this.nextMark + 1) % MAX_MARKS;
    this.keep(older);
  }

  /** Where a search for any of `keys` begins; null: at the front. */
  earliest(keys: readonly unknown[], chain: Ends): Cursor | null {
    let earliest: Cursor | null = null;
    for (let at = 0; at < keys.length; at++) {
      const cursor = this.find(keys[at], chain);
      if (cursor === undefined) return null;
      if (earliest === null || isBefore(cursor, earliest.segment, earliest.index)) earliest = cursor;
    }
    return earliest;
  }

  /** A search for `keys`, which began at their earliest cursor, found no match before this position. */
  advance(keys: readonly unknown[], segment: Segment, index: number, chain: Ends): void {
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const cursor = this.find(key, chain);
      if (cursor === undefined) this.add(key, segment, index);
      else if (isBefore(cursor, segment, index)) place(cursor, segment, index);
    }
  }

  forget(key: unknown): void {
    const { tags, marks } = this;
    this.recent = undefined;
    const tag = tags.findIndex((cursor) => cursor.key === key);
    if (tag >= 0) {
      tags[tag] = tags.at(-1) as Cursor;
      tags.pop();
      if (this.nextTag >= tags.length) this.nextTag = 0;
    }
    const mark = marks.find((cursor) => cursor.key === key);
    if (mark !== undefined) mark.key = undefined;
    this.index?.delete(key);
  }

  /** `segment` leaves the chain; `next` comes after it. */
  leave(segment: Segment, next: Segment): void {
    for (const cursor of this.tags) move(cursor, segment, next);
    for (const cursor of this.marks) move(cursor, segment, next);
  }

  clear(): void {
    this.tags.length = 0;
    this.marks.length = 0;
    this.recent = undefined;
    this.index = undefined;
    this.nextTag = this.nextMark = 0;
  }

  private add(key: unknown, segment: Segment, index: number): void {
    if (this.tags.length < MAX_TAGS) {
      this.tags.push(new Cursor(key, segment, index));
      return;
    }
    const older = this.tags[this.nextTag] as Cursor;
    this.tags[this.nextTag] = new Cursor(key, segment, index);
    this.nextTag = (this.nextTag + 1) % MAX_TAGS;
    this.keep(older);
  }

  /** Puts a cursor that leaves an array into the index. */
  private keep(cursor: Cursor): void {
    if (cursor.key === undefined) return;
    this.index ??= new OldestFirst();
    const { index } = this;
    place(cursor, cursor.segment, cursor.index);
    index.set(cursor.key, cursor);
    if (index.size > MAX_INDEXED) index.takeOldest();
  }

  private find(key: unknown, chain: Ends): Cursor | undefined {
    const { recent } = this;
    if (recent !== undefined && recent.key === key) return current(recent, chain);
    const found = foundIn(this.tags, key) ?? foundIn(this.marks, key);
    if (found !== undefined) this.recent = found;
    if (found !== undefined || this.index === undefined) return found;
    const indexed = this.index.get(key);
    return indexed === undefined ? undefined : current(indexed, chain);
  }
}

function place(cursor: Cursor, segment: Segment, index: number): void {
  cursor.segment = segment;
  cursor.index = index;
  cursor.base = segment.base;
  cursor.use = segment.use;
}

/** An indexed cursor, moved to the next segment if its own has left the chain. O(segments between it and the nearer end). */
function current(cursor: Cursor, { head, tail }: Ends): Cursor {
  if (cursor.use === 0 || cursor.segment.use === cursor.use) return cursor;
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

function move(cursor: Cursor, segment: Segment, next: Segment): void {
  if (cursor.segment !== segment) return;
  place(cursor, next, next.start);
}
