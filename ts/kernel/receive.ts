// `self.receive`.
import { checkOptionNames, checkSignal, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { type Keys, NOTHING } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { onAbort } from './abort.ts';
import { type Cell, inStore, LIMITED, STOP_ASKED, wakeUnfinished } from './cell.ts';
import { compileMatch } from './compiled-match.ts';
import { Leave } from './crash-reason.ts';
import { crash } from './death.ts';
import { inBudget } from './in-budget.ts';
import { carries, hasKeys } from './key-match.ts';
import { type Match, TIMEOUT } from './match.ts';
import { forActor } from './promise.ts';
import { ButStop } from './stop-request.ts';
import { release, settle, take, taken, timeOut } from './taking.ts';
import { ANY, deferred, forgetWait, latest, Wait } from './wait.ts';

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
    if (this.wait.isSafe) this.end();
    else inStore(this.cell.extra, () => this.end()); // the test is the actor's code
  }

  private end(): void {
    // A message that arrived before the timeout is taken, even if the actor had no turn since (B7).
    try {
      const found = take(this.cell, this.wait.match, this.wait.keys);
      if (this.cell.wait !== this.wait) return;
      if (found === NOTHING) timeOut(this.cell, this.wait);
      else settle(this.cell, this.wait, found);
    } catch (error) {
      crash(this.cell, error);
    }
  }
}

/** How long a receive waits, and what else ends the wait. */
export interface ReceiveOptions {
  /**
   * ms until the receive resolves to TIMEOUT, as Erlang's `after`; 0 takes only a message that is in the mailbox already. Messages
   * that do not match do not restart it. Default: no limit.
   */
  readonly timeout?: number | undefined;
  /** When it fires, the receive rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const RECEIVE_OPTIONS: OptionNames<ReceiveOptions> = { timeout: true, signal: true };

/** Takes the oldest message that matches, or waits for one. */
export function receive(
  cell: Cell,
  match: Match | undefined,
  options: ReceiveOptions | undefined,
): Promise<unknown> {
  if (cell.wait !== null || cell === scanning) throw new SnowmeshError('SNOW_ERR_RECEIVE_PENDING');
  if (cell.body !== null) throw new SnowmeshError('SNOW_ERR_RECEIVE_HANDLER');
  const isStopHidden = (cell.flags & STOP_ASKED) !== 0;
  if (match === undefined && options === undefined && !isStopHidden) return receiveAny(cell);
  if (options === undefined && match instanceof Ref && !isStopHidden) {
    const { mailbox } = cell;
    const reply = mailbox === null ? NOTHING : mailbox.firstSince(match);
    if (carries(reply, match) && cell.kernel.scheduler.tryContinue()) return takeReply(cell, match, reply);
  }
  if (options !== undefined) {
    checkOptionNames('receive', options, RECEIVE_OPTIONS);
    checkSignal('receive', options.signal);
  }
  const given = match === undefined ? null : compileMatch(match);
  const compiled = isStopHidden ? new ButStop(given) : given;
  // Without keys the mailbox remembers the search under the wait, so that is made before it; otherwise only when there is no message.
  const wait = compiled === null || hasKeys(compiled) ? null : new Wait(compiled);
  if (options?.signal?.aborted === true)
    return forActor(inBudget(cell.kernel, cell, Promise.reject(options.signal.reason as Error)));
  const timeout = options?.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const { scheduler } = cell.kernel;
  const { mailbox } = cell;
  if (mailbox !== null && mailbox.size > 0) {
    if (scheduler.tryContinue()) {
      const found = wait === null ? take(cell, compiled, compiled?.keys ?? NO_KEYS) : takeOrCrash(cell, wait);
      if (cell.isDead) return deferred(); // its predicate has ended it (A7)
      if (found !== NOTHING || timeout === 0) {
        if (wait !== null) forgetWait(mailbox, wait);
        return Promise.resolve(found === NOTHING ? TIMEOUT : taken(cell, found));
      }
    } else {
      const pending = suspend(cell, wait ?? new Wait(compiled), options, timeout);
      wakeUnfinished(cell);
      return pending;
    }
  }
  if (timeout === 0 && scheduler.tryContinue()) return Promise.resolve(TIMEOUT);
  return suspend(cell, wait ?? new Wait(compiled), options, timeout);
}

/** A reply that was the first message since its reference was made: no search is needed. */
function takeReply(cell: Cell, ref: Ref, reply: unknown): Promise<unknown> {
  cell.mailbox?.removeFirstSince(ref);
  if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(reply);
  return Promise.resolve(taken(cell, reply));
}

const NO_KEYS: Keys = [];

/** The hot path: the oldest message, without a match or a limit. */
function receiveAny(cell: Cell): Promise<unknown> {
  const { mailbox } = cell;
  const hasMail = mailbox !== null && mailbox.size > 0;
  if (hasMail && cell.kernel.scheduler.tryContinue()) {
    const message = mailbox.shift();
    if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(message);
    return Promise.resolve(taken(cell, message));
  }
  const pending = deferred();
  cell.suspend(ANY, latest.resolve);
  if (hasMail) wakeUnfinished(cell);
  else cell.kernel.scheduler.waits();
  return pending;
}

/** Checks a timeout in ms: from 0 on, or Infinity; fractions are rounded up. Throws SNOW_ERR_BAD_TIME. */
export function checkTimeout(ms: number): number {
  if (ms === Number.POSITIVE_INFINITY) return ms;
  return checkDelay(ms);
}

/**
 * Checks the ms of a timer: from 0 to 2^53 - 1 (H5). Fractions, as the monotonic clock has them, are rounded up, so that a timer never
 * fires early. Throws SNOW_ERR_BAD_TIME.
 */
export function checkDelay(ms: number): number {
  if (typeof ms === 'number' && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return Math.ceil(ms);
  throw new SnowmeshError(
    'SNOW_ERR_BAD_TIME',
    `A time must be a number of milliseconds from 0 to 2^53 - 1, not ${typeof ms === 'number' ? ms : kindOf(ms)}.`,
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
  const pending = deferred();
  const { reject } = latest;
  cell.suspend(wait, latest.resolve);
  cell.kernel.scheduler.waits();
  let timer: WaitTimer | null = null;
  if (timeout !== Number.POSITIVE_INFINITY) {
    timer = new WaitTimer(cell, wait);
    cell.kernel.timers.start(timer, timeout);
  }
  const signal = options?.signal;
  let disarm: (() => void) | null = null;
  if (signal !== undefined) {
    void forActor(pending);
    disarm = onAbort(signal, () => {
      if (cell.wait !== wait) return;
      release(cell, wait);
      reject(signal.reason);
    });
  }
  if (timer !== null || disarm !== null) wait.limits = { timer, disarm };
  return pending;
}

/** The actor whose mailbox a predicate searches now, on its own stack: a receive inside the predicate is refused. */
let scanning: Cell | null = null;

/** {@link take} on the actor's own stack. A match that throws ends the actor, also when its code catches the throw. */
function takeOrCrash(cell: Cell, wait: Wait): unknown {
  const outer = scanning;
  scanning = cell;
  try {
    return take(cell, wait.match, wait.keys);
  } catch (error) {
    crash(cell, error);
    throw new Leave(cell.pid);
  } finally {
    scanning = outer;
  }
}
