// Timers as actors see them.
import { copyTerm, Pid } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { type Cell, cellOf } from './cell.ts';
import { deliver, send } from './delivery.ts';
import { crash } from './lifecycle.ts';
import type { Runtime } from './runtime.ts';
import type { Dest } from './self.ts';
import { Timeout, TimerRef } from './timer-ref.ts';
import { checkDelay } from './waiting.ts';

/** What a timer does when it fires. */
export type TimerKind = 'send' | 'timeout' | 'interval';

/** A timer with a message. It ends with the local actor it is aimed at (rule H6). */
export class ActorTimer extends Timer {
  readonly ref: TimerRef;
  private readonly runtime: Runtime;
  private readonly owner: Cell;
  private readonly kind: TimerKind | 'run';
  private readonly to: Dest<never> | null;
  private readonly what: unknown;
  private readonly interval: number;

  constructor(owner: Cell, kind: TimerKind | 'run', to: Dest<never> | null, what: unknown, interval: number) {
    super();
    this.ref = new TimerRef(this);
    this.runtime = owner.runtime;
    this.owner = owner;
    this.kind = kind;
    this.to = to;
    this.what = what;
    this.interval = interval;
  }

  fire(): void {
    if (this.kind === 'interval')
      this.runtime.timers.startAt(this, Math.max(this.due + this.interval, this.runtime.now()));
    else this.forget();
    if (this.kind === 'run') this.call();
    else this.deliver();
  }

  /** The actor whose death ends it. */
  get bound(): Cell | undefined {
    if (this.kind === 'run') return this.owner;
    return this.to instanceof Pid ? cellOf(this.to) : undefined;
  }

  forget(): void {
    this.bound?.extra?.timers?.delete(this);
  }

  private call(): void {
    if (this.owner.isDead) return;
    try {
      (this.what as () => void)();
    } catch (error) {
      crash(this.owner, error);
    }
  }

  private deliver(): void {
    const { runtime, to } = this;
    const message = this.kind === 'timeout' ? new Timeout(this.ref, this.what) : this.what;
    if (to instanceof Pid && to.nc === 0) {
      const cell = cellOf(to);
      if (cell !== undefined) deliver(cell, this.kind === 'interval' ? copyTerm(message) : message);
    } else if (typeof to === 'string') {
      const pid = runtime.names.whereis(to); // H7: the name is resolved now
      const cell = pid === undefined ? undefined : cellOf(pid);
      if (cell !== undefined) deliver(cell, message);
    } else if (to !== null) {
      send(runtime, this.owner.isDead ? null : this.owner, to, this.what);
    }
  }
}

/** Arms a timer. Throws SNOW_ERR_BAD_TIME, SNOW_ERR_UNSENDABLE. */
export function startTimer(
  owner: Cell,
  ms: number,
  kind: TimerKind | 'run',
  to: Dest<never> | null,
  what: unknown,
): TimerRef {
  checkDelay(ms);
  const timer = new ActorTimer(owner, kind, to, kind === 'run' ? what : copyTerm(what), Math.max(1, ms));
  const { bound } = timer;
  if (bound === undefined && to instanceof Pid && to.nc === 0) return timer.ref; // its target is dead already
  if (bound !== undefined) {
    const more = bound.more();
    more.timers ??= new Set();
    more.timers.add(timer);
  }
  owner.runtime.timers.start(timer, kind === 'interval' ? Math.max(1, ms) : ms);
  return timer.ref;
}

/** ms that were left, or false (rule H3). */
export function cancelTimer(runtime: Runtime, { timer }: TimerRef): number | false {
  const left = runtime.timers.read(timer);
  if (left === false) return false;
  runtime.timers.cancel(timer);
  timer.forget();
  return left;
}
