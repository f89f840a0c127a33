/** Messages in a segment. */
export const SEGMENT = 64;
/** Segments kept for the next mailbox that needs one (about 600 bytes each). */
const POOL_LIMIT = 1024;

/** Fills the place of a message that was taken from the middle. */
export const HOLE: unique symbol = Symbol('snowmesh.hole');

const pool: Segment[] = [];
let uses = 0;

/** A fixed run of places. `base` grows along the chain, so that two positions can be compared. */
export class Segment {
  readonly slots: unknown[] = new Array(SEGMENT).fill(undefined);
  base = 0;
  /** Changes when the segment is reused: a position kept with an older number has left the mailbox. */
  use = 0;
  /** First place that may hold a message. */
  start = 0;
  /** First place that was never used. */
  end = 0;
  /** Messages in it. */
  live = 0;
  previous: Segment | null = null;
  next: Segment | null = null;

  static take(base: number): Segment {
    const segment = pool.pop() ?? new Segment();
    segment.base = base;
    segment.use = ++uses;
    return segment;
  }

  /** Gives it back. Its places hold nothing any more, but for holes. */
  release(): void {
    this.use = 0;
    if (pool.length >= POOL_LIMIT) return;
    if (this.end > this.start) this.slots.fill(undefined, this.start, this.end);
    this.start = this.end = this.live = 0;
    this.previous = this.next = null;
    pool.push(this);
  }
}
