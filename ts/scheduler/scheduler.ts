import { carriesStore, NO_STORE } from './store.ts';

/** An item of the run queue; it is in the queue at most once at a time. */
export interface Queued<T> {
  /** @internal The queue is a list through its items. */
  nextInQueue: T | null;
}

/** The budget: ms of turns before the event loop runs. */
const SLICE_MS = 2;
/** The budget in turns, in case the clock does not advance: tests replace it by a fake one. */
export const TURNS_PER_SLICE = 20_000;
/** The clock is read about every `CHECK_MS` milliseconds, and at least every `MAX_UNCHECKED` turns. */
const CHECK_MS = 0.1;
const MAX_UNCHECKED = 64;
const FIRST_UNCHECKED = 16;
/** Most slices in a row that begin with the same item because its turn was cut off. */
const MAX_IN_A_ROW = 4;
/** After so many microtasks in which code continued without the queue, the pump waits until that code has to wait itself. */
const MAX_LOOKS = 8;

const TICK = NO_STORE.runInAsyncScope(() => Promise.resolve());
/** Whether promises carry stores, as far as is known: Node.js has no event for the first use of one. */
let areStoresUsed = carriesStore(TICK);

/**
 * The one run queue of a runtime.
 *
 * ```
 *   enqueue ─► microtask: pump ─► item ─► item ─► item that resumes a promise ─► (its continuation) ─► item ─► …
 *                          └─ budget spent: setImmediate ─► a new budget, pump again
 * ```
 *
 * A slice runs in microtasks. The budget belongs to one turn of the event loop, not to a slice. Code that continues without the queue
 * (a receive that finds a message) takes from it, too: otherwise no timer would fire while an actor sends to itself. A MessageChannel
 * in place of `setImmediate` would starve timers. While such code continues for many microtasks, no pump runs: it is parked until the
 * code waits for a message or an answer, an item is added, or the event loop turns.
 *
 * Promises and immediates carry the AsyncLocalStorage stores of the code that makes them. The scheduler makes its own in NO_STORE:
 * otherwise all items would run in the stores of the code that queued the first one.
 */
export class Scheduler<T extends Queued<T>> {
  private readonly run: (item: T) => boolean;
  /** Called when the queue is empty or the budget spent. Must not throw. */
  onSliceEnd: () => void;
  private head: T | null = null;
  private tail: T | null = null;
  /** A pump is running, or will run as a microtask. */
  private isPumping = false;
  /** There are items, but no pump: {@link waits}, a new item or the pending immediate starts it. */
  private isParked = false;
  /** Pumps in a row that found that other code continues first. */
  private looks = 0;
  /** Pumps that will run, but must do nothing. */
  private strays = 0;
  private isSpent = false;
  private hasSettled = false;
  /** Turns until the clock is read. */
  private credit = FIRST_UNCHECKED;
  private stride = FIRST_UNCHECKED;
  private turns = 0;
  private isArmed = false;
  /** The item whose turn was cut off last; in which slice that was, and in how many slices in a row. */
  private unfinished: T | null = null;
  private cutIn = 0;
  private inARow = 0;
  private slice = 0;
  private sliceStart = 0;
  private checkedAt = 0;

  /**
   * @param run Gives an item its turn, a bounded amount of work. It never throws. True: it settled a promise, and the code that awaits
   * the promise must run, as a microtask, before the next item.
   */
  constructor(run: (item: T) => boolean, onSliceEnd: () => void = () => {}) {
    this.run = run;
    this.onSliceEnd = onSliceEnd;
  }

  /** Whether the queue holds an item. */
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
   * Queues an item whose turn was cut off because the budget was spent: the next slice begins with it. Otherwise its senders would run in
   * between, and its backlog would grow. After {@link MAX_IN_A_ROW} slices it goes to the end of the queue, so that the other items
   * wait for milliseconds only. O(1).
   */
  enqueueUnfinished(item: T): void {
    const isAgain = this.unfinished === item && this.cutIn === this.slice - 1;
    this.inARow = isAgain ? this.inARow + 1 : 1;
    this.unfinished = item;
    this.cutIn = this.slice;
    if (this.head === null || this.inARow >= MAX_IN_A_ROW) {
      this.unfinished = null;
      this.enqueue(item);
      return;
    }
    item.nextInQueue = this.head;
    this.head = item;
    if (!this.isPumping) this.start();
  }

