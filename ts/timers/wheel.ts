// A hierarchical timing wheel. Ticks are whole milliseconds, counted within an epoch of 2^30 ms (12 days) so that they
// are small integers; what is due in a later epoch waits in one list and is dealt out when its epoch begins.
//
//   level 0   64 slots of 1 ms           [ . . x . . . ]      a timer lies on the level of the highest digit (base 64)
//   level 1   64 slots of 64 ms          [ . x . . . . ]      in which its tick differs from the current one, so a slot
//   …                                                         is never ahead by a whole turn, and moving on means:
//   level 4   64 slots of 2^24 ms        [ x . . . . . ]      fire a slot of level 0, or deal a higher slot out below

/** One timer. It belongs to the wheel's list while it waits. */
export abstract class Timer {
  /** On the clock, in ms. */
  due = 0;
  /** @internal Which list it is in. */
  slot = INACTIVE;
  /** @internal */
  earlier: Timer | null = null;
  /** @internal */
  later: Timer | null = null;

  /** Called once when it is due. Must not throw. */
  abstract fire(): void;
}

/** `Timer.slot` of a timer that does not wait. */
export const INACTIVE = -1;

const BITS = 6;
const SLOTS = 1 << BITS;
const LEVELS = 5;
const EPOCH = 2 ** (BITS * LEVELS);
/** Lists beside the slots: due in a later epoch, and due now. */
const FAR = LEVELS * SLOTS;
const DUE = FAR + 1;

export class Wheel {
  size = 0;
  private epoch: number;
  private current: number;
  private readonly heads: (Timer | null)[] = new Array(DUE + 1).fill(null);
  private readonly tails: (Timer | null)[] = new Array(DUE + 1).fill(null);
  /** One bit a slot that is not empty: two words a level, and one that is not read, for FAR and DUE. */
  private readonly used = new Uint32Array(LEVELS * 2 + 1);
  /** The earliest epoch that a timer in FAR belongs to, or earlier. */
  private farEpoch = Number.POSITIVE_INFINITY;

  /** `now` in whole ms. */
  constructor(now: number) {
    this.epoch = Math.floor(now / EPOCH) * EPOCH;
    this.current = now - this.epoch;
  }

  /** O(1). */
  add(timer: Timer): void {
    this.size++;
    this.place(timer);
  }

  /** Takes a waiting timer out. O(1). */
  remove(timer: Timer): void {
    this.size--;
    this.unlink(timer);
  }

  /** Everything due at `now` (whole ms, not before the last `now`) becomes ready for `takeDue`, in order of the times. */
  advance(now: number): void {
    while (this.step(now - this.epoch));
    if (now - this.epoch >= EPOCH) {
      this.epoch = Math.floor(now / EPOCH) * EPOCH;
      this.current = 0;
      this.farEpoch = Number.POSITIVE_INFINITY;
      this.dealOut(FAR); // what an epoch in between would have fired is due at its first ms
      while (this.step(now - this.epoch));
    }
    this.current = now - this.epoch;
  }

  /** Takes the next timer that is due; null: none is. */
  takeDue(): Timer | null {
    const timer = this.heads[DUE] as Timer | null;
    if (timer !== null) this.remove(timer);
    return timer;
  }

  /** A tick before which nothing is due: exact within 64 ms, else a moment at which to look again. O(1). */
  nextTick(): number {
    if (this.heads[DUE] !== null) return this.epoch + this.current;
    for (let level = 0; level < LEVELS; level++) {
      const slot = this.firstSlot(level);
      if (slot >= 0) return this.epoch + this.startOf(level, slot);
    }
    return this.farEpoch;
  }

  clear(): void {
    for (let list = 0; list <= DUE; list++) {
      for (let timer = this.heads[list] ?? null; timer !== null; ) {
        const { later } = timer;
        timer.slot = INACTIVE;
        timer.earlier = timer.later = null;
        timer = later;
      }
      this.heads[list] = this.tails[list] = null;
    }
    this.used.fill(0);
    this.farEpoch = Number.POSITIVE_INFINITY;
    this.size = 0;
  }

