// Receiving: what an actor waits for.
import { SnowmeshError } from '../errors/index.ts';
import { NOTHING, type Test } from '../mailbox/index.ts';
import { Timer } from '../timers/index.ts';
import { Call } from './call.ts';
import { type Cell, LIMITED } from './cell.ts';
import { Leave } from './crash-reason.ts';
import { wake } from './delivery.ts';
import { crash } from './lifecycle.ts';
import { compileMatch, loggedTag, type Match, TIMEOUT } from './match.ts';
import type { ReceiveOptions } from './self.ts';

const NO_KEYS: readonly unknown[] = [];

/** A pending receive. Most wait for any message without an end, so what others need besides is apart. */
export class Wait {
  /** Null: any message. */
  readonly test: Test | null;
  readonly keys: readonly unknown[];
  /** The test is ours and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  resolve: (value: unknown) => void = nothing;
  limits: WaitLimits | null = null;

  constructor(test: Test | null, isSafe: boolean, keys: readonly unknown[]) {
    this.test = test;
    this.isSafe = isSafe;
    this.keys = isSafe ? keys : [this];
  }
}

/** What may end a receive without a message. */
interface WaitLimits {
  readonly timer: WaitTimer | null;
  readonly disarm: (() => void) | null;
}

class WaitTimer extends Timer {
  private readonly cell: Cell;
  private readonly wait: Wait;

  constructor(cell: Cell, wait: Wait) {
    super();
    this.cell = cell;
    this.wait = wait;
  }

  fire(): void {
    if (this.cell.wait !== this.wait) return;
    // Mail that came before the time was over counts (rule B7): it may be waiting for a turn.
    try {
      const found = take(this.cell, this.wait);
      if (this.cell.wait === this.wait) settle(this.cell, this.wait, found === NOTHING ? TIMEOUT : found);
    } catch (error) {
      crash(this.cell, error);
    }
  }
}

let resolveNext: (value: unknown) => void;
let rejectNext: (error: unknown) => void;
const capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  resolveNext = resolve;
  rejectNext = reject;
};

/** The promise of the next message that matches. */
export function receive(
  cell: Cell,
  match: Match | undefined,
  options: ReceiveOptions | undefined,
): Promise<unknown> {
  if (cell.wait !== null) throw new SnowmeshError('SNOW_ERR_RECEIVE_PENDING');
  if (cell.body !== null) throw new SnowmeshError('SNOW_ERR_RECEIVE_HANDLER');
  if (match === undefined && options === undefined) return receiveAny(cell);
  const compiled = match === undefined ? undefined : compileMatch(match);
  const wait = new Wait(compiled?.test ?? null, compiled?.isSafe ?? true, compiled?.keys ?? NO_KEYS);
  options?.signal?.throwIfAborted();
  const timeout = options?.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const { scheduler } = cell.runtime;
  const { mailbox } = cell;
  if (mailbox !== null && mailbox.size > 0) {
    if (scheduler.spend()) {
      const found = takeOrCrash(cell, wait);
      if (found !== NOTHING || timeout === 0) {
        if (!wait.isSafe) mailbox.forget(wait);
        return Promise.resolve(found === NOTHING ? TIMEOUT : taken(cell, found));
      }
    } else {
      const pending = suspend(cell, wait, options, timeout);
      wake(cell);
      return pending;
    }
  }
  if (timeout === 0 && scheduler.spend()) return Promise.resolve(TIMEOUT);
  return suspend(cell, wait, options, timeout);
}

/** The hot path: the oldest message, whatever it is and whenever it comes. */
function receiveAny(cell: Cell): Promise<unknown> {
  const { mailbox } = cell;
  const hasMail = mailbox !== null && mailbox.size > 0;
  if (hasMail && cell.runtime.scheduler.spend()) {
    const message = mailbox.shift();
    if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(message);
    return Promise.resolve(taken(cell, message));
  }
  const wait = new Wait(null, true, NO_KEYS);
  const pending = new Promise<unknown>(capture);
  wait.resolve = resolveNext;
  cell.wait = wait;
  if (hasMail) wake(cell);
  return pending;
}

/** ms for a wait: an integer from 0 on, or Infinity. Throws SNOW_ERR_BAD_TIME. */
export function checkTimeout(ms: number): number {
  if (ms === Number.POSITIVE_INFINITY) return ms;
  return checkDelay(ms);
}

/** ms for a timer: an integer from 0 to 2^53 - 1 (rule H5). Throws SNOW_ERR_BAD_TIME. */
export function checkDelay(ms: number): number {
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_TIME',
    `A time must be a whole number of milliseconds from 0 on, not ${String(ms)}.`,
    {
      details: { ms },
    },
  );
}

function suspend(
  cell: Cell,
  wait: Wait,
  options: ReceiveOptions | undefined,
  timeout: number,
): Promise<unknown> {
  const pending = new Promise<unknown>(capture);
  const reject = rejectNext;
  wait.resolve = resolveNext;
  cell.wait = wait;
  let timer: WaitTimer | null = null;
  if (timeout !== Number.POSITIVE_INFINITY) {
    timer = new WaitTimer(cell, wait);
    cell.runtime.timers.start(timer, timeout);
  }
  const signal = options?.signal;
  let disarm: (() => void) | null = null;
  if (signal !== undefined) {
    const onAbort = (): void => {
      if (cell.wait !== wait) return;
      release(cell, wait);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    disarm = () => signal.removeEventListener('abort', onAbort);
  }
  if (timer !== null || disarm !== null) wait.limits = { timer, disarm };
  return pending;
}

/** Takes a message for `wait` out of the mailbox, or NOTHING. What a matcher throws comes through. */
export function take(cell: Cell, wait: Wait): unknown {
  const { mailbox } = cell;
  if (mailbox === null || mailbox.size === 0) return NOTHING;
  const found = wait.test === null ? mailbox.shift() : mailbox.take(wait.test, wait.keys);
  if (found !== NOTHING && (cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(found);
  return found;
}

/** `take` on the actor's own stack. A matcher that throws ends it there as it does later, also when the throw is caught. */
function takeOrCrash(cell: Cell, wait: Wait): unknown {
  try {
    return take(cell, wait);
  } catch (error) {
    crash(cell, error);
    throw new Leave();
  }
}

/** Ends a wait with a message (or TIMEOUT). The actor's code goes on as a microtask. */
export function settle(cell: Cell, wait: Wait, message: unknown): void {
  release(cell, wait);
  wait.resolve(taken(cell, message));
}

export function release(cell: Cell, wait: Wait): void {
  cell.wait = null;
  if (wait.limits !== null) lift(cell, wait.limits);
  if (!wait.isSafe) cell.mailbox?.forget(wait);
}

function lift(cell: Cell, { timer, disarm }: WaitLimits): void {
  if (timer !== null) cell.runtime.timers.cancel(timer);
  disarm?.();
}

function taken(cell: Cell, message: unknown): unknown {
  if (cell.handling !== null && cell.runtime.now() >= cell.handling.deadline) cell.handling = null;
  if (typeof message === 'object' && message !== null) {
    cell.handling = message instanceof Call ? message : cell.handling;
    cell.lastTag = loggedTag(message);
  } else cell.lastTag = undefined;
  return message;
}

function nothing(): void {}
