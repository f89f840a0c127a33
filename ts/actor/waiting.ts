// Receiving: what an actor waits for.
import { SnowmeshError } from '../errors/index.ts';
import { NOTHING, type Test } from '../mailbox/index.ts';
import { Timer } from '../timers/index.ts';
import { Call } from './call.ts';
import { type Cell, LIMITED } from './cell.ts';
import { wake } from './delivery.ts';
import { crash } from './lifecycle.ts';
import { compileMatch, type Match, TIMEOUT, tagOf } from './match.ts';
import type { ReceiveOptions } from './self.ts';

const NO_KEYS: readonly unknown[] = [];

/** A pending receive. */
export class Wait {
  /** Null: any message. */
  readonly test: Test | null;
  /** The test is ours and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  readonly keys: readonly unknown[];
  resolve: (value: unknown) => void = nothing;
  reject: (error: unknown) => void = nothing;
  timer: WaitTimer | null = null;
  disarm: (() => void) | null = null;

  constructor(test: Test | null, isSafe: boolean, keys: readonly unknown[]) {
    this.test = test;
    this.isSafe = isSafe;
    this.keys = isSafe ? keys : [this];
  }
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

let captured: Pick<Wait, 'resolve' | 'reject'>;
const capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  captured.resolve = resolve;
  captured.reject = reject;
};

/** The promise of the next message that matches. */
export function receive(
  cell: Cell,
  match: Match | undefined,
  options: ReceiveOptions | undefined,
): Promise<unknown> {
  if (cell.wait !== null) throw new SnowmeshError('SNOW_ERR_RECEIVE_PENDING');
  if (cell.body !== null) throw new SnowmeshError('SNOW_ERR_RECEIVE_HANDLER');
  const compiled = match === undefined ? undefined : compileMatch(match);
  const wait = new Wait(compiled?.test ?? null, compiled?.isSafe ?? true, compiled?.keys ?? NO_KEYS);
  options?.signal?.throwIfAborted();
  const timeout = options?.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const { scheduler } = cell.runtime;
  const { mailbox } = cell;
  if (mailbox !== null && mailbox.size > 0) {
    if (scheduler.spend()) {
      const found = take(cell, wait); // a matcher that throws rejects the receive, and so ends the actor
      if (found !== NOTHING) return Promise.resolve(taken(cell, found));
    } else {
      const pending = suspend(cell, wait, options, timeout);
      wake(cell);
      return pending;
    }
  }
  if (timeout === 0 && scheduler.spend()) return Promise.resolve(TIMEOUT);
  return suspend(cell, wait, options, timeout);
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
  captured = wait;
  const pending = new Promise<unknown>(capture);
  cell.wait = wait;
  if (timeout !== Number.POSITIVE_INFINITY) {
    wait.timer = new WaitTimer(cell, wait);
    cell.runtime.timers.start(wait.timer, timeout);
  }
  const signal = options?.signal;
  if (signal !== undefined) {
    const onAbort = (): void => {
      if (cell.wait !== wait) return;
      release(cell, wait);
      wait.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    wait.disarm = () => signal.removeEventListener('abort', onAbort);
  }
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

/** Ends a wait with a message (or TIMEOUT). The actor's code goes on as a microtask. */
export function settle(cell: Cell, wait: Wait, message: unknown): void {
  release(cell, wait);
  wait.resolve(taken(cell, message));
}

export function release(cell: Cell, wait: Wait): void {
  cell.wait = null;
  if (wait.timer !== null) cell.runtime.timers.cancel(wait.timer);
  wait.disarm?.();
  if (!wait.isSafe) cell.mailbox?.forget(wait);
}

function taken(cell: Cell, message: unknown): unknown {
  if (cell.handling !== null && cell.runtime.now() >= cell.handling.deadline) cell.handling = null;
  if (typeof message === 'object' && message !== null) {
    cell.handling = message instanceof Call ? message : cell.handling;
    cell.lastTag = tagOf(message);
  }
  return message;
}

function nothing(): void {}
