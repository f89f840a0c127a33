/** What can stand in the run queue: a link for the queue and one turn of work. */
export interface Runnable {
  /** @internal */
  nextInQueue: Runnable | undefined;
  /** Does a bounded amount of work. Never throws. */
  turn(): void;
}

/** Turns in one slice before the event loop gets its turn. */
const TURNS = 2000;
/** The clock is looked at after this many turns... */
const CLOCK_EVERY = 64;
/** ...and ends the slice after this many ms. */
const SLICE_MS = 2;

/**
 * The one run queue of a runtime.
 *
 * A slice runs as a microtask of whoever made work, until the queue is empty or the budget is spent; then `setImmediate`
 * lets timers and sockets in (a MessageChannel would starve timers). The budget is shared with actors that resume as
 * microtasks of their own: `spend()` tells them whether they may.
 */
export class Scheduler {
  /** Called at the end of every slice. */
  onSliceEnd: () => void = () => {};
  private head: Runnable | undefined;
  private tail: Runnable | undefined;
  private isScheduled = false;
  private isRunning = false;
  private isDeferred = false;
  private budget = TURNS;
  private checkAt = TURNS - CLOCK_EVERY;
  private sliceStart = 0;

  /** Whether something waits in the queue. */
  get hasWork(): boolean {
    return this.head !== undefined;
  }

  /** Puts `item` at the end of the queue; it must not be in it. O(1). */
  enqueue(item: Runnable): void {
    if (this.tail === undefined) this.head = item;
    else this.tail.nextInQueue = item;
    this.tail = item;
    if (!this.isScheduled && !this.isRunning) this.schedule();
  }

  /** Takes one turn from the budget. False: it is spent; queue up instead. */
  spend(): boolean {
    if (this.budget <= 0) return false;
    if (--this.budget === this.checkAt) this.checkClock();
    return true;
  }

  /** Runs the queue now, within the budget. Returns true when work is left. For callers on a fresh turn of the event loop. */
  runSlice(): boolean {
    this.run();
    return this.head !== undefined;
  }

  private schedule(): void {
    this.isScheduled = true;
    if (this.budget > 0) queueMicrotask(this.run);
    else this.defer();
  }

  /** Goes on in a later turn of the event loop, with a new budget. */
  private defer(): void {
    if (this.isDeferred) return;
    this.isDeferred = true;
    setImmediate(this.renew);
  }

  private readonly renew = (): void => {
    this.isDeferred = false;
    this.budget = TURNS;
    this.checkAt = TURNS - CLOCK_EVERY;
    this.sliceStart = performance.now();
    this.run();
  };

  private readonly run = (): void => {
    if (this.isRunning) return;
    this.isRunning = true;
    for (;;) {
      const item = this.head;
      if (item === undefined || !this.spend()) break;
      this.head = item.nextInQueue;
      if (this.head === undefined) this.tail = undefined;
      item.nextInQueue = undefined;
      item.turn();
    }
    this.isRunning = false;
    this.isScheduled = this.head !== undefined;
    if (this.isScheduled) this.defer();
    this.onSliceEnd();
  };

  private checkClock(): void {
    const now = performance.now();
    if (now - this.sliceStart > SLICE_MS) this.budget = 0;
    else this.checkAt = this.budget - CLOCK_EVERY;
    if (this.budget === 0) this.sliceStart = now;
  }
}
