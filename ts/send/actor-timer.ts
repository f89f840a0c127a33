// Timers as actors see them.

import type { Runtime } from '../actor/runtime.ts';
import type { Dest } from '../actor/self.ts';
import { type Cell, cellOf, ownCell } from '../kernel/cell.ts';
import { crash } from '../kernel/death.ts';
import { deliver } from '../kernel/delivery.ts';
import { checkDelay } from '../kernel/receive.ts';
import { Timeout, TimerRef } from '../kernel/timer-ref.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { checkDest, deliverAlias, deliverNamed, send } from './sender.ts';

/** What a timer does when it fires. */
export type TimerKind = 'send' | 'timeout' | 'interval';

/**
 * A timer with a message. It ends with the local actor it is aimed at (rule H6); an interval aimed at anything else ends
 * with the actor that started it (H9): nobody else could be known to be gone.
 */
export class ActorTimer extends Timer {
  readonly ref: TimerRef;
  readonly runtime: Runtime;
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
    if (this.to instanceof Pid && this.to.nc === 0) return cellOf(this.to);
    return this.kind === 'interval' && !this.owner.isDead ? this.owner : undefined;
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
    if (to === null) return;
    if (to instanceof Pid && to.nc === 0) {
      const cell = cellOf(to);
      if (cell !== undefined) deliver(cell, this.message());
    } else if (typeof to === 'string') {
      deliverNamed(runtime, to, this.message()); // H7: the name is resolved now
    } else if (to instanceof Ref && to.nc === 0) deliverAlias(runtime, to, this.message());
    else if ('name' in to && runtime.isSelf(to.node)) deliverNamed(runtime, to.name, this.message());
    else this.sendFar(to);
  }

  /** Each tick of an interval has its own copy (rule B8). */
  private message(): unknown {
    if (this.kind === 'timeout') return new Timeout(this.ref, this.what);
    return this.kind === 'interval' ? copyTerm(this.what) : this.what;
  }

  /** H8: to another node it is a plain send, made now. */
  private sendFar(to: Dest<never>): void {
    try {
      send(this.runtime, this.owner.isDead ? null : this.owner, to, this.what);
    } catch {
      // Nobody is left to throw at: too large for the way there.
      this.runtime.deadLetters.count('unsendable', to);
    }
  }
}

/** Arms a timer. Throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_DEST, SNOW_ERR_UNSENDABLE. */
export function startTimer(
  owner: Cell,
  ms: number,
  kind: TimerKind | 'run',
  to: Dest<never> | null,
  what: unknown,
): TimerRef {
  checkDelay(ms);
  if (to !== null || kind !== 'run') checkDest(to);
  if (to instanceof Pid) ownCell(owner.runtime, to);
  const timer = new ActorTimer(owner, kind, to, kind === 'run' ? what : copyTerm(what), Math.max(1, ms));
  if (owner.isDead) return timer.ref; // A7
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
  if (timer.runtime !== runtime) return false;
  const left = runtime.timers.read(timer);
  if (left === false) return false;
  runtime.timers.cancel(timer);
  timer.forget();
  return left;
}
