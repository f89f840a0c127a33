/** Slots in a segment. */
export const SEGMENT = 64;
/** Most unused segments in the pool (about 600 bytes each). */
const POOL_LIMIT = 1024;

/** Fills the slot of a message that was taken out of the middle. */
export const HOLE: unique symbol = Symbol('snowmesh.hole');

const pool: Segment[] = [];
let uses = 0;

/** A fixed number of slots for messages. `base` grows along the chain, so that two positions can be compared. */
export class Segment {
  readonly slots: unknown[] = new Array(SEGMENT).fill(undefined);
  base = 0;
  /** Changes when the segment is reused: a position with an older number is no longer in the mailbox. */
  use = 0;
  /** The first slot that may hold a message. */
  start = 0;
  /** The first slot that was never used. */
  end = 0;
  /** How many messages are in it. */
  live = 0;
  previous: Segment | null = null;
  next: Segment | null = null;

  static take(base: number): Segment {
    const segment = pool.pop() ?? new Segment();
    segment.base = base;
    segment.use = ++uses;
    return segment;
  }

  /** Returns it to the pool. Its slots must hold no message, only holes. */
  release(): void {
    this.use = 0;
    if (this.end > this.start) this.slots.fill(undefined, this.start, this.end);
    this.start = this.end = this.live = 0;
    // A cursor may still point to the segment: it must keep no message and no other segment in memory.
    this.previous = this.next = null;
    if (pool.length < POOL_LIMIT) pool.push(this);
  }
}