  /** Makes sure that `onSliceEnd` is called soon, also when the queue is empty. */
  wake(): void {
    if (!this.isPumping) this.start();
  }

  /** Code that may have continued without the queue waits from now on: the items are next. */
  waits(): void {
    if (this.isParked) this.start();
  }

  /** A promise was settled outside of the queue: the code that awaits it runs before the next item. */
  settled(): void {
    this.hasSettled = true;
  }

  /** Takes one turn for code that continues after a promise was settled, and lets it run before the next item. False: the budget is spent, use the queue. */
  tryContinue(): boolean {
    if (!this.spend()) return false;
    this.hasSettled = true;
    return true;
  }

  /** Takes one turn from the budget of this turn of the event loop. False: the budget is spent, use the queue. */
  spend(): boolean {
    return --this.credit >= 0 || this.check();
  }

  /**
   * Runs queued items on the caller's stack, until the budget is spent; after an item that settles a promise it continues in microtasks.
   * For code that runs in a new turn of the event loop.
   */
  runSlice(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    this.isParked = false;
    this.goThrough();
  }

  private start(): void {
    if (this.isParked) {
      this.isParked = false;
      this.looks = 0; // an item that comes later must not find it parked at once: the code that continued may wait now
    } else if (this.isSpent) return; // the pending immediate continues
    this.isPumping = true;
    this.pumpSoon();
  }

  /** The pump runs in no store. Entering NO_STORE costs 60 ns and 170 bytes, so that is left out while no promise carries a store. */
  private pumpSoon(): void {
    if (!areStoresUsed) {
      if (!carriesStore(TICK.then(this.pump))) return;
      areStoresUsed = true;
      this.strays++; // that promise may carry the stores of the code that runs now
    }
    NO_STORE.runInAsyncScope(this.pumpAgain);
  }

  private readonly pumpAgain = (): void => {
    void TICK.then(this.pump);
  };

  private readonly pump = (): void => {
    if (this.strays > 0) {
      this.strays--;
      return;
    }
    if (this.hasSettled && this.head !== null) {
      this.hasSettled = false;
      this.looks++;
      if (this.looks >= MAX_LOOKS && this.isArmed) this.park();
      else this.pumpAgain(); // no item has run yet, so this still runs in no store
    } else this.goThrough();
  };

  /** An actor with a long mailbox continues for many microtasks; a pump in each of them took 14 % of its time. */
  private park(): void {
    this.isPumping = false;
    this.isParked = true;
  }

  private readonly renewSoon = (): void => {
    setImmediate(this.renew);
  };

  /**
   * Runs items until the queue is empty, the budget is spent, or one settled a promise. One function without helpers: each frame between
   * the pump and an actor's code makes the errors that the actor throws 4 % slower, because V8 records it.
   */
  private goThrough(): void {
    this.looks = 0;
    for (;;) {
      const item = this.head;
      if (item === null) return this.rest();
      if (this.hasSettled) {
        this.hasSettled = false;
        break;
      }
      if (!this.spend()) return this.rest();
      this.head = item.nextInQueue;
      if (this.head === null) this.tail = null;
      else item.nextInQueue = null;
      if (this.run(item)) break;
    }
    this.pumpSoon(); // after the code that awaits the promise
  }

  private rest(): void {
    this.isPumping = false;
    if (this.head === null) this.unfinished = null;
    this.onSliceEnd();
  }

  /** Reads the clock. False: the budget is spent. */
  private check(): boolean {
    if (this.isSpent) return false;
    const now = performance.now();
    this.turns += this.stride;
    if (!this.isArmed) {
      // It is not known when this turn of the event loop began; it was not long ago, so the budget starts now.
      this.isArmed = true;
      NO_STORE.runInAsyncScope(this.renewSoon);
      this.sliceStart = now;
    } else {
      const perTurn = (now - this.checkedAt) / this.stride;
      this.stride = Math.max(1, Math.min(MAX_UNCHECKED, Math.floor(CHECK_MS / (perTurn + 1e-6))));
    }
    this.checkedAt = now;
    if (this.turns >= TURNS_PER_SLICE || now - this.sliceStart >= SLICE_MS) {
      this.isSpent = true;
      return false;
    }
    this.credit = this.stride - 1;
    return true;
  }

  /** A new turn of the event loop: timers and sockets have run, so the budget is full again. */
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
