import { NO_STORE } from './store.ts';

/** An item of the run queue; it is in the queue at most once at a time. */
export interface Queued<T> {
  /** @internal The queue is a list through its items. */
  nextInQueue: T | null;
}

/** ms before the event loop runs... */
const SLICE_MS = 2;
/** ...or turns, in case the clock does not advance: tests replace it by fake ones. */
export const TURNS_PER_SLICE = 20_000;
/** The clock is looked at about this often, but not before `MOST_UNCHECKED` turns when turns are short. Unit: ms. */
const CHECK_MS = 0.1;
const MOST_UNCHECKED = 64;
const FIRST_UNCHECKED = 16;
/** Slices in a row that begin with the same item, because its turn was cut off. */
const MOST_IN_A_ROW = 4;

const TICK = NO_STORE.runInAsyncScope(() => Promise.resolve());

/**
 * The one run queue of a runtime.
 *
 * ```
 *   enqueue ─► microtask: pump ─► item ─► item ─► item that resumes a promise ─► (its continuation) ─► item ─► …
 *                          └─ budget spent: setImmediate ─► a new budget, pump again
 * ```
 *
 * A slice runs in microtasks. The budget belongs to a turn of the event loop, not to a slice, and code that continues
 * without the queue (a receive that finds a message) takes from it too: otherwise an actor that sends to itself would let no
 * timer fire. A MessageChannel instead of `setImmediate` would starve timers.
 *
 * Promises and immediates carry the AsyncLocalStorage stores of the code that makes them: those of the scheduler are made in
 * NO_STORE, or the items would run in the stores of whoever queued the first of them.
 */
export class Scheduler<T extends Queued<T>> {
  private readonly run: (item: T) => boolean;
  /** Called when the queue is empty or the budget spent. Must not throw. */
  onSliceEnd: () => void;
  private head: T | null = null;
  private tail: T | null = null;
  /** A pump is running, or will run as a microtask. */
  private isPumping = false;
  private isSpent = false;
  private hasSettled = false;
  /** Turns until the clock is looked at. */
  private credit = FIRST_UNCHECKED;
  private stride = FIRST_UNCHECKED;
  private turns = 0;
  private isArmed = false;
  /** The item whose turn was cut off last, in which slice, and in how many slices in a row. */
  private unfinished: T | null = null;
  private cutIn = 0;
  private inARow = 0;
  private slice = 0;
  private sliceStart = 0;
  private checkedAt = 0;

  /**
   * @param run Gives an item its turn: a bounded amount of work. It never throws. True: it settled a promise, and the code
   * behind that promise must run, as a microtask, before the next item does.
   */
  constructor(run: (item: T) => boolean, onSliceEnd: () => void = () => {}) {
    this.run = run;
    this.onSliceEnd = onSliceEnd;
  }

  /** Whether something waits for its turn. */
  get hasWork(): boolean {
    return this.head !== null;
  }

  /** Puts `item` at the end of the queue. O(1). */
  enqueue(item: T): void {
    if (this.tail === null) this.head = item;
    else this.tail.nextInQueue = item;
    this.tail = item;
    if (!this.isPumping) this.start();
  }

  /**
   * Queues an item whose turn was cut off because the budget is spent: the next slice begins with it. Otherwise those that
   * send to it would run in between, and what waits for it would grow for as long as they do. An item for which a few slices
   * are not enough goes to the end of the queue, so the others wait for milliseconds. O(1).
   */
  enqueueUnfinished(item: T): void {
    const isAgain = this.unfinished === item && this.cutIn === this.slice - 1;
    this.inARow = isAgain ? this.inARow + 1 : 1;
    this.unfinished = item;
    this.cutIn = this.slice;
    if (this.head === null || this.inARow >= MOST_IN_A_ROW) {
      this.unfinished = null;
      this.enqueue(item);
      return;
    }
    item.nextInQueue = this.head;
    this.head = item;
    if (!this.isPumping) this.start();
  }

  /** Makes sure that `onSliceEnd` is called soon, also when nothing waits. */
  wake(): void {
    if (!this.isPumping) this.start();
  }

  /** A promise was settled outside of the queue: the code behind it runs before the next item does. */
  settled(): void {
    this.hasSettled = true;
  }

  /** Code behind a settled promise continues: takes a turn for it, and lets it run before the next item. False: use the queue instead. */
  goOn(): boolean {
    if (!this.spend()) return false;
    this.hasSettled = true;
    return true;
  }

  /** Takes one turn from the budget of this turn of the event loop. False: it is spent; queue up instead. */
  spend(): boolean {
    return --this.credit >= 0 || this.check();
  }

  /**
   * Runs what waits now, on the caller's stack, as far as the budget goes; what resumes promises continues in microtasks.
   * For a fresh turn of the event loop. True: the budget was not enough.
   */
  runSlice(): boolean {
    if (!this.isPumping) {
      this.isPumping = true;
      this.goThrough();
    }
    return this.isSpent && this.head !== null;
  }

  private start(): void {
    if (this.isSpent) return; // the pending immediate continues
    this.isPumping = true;
    NO_STORE.runInAsyncScope(this.pumpSoon);
  }

  private readonly pumpSoon = (): void => {
    void TICK.then(this.pump);
  };

  private readonly pump = (): void => {
    if (this.hasSettled && this.head !== null) {
      // No item has run, so this is still outside of all stores.
      this.hasSettled = false;
      this.pumpSoon();
    } else this.goThrough();
  };

  private goThrough(): void {
    if (this.drain()) NO_STORE.runInAsyncScope(this.pumpSoon);
    else this.rest();
  }

  private readonly renewSoon = (): void => {
    setImmediate(this.renew);
  };

  /** Runs items; true as soon as one resumed a promise, false when none may run. */
  private drain(): boolean {
    for (;;) {
      const item = this.head;
      if (item === null) return false;
      if (this.hasSettled) {
        this.hasSettled = false;
        return true;
      }
      if (!this.spend()) return false;
      this.head = item.nextInQueue;
      if (this.head === null) this.tail = null;
      else item.nextInQueue = null;
      if (this.run(item)) return true;
    }
  }

  private rest(): void {
    this.isPumping = false;
    if (this.head === null) this.unfinished = null;
    this.onSliceEnd();
  }

  /** Looks at the clock: whether the budget is spent. */
  private check(): boolean {
    if (this.isSpent) return false;
    const now = performance.now();
    this.turns += this.stride;
    if (!this.isArmed) {
      // When the work since the last turn of the event loop began is unknown; it was not long ago.
      this.isArmed = true;
      NO_STORE.runInAsyncScope(this.renewSoon);
      this.sliceStart = now;
    } else {
      const perTurn = (now - this.checkedAt) / this.stride;
      this.stride = Math.max(1, Math.min(MOST_UNCHECKED, Math.floor(CHECK_MS / (perTurn + 1e-6))));
    }
    this.checkedAt = now;
    if (this.turns >= TURNS_PER_SLICE || now - this.sliceStart >= SLICE_MS) {
      this.isSpent = true;
      return false;
    }
    this.credit = this.stride - 1;
    return true;
  }

  /** The event loop turned: timers and sockets have run. */
  private readonly renew = (): void => {
    this.isArmed = false;
    this.isSpent = false;
    this.turns = 0;
    this.slice++;
    this.credit = this.stride;
    if (this.head !== null) {
      this.isArmed = true;
      NO_STORE.runInAsyncScope(this.renewSoon);
      this.sliceStart = this.checkedAt = performance.now();
    }
    this.runSlice();
  };
}
