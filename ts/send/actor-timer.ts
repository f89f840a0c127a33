// Timers of actors: they send a message, or call a function, later.
import { badArgument } from '../errors/index.ts';
import {
  type Cell,
  cellOf,
  checkDelay,
  crash,
  deliverSent,
  type InTrace,
  inStore,
  ownCell,
  promiseOf,
  Timeout,
  TimerRef,
} from '../kernel/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { checkDest, type Dest } from './dest.ts';
import type { Sender } from './sender.ts';

/** What a timer does when it fires. */
export type TimerKind = 'send' | 'timeout' | 'interval';

/**
 * A timer that sends a message. If its target is the PID of a local actor, it ends with that actor (H6). An interval with another
 * target ends with the actor that started it (H9), the only one whose end is known here.
 */
export class ActorTimer extends Timer {
  readonly ref: TimerRef;
  private readonly sender: Sender;
  private readonly owner: Cell;
  private readonly kind: TimerKind | 'run';
  private readonly to: Dest<never> | null;
  /** The message or the callback, until the timer is over: a TimerRef that is kept must not keep it. */
  private what: unknown;
  private readonly interval: number;
  private readonly trace: InTrace | undefined;

  constructor(
    sender: Sender,
    owner: Cell,
    kind: TimerKind | 'run',
    to: Dest<never> | null,
    what: unknown,
    interval: number,
    trace: InTrace | undefined,
  ) {
    super();
    this.ref = new TimerRef(this);
    this.sender = sender;
    this.owner = owner;
    this.kind = kind;
    this.to = to;
    this.what = what;
    this.interval = interval;
    this.trace = trace;
  }

  fire(): void {
    if (this.kind === 'interval') this.owner.kernel.timers.startAt(this, this.nextTick());
    else this.forget();
    if (this.kind === 'run') inStore(this.owner.extra, () => this.call());
    else if (this.trace === undefined) this.deliver();
    else this.trace(() => this.deliver());
    if (this.kind !== 'interval') this.what = undefined;
  }

  /** The actor whose death ends the timer. */
  get bound(): Cell | undefined {
    if (this.kind === 'run') return this.owner;
    if (this.to instanceof Pid && this.to.nc === 0) return cellOf(this.to);
    return this.kind === 'interval' ? this.owner : undefined;
  }

  isOf(sender: Sender): boolean {
    return this.sender === sender;
  }

  left(): number | false {
    return this.owner.kernel.timers.read(this);
  }

  cancel(): number | false {
    const left = this.left();
    this.end();
    this.forget();
    return left;
  }

  /** The timer is over: it does not fire any more. */
  end(): void {
    this.owner.kernel.timers.cancel(this);
    this.what = undefined;
  }

  private forget(): void {
    this.bound?.extra?.timers?.delete(this);
  }

  /** When the next tick is due. Missed ticks are skipped. */
  private nextTick(): number {
    const late = Math.max(0, this.owner.kernel.now() - this.due);
    return this.due + this.interval * (Math.floor(late / this.interval) + 1);
  }

  private call(): void {
    if (this.owner.isOver) return;
    try {
      promiseOf((this.what as () => unknown)())?.then(undefined, (error) => crash(this.owner, error));
    } catch (error) {
      crash(this.owner, error);
    }
  }

  private deliver(): void {
    const { sender, to } = this;
    if (to === null) return;
    if (to instanceof Pid && to.nc === 0) {
      const cell = cellOf(to);
      if (cell !== undefined) deliverSent(cell, this.message());
    } else if (typeof to === 'string') {
      sender.deliverNamed(to, this.message()); // a name is looked up when the timer fires (H7)
    } else if (to instanceof Ref && to.nc === 0) sender.deliverAlias(to, this.message());
    else if ('name' in to && this.owner.kernel.isSelf(to.node)) sender.deliverNamed(to.name, this.message());
    else this.sendRemote(to);
  }

  /** The message; each tick of an interval sends a copy of its own (B8). */
  private message(): unknown {
    if (this.kind === 'timeout') return new Timeout(this.ref, this.what);
    return this.kind === 'interval' ? copyTerm(this.what) : this.what;
  }

  /** A timer with a target on another node is a plain send when it fires (H8). */
  private sendRemote(to: Dest<never>): void {
    try {
      this.sender.send(this.owner.isDead ? null : this.owner, to, this.what);
    } catch {
      // The message is too large for a frame, and no caller is left that could catch an error.
      this.owner.kernel.deadLetters.count('unsendable', to);
    }
  }
}

/** Arms a timer. Throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_DEST, SNOW_ERR_UNSENDABLE. */
export function startTimer(
  sender: Sender,
  owner: Cell,
  ms: number,
  kind: TimerKind | 'run',
  to: Dest<never> | null,
  what: unknown,
): TimerRef {
  const delay = checkDelay(ms);
  if (kind !== 'run') checkDest(to);
  if (to instanceof Pid) ownCell(owner.kernel, to);
  const timer = new ActorTimer(
    sender,
    owner,
    kind,
    to,
    kind === 'run' ? what : copyTerm(what),
    Math.max(1, delay),
    // An interval carries no context: its ticks would make one endless trace.
    kind === 'interval' || kind === 'run' ? undefined : owner.kernel.tracing?.timer(owner, to),
  );
  const { bound } = timer;
  const isTargetDead = bound === undefined && to instanceof Pid && to.nc === 0;
  if (owner.isOver || isTargetDead) {
    timer.end(); // a dead actor starts no timer (A7)
    return timer.ref;
  }
  if (bound !== undefined) {
    const more = bound.more();
    more.timers ??= new Set();
    more.timers.add(timer);
  }
  owner.kernel.timers.start(timer, kind === 'interval' ? Math.max(1, delay) : delay);
  return timer.ref;
}

/** Cancels a timer of this runtime. Returns the ms that were left; false: it is not active, or belongs to another runtime (H3). */
export function cancelTimer(sender: Sender, ref: TimerRef): number | false {
  return ownTimer(sender, ref)?.cancel() ?? false;
}

/** The ms that are left of a timer of this runtime; false: it is not active, or belongs to another runtime (H3). */
export function readTimer(sender: Sender, ref: TimerRef): number | false {
  return ownTimer(sender, ref)?.left() ?? false;
}

/** Throws SNOW_ERR_BAD_ARGUMENT when `ref` is not a TimerRef; `what` is the function's name for the message. */
export function checkTimer(what: string, ref: TimerRef): TimerRef {
  if (!(ref instanceof TimerRef))
    throw badArgument(what, 'a TimerRef, as sendAfter, startTimer, sendInterval and after return it', ref);
  return ref;
}

/** The timer, if it belongs to this runtime. */
function ownTimer(sender: Sender, { timer }: TimerRef): ActorTimer | undefined {
  return timer instanceof ActorTimer && timer.isOf(sender) ? timer : undefined;
}