  /** Moves to the next slot that is not empty and begins at `end` or before; false: there is none. */
  private step(end: number): boolean {
    for (let level = 0; level < LEVELS; level++) {
      const slot = this.firstSlot(level);
      if (slot < 0) continue;
      const start = this.startOf(level, slot);
      if (start > end) return false;
      this.current = start;
      if (level === 0) this.ready(slot);
      else this.dealOut(level * SLOTS + slot);
      return true;
    }
    return false;
  }

  /** Puts the timers of a list where they belong now. */
  private dealOut(list: number): void {
    let timer = this.heads[list] as Timer | null;
    this.heads[list] = this.tails[list] = null;
    this.clearBit(list);
    while (timer !== null) {
      const { later } = timer;
      this.place(timer);
      timer = later;
    }
  }

  /** All timers of one ms are due. Their times may differ by fractions, and those count too (H2). */
  private ready(slot: number): void {
    const timers: Timer[] = [];
    let isSorted = true;
    for (let timer = this.heads[slot] as Timer | null; timer !== null; timer = timer.later) {
      const last = timers.at(-1);
      if (last !== undefined && last.due > timer.due) isSorted = false;
      timers.push(timer);
    }
    this.heads[slot] = this.tails[slot] = null;
    this.clearBit(slot);
    if (!isSorted) timers.sort((a, b) => a.due - b.due);
    for (const timer of timers) this.append(DUE, timer);
  }

  private place(timer: Timer): void {
    const tick = Math.ceil(timer.due) - this.epoch;
    if (tick >= EPOCH) {
      const epoch = Math.floor(Math.ceil(timer.due) / EPOCH) * EPOCH;
      if (epoch < this.farEpoch) this.farEpoch = epoch;
      this.append(FAR, timer);
      return;
    }
    const at = tick > this.current ? tick : this.current;
    const level = ((31 - Math.clz32(at ^ this.current)) / BITS) | 0; // 0 also for the current tick
    const slot = (at >>> (level * BITS)) & (SLOTS - 1);
    const word = level * 2 + (slot >>> 5);
    this.used[word] = (this.used[word] as number) | (1 << (slot & 31));
    this.append(level * SLOTS + slot, timer);
  }

  private append(list: number, timer: Timer): void {
    const last = this.tails[list] as Timer | null;
    timer.slot = list;
    timer.earlier = last;
    timer.later = null;
    if (last === null) this.heads[list] = timer;
    else last.later = timer;
    this.tails[list] = timer;
  }

  private unlink(timer: Timer): void {
    const { slot, earlier, later } = timer;
    if (earlier === null) this.heads[slot] = later;
    else earlier.later = later;
    if (later === null) this.tails[slot] = earlier;
    else later.earlier = earlier;
    if (this.heads[slot] === null) this.clearBit(slot);
    timer.slot = INACTIVE;
    timer.earlier = timer.later = null;
  }

  private clearBit(list: number): void {
    const word = list >>> 5;
    this.used[word] = (this.used[word] as number) & ~(1 << (list & 31));
  }

  /** The first slot of `level` that is not empty; -1: none. Those that the current tick has passed are empty. */
  private firstSlot(level: number): number {
    const low = this.used[level * 2] as number;
    if (low !== 0) return lowestBit(low);
    const high = this.used[level * 2 + 1] as number;
    return high === 0 ? -1 : 32 + lowestBit(high);
  }

  /** The tick at which a slot begins, given the digits above it are the current ones. */
  private startOf(level: number, slot: number): number {
    const width = level * BITS;
    const above = width + BITS >= 30 ? 0 : (this.current >>> (width + BITS)) << (width + BITS);
    return above + slot * 2 ** width;
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
