import { OldestFirst } from '../collections/index.ts';
import type { Segment } from './segment.ts';

/** Tags and waiting receives that are compared one by one; older ones are in an index. */
const MOST_TAGS = 16;
/** Fresh references that are compared one by one. */
const MOST_MARKS = 16;
/** Keys in the index of a mailbox; beyond it the oldest is forgotten, and a search for that begins at the front. */
const MOST_INDEXED = 65_536;

/** A chain of segments that is not empty. */
interface Ends {
  readonly head: Segment | null;
  readonly tail: Segment | null;
}

/** A place in a mailbox: nothing before it matches `key`. */
export class Cursor {
  key: unknown;
  segment: Segment;
  index: number;
  /** Of the segment when the cursor was put into the index: `base` and `use`. */
  base = 0;
  use = 0;

  constructor(key: unknown, segment: Segment, index: number) {
    this.key = key;
    this.segment = segment;
    this.index = index;
  }
}

/**
 * What a mailbox remembers about its own places. The latest few are in arrays: looking for a key compares at most 32 pointers,
 * and a segment that leaves the chain moves the cursors on it. The others are in an index, and one whose segment has left is
 * moved when it is looked for.
 */
export class Cursors {
  private readonly tags: Cursor[] = [];
  private readonly marks: Cursor[] = [];
  private index: OldestFirst<unknown, Cursor> | undefined = undefined;
  private nextTag = 0;
  private nextMark = 0;
  /** The cursor found last: a receive looks twice, mostly for the reference just made or the same tag. */
  private recent: Cursor | undefined = undefined;

  /** A fresh reference: nothing before this place can carry it. */
  mark(key: unknown, segment: Segment, index: number): void {
    if (this.marks.length < MOST_MARKS) {
      this.recent = new Cursor(key, segment, index);
      this.marks.push(this.recent);
      return;
    }
    const older = this.marks[this.nextMark] as Cursor;
    this.recent = new Cursor(key, segment, index);
    this.marks[this.nextMark] = this.recent;
    this.nextMark = (this.nextMark + 1) % MOST_MARKS;
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

  /** A search for `keys` that began at their earliest cursor came to this place without a match before it. */
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
    if (this.tags.length < MOST_TAGS) {
      this.tags.push(new Cursor(key, segment, index));
      return;
    }
    const older = this.tags[this.nextTag] as Cursor;
    this.tags[this.nextTag] = new Cursor(key, segment, index);
    this.nextTag = (this.nextTag + 1) % MOST_TAGS;
    this.keep(older);
  }

  /** Puts a cursor that leaves an array into the index. */
  private keep(cursor: Cursor): void {
    if (cursor.key === undefined) return;
    this.index ??= new OldestFirst();
    const { index } = this;
    place(cursor, cursor.segment, cursor.index);
    index.set(cursor.key, cursor);
    if (index.size > MOST_INDEXED) index.takeOldest();
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

/** An indexed cursor, moved behind its segment when that has left the chain. O(segments between it and the nearer end). */
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
