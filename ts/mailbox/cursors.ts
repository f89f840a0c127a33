import type { Segment } from './segment.ts';

/** Tags and waiting receives remembered per mailbox; the oldest is replaced. */
const MOST_TAGS = 16;
/** Fresh references remembered per mailbox. */
const MOST_MARKS = 16;

/** A place in a mailbox: nothing before it matches `key`. */
export class Cursor {
  key: unknown;
  segment: Segment;
  index: number;

  constructor(key: unknown, segment: Segment, index: number) {
    this.key = key;
    this.segment = segment;
    this.index = index;
  }
}

/**
 * What a mailbox remembers about its own places. Few and in arrays: looking for a key compares at most 32 pointers,
 * and the cursors of a segment that leaves the chain move to the next one.
 */
export class Cursors {
  private readonly tags: Cursor[] = [];
  private readonly marks: Cursor[] = [];
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
    const cursor = this.marks[this.nextMark] as Cursor;
    this.nextMark = (this.nextMark + 1) % MOST_MARKS;
    cursor.key = key;
    cursor.segment = segment;
    cursor.index = index;
    this.recent = cursor;
  }

  /** Where a search for any of `keys` begins; null: at the front. */
  earliest(keys: readonly unknown[]): Cursor | null {
    let earliest: Cursor | null = null;
    for (let at = 0; at < keys.length; at++) {
      const cursor = this.find(keys[at]);
      if (cursor === undefined) return null;
      if (earliest === null || isBefore(cursor, earliest.segment, earliest.index)) earliest = cursor;
    }
    return earliest;
  }

  /** A search for `keys` that began at their earliest cursor came to this place without a match before it. */
  advance(keys: readonly unknown[], segment: Segment, index: number): void {
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const cursor = this.find(key);
      if (cursor === undefined) this.add(key, segment, index);
      else if (isBefore(cursor, segment, index)) {
        cursor.segment = segment;
        cursor.index = index;
      }
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
    this.nextTag = this.nextMark = 0;
  }

  private add(key: unknown, segment: Segment, index: number): void {
    if (this.tags.length < MOST_TAGS) {
      this.tags.push(new Cursor(key, segment, index));
      return;
    }
    const cursor = this.tags[this.nextTag] as Cursor;
    this.nextTag = (this.nextTag + 1) % MOST_TAGS;
    cursor.key = key;
    cursor.segment = segment;
    cursor.index = index;
  }

  private find(key: unknown): Cursor | undefined {
    const { recent } = this;
    if (recent !== undefined && recent.key === key) return recent;
    const found = foundIn(this.tags, key) ?? foundIn(this.marks, key);
    if (found !== undefined) this.recent = found;
    return found;
  }
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
  cursor.segment = next;
  cursor.index = next.start;
}
