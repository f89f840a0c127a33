// A binary heap by (time, order of arming). Timers with one constant delay arrive in order, so pushing is O(1) for them;
// cancelling marks, and the heap is rebuilt when more than half of it is marked, so it costs O(1) amortised.

/** One armed timer. */
export class Timer {
  at: number;
  order: number;
  /** Called when due; undefined once it fired or was cancelled. */
  fire: (() => void) | undefined;

  constructor(at: number, order: number, fire: () => void) {
    this.at = at;
    this.order = order;
    this.fire = fire;
  }
}

const COMPACT_ABOVE = 64;

export class TimerHeap {
  /** Timers that have neither fired nor been cancelled. */
  live = 0;
  private heap: Timer[] = [];

  push(timer: Timer): void {
    this.live++;
    const heap = this.heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!isBefore(timer, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  /** Returns false when it had fired or been cancelled before. */
  cancel(timer: Timer): boolean {
    if (timer.fire === undefined) return false;
    timer.fire = undefined;
    this.live--;
    if (this.heap.length > COMPACT_ABOVE && this.live * 2 < this.heap.length) this.compact();
    return true;
  }

  /** The earliest live timer, or undefined. */
  peek(): Timer | undefined {
    for (;;) {
      const top = this.heap[0];
      if (top === undefined || top.fire !== undefined) return top;
      this.removeTop();
    }
  }

  /** Takes the earliest live timer when it is due at `now`; the caller calls `fire` itself. */
  popDue(now: number): Timer | undefined {
    const top = this.peek();
    if (top === undefined || top.at > now) return undefined;
    this.removeTop();
    this.live--;
    return top;
  }

  clear(): void {
    for (const timer of this.heap) timer.fire = undefined;
    this.heap = [];
    this.live = 0;
  }

  private removeTop(): void {
    const last = this.heap.pop() as Timer;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
  }

  private sink(start: number): void {
    const heap = this.heap;
    const timer = heap[start] as Timer;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, timer)) break;
      heap[index] = heap[child] as Timer;
      index = child;
    }
    heap[index] = timer;
  }

  private compact(): void {
    this.heap = this.heap.filter((timer) => timer.fire !== undefined);
    for (let index = (this.heap.length >> 1) - 1; index >= 0; index--) this.sink(index);
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
