import type { Down, Self, Timeout, TimerRef } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

/** Strays that a supervisor looks for; above it the one it has looked for longest is let go. */
const MAX_STRAYS = 10_000;
/** When it looks again, at first and at most. Unit: ms. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

/**
 * Children that were lost with their node, and may run on beyond a split: one that traps exits does, and there must not be two
 * (S3). Each is sent `kill` until its end is certain: killed, or not there any more, because its node was started anew.
 */
export class Strays {
  readonly #self: Self;
  /** By key. */
  readonly #strays = new Map<string, Pid>();
  /** By the id of the monitor that tells how it went. */
  readonly #chased = new Map<number, string>();
  #timer: TimerRef | undefined;
  #wait = FIRST_WAIT;

  constructor(self: Self) {
    this.#self = self;
  }

  get size(): number {
    return this.#strays.size;
  }

  /** What is started on that node after this comes after the kill (B1). */
  add(pid: Pid): void {
    const [oldest] = this.#strays.keys();
    if (this.#strays.size >= MAX_STRAYS && oldest !== undefined) this.#strays.delete(oldest);
    this.#strays.set(pid.key, pid);
    this.#wait = FIRST_WAIT;
    this.#chase(pid);
  }

  /** Before a child is started elsewhere: whatever becomes reachable by it hears of the kill first. O(strays). */
  chase(): void {
    if (this.#strays.size === 0) return;
    const busy = new Set(this.#chased.values());
    for (const [key, pid] of this.#strays) if (!busy.has(key)) this.#chase(pid);
  }

  down({ ref, reason }: Down): void {
    const key = this.#chased.get(ref.id);
    if (key === undefined) return;
    this.#chased.delete(ref.id);
    if (reason !== 'noconnection') this.#strays.delete(key);
    else if (this.#timer === undefined && this.#strays.has(key)) {
      this.#timer = this.#self.startTimer(this.#wait, this.#self.pid, null);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    }
  }

  timeout({ ref }: Timeout): void {
    if (this.#timer === undefined || this.#timer !== ref) return;
    this.#timer = undefined;
    this.chase();
  }

  #chase(pid: Pid): void {
    this.#chased.set(this.#self.monitor(pid).id, pid.key);
    this.#self.sendExit(pid, 'kill');
  }
}
