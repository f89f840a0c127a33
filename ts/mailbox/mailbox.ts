// A mailbox is a chain of fixed segments. Taking from the middle leaves a hole; holes at the front are skipped for good.
//
//   first                         last
//   [ · · H m m · m m ] ──► [ m m m m _ _ _ _ ]
//         ▲ head                      ▲ tail
//
// Positions are absolute and only grow, so "everything before position p was looked at" stays true while messages come
// and go: that is what a waiting receive, a tag and a fresh reference remember instead of scanning again (rule B6).

const SEGMENT = 64;

/** Fills the place of a message that was taken. */
const HOLE: unique symbol = Symbol('hole');

/** What {@link Mailbox.take} returns when nothing matches. */
export const NOTHING: unique symbol = Symbol('nothing');

class Segment {
  readonly base: number;
  readonly slots: unknown[] = new Array(SEGMENT);
  next: Segment | undefined = undefined;

  constructor(base: number) {
    this.base = base;
  }
}

/** A place in a mailbox; keeps its segment so that going on from it costs nothing. */
export class Cursor {
  segment: Segment;
  index: number;

  constructor(segment: Segment, index: number) {
    this.segment = segment;
    this.index = index;
  }
}

export class Mailbox {
  /** Messages waiting. */
  size = 0;
  private first: Segment = new Segment(0);
  private last: Segment = this.first;
  private head = 0;
  private tail = 0;
  /** Once somebody holds a cursor, segments are not rewound. */
  private hasCursors = false;

  /** Adds a message at the end. O(1). */
  push(message: unknown): void {
    if (this.tail === SEGMENT) this.grow();
    this.last.slots[this.tail++] = message;
    this.size++;
  }

  /** Takes the oldest message; call only when `size > 0`. Amortised O(1). */
  shift(): unknown {
    for (;;) {
      if (this.head === SEGMENT) this.drop();
      const message = this.first.slots[this.head];
      this.first.slots[this.head++] = HOLE;
      if (message !== HOLE) {
        if (--this.size === 0) this.rewind();
        return message;
      }
    }
  }

  /** A cursor at the oldest message. */
  begin(): Cursor {
    this.hasCursors = true;
    return new Cursor(this.first, this.head);
  }

  /** A cursor behind the newest message. */
  end(): Cursor {
    this.hasCursors = true;
    return new Cursor(this.last, this.tail);
  }

  /**
   * Takes the oldest message from `cursor` on that `test` accepts, or returns {@link NOTHING}; the cursor then stands
   * where the search may go on later. O(messages looked at).
   */
  take(test: (message: unknown) => boolean, cursor: Cursor): unknown {
    for (;;) {
      const segment = cursor.segment;
      const end = segment === this.last ? this.tail : SEGMENT;
      while (cursor.index < end) {
        const message = segment.slots[cursor.index];
        if (message !== HOLE && test(message)) {
          segment.slots[cursor.index++] = HOLE;
          this.size--;
          if (this.size === 0) this.skipAll();
          return message;
        }
        cursor.index++;
      }
      if (segment === this.last || segment.next === undefined) return NOTHING;
      cursor.segment = segment.next;
      cursor.index = 0;
    }
  }

  /** Forgets everything that waits; returns how many messages that were. */
  clear(): number {
    const dropped = this.size;
    this.first = this.last = new Segment(0);
    this.head = this.tail = this.size = 0;
    this.hasCursors = false;
    return dropped;
  }

  /** The messages that wait, oldest first. O(n): for tests and inspection. */
  *[Symbol.iterator](): Iterator<unknown> {
    let index = this.head;
    for (let segment: Segment | undefined = this.first; segment !== undefined; segment = segment.next) {
      const end = segment === this.last ? this.tail : SEGMENT;
      for (; index < end; index++) if (segment.slots[index] !== HOLE) yield segment.slots[index];
      index = 0;
    }
  }

  private grow(): void {
    const segment = new Segment(this.last.base + SEGMENT);
    this.last.next = segment;
    this.last = segment;
    this.tail = 0;
  }

  private drop(): void {
    if (this.first.next === undefined) this.grow();
    this.first = this.first.next as Segment;
    this.head = 0;
  }

  /** Everything was taken: start the segment again unless somebody remembers a place in it. */
  private rewind(): void {
    if (this.hasCursors) return;
    this.head = 0;
    this.tail = 0;
  }

  private skipAll(): void {
    this.first = this.last;
    this.head = this.tail;
    this.rewind();
  }
}
