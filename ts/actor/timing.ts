import { setMaxListeners } from 'node:events';
import { checkFunction } from '../errors/index.ts';
import {
  checkDelay,
  type ExitReason,
  exitCallbacksOf,
  never,
  runExitCallback,
  type TimerRef,
} from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import { cancelTimer, checkTimer, type Dest, readTimer, startTimer } from '../send/index.ts';
import { Linking } from './linking.ts';

/** The part of an actor's `self` for what happens later: waits, timers, and callbacks for the actor's end. */
export class Timing extends Linking {
  /**
   * Resolves after `ms` milliseconds; stays pending if the actor ends. Messages wait in the mailbox meanwhile. As Erlang's
   * `timer:sleep`. Throws SNOW_ERR_BAD_TIME.
   */
  sleep(ms: number): Promise<void> {
    const delay = checkDelay(ms);
    if (this.isOver) return never();
    return new Promise(
      (resolve) => void startTimer(this.kernel.sender, this.cell, delay, 'run', null, resolve),
    );
  }

  /**
   * Sends a message once, after at least `ms` milliseconds. As Erlang's `send_after`. O(size of the message).
   *
   * The message is copied now; a name is looked up when the timer fires. A timer for a local PID ends when that actor does, but not when
   * this actor does.
   *
   * @returns A timer for {@link cancelTimer} and {@link readTimer}.
   * @throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_DEST, SNOW_ERR_NODE_NAME, SNOW_ERR_UNSENDABLE, SNOW_ERR_FOREIGN_PID.
   * @example
   * const timer = self.sendAfter(1000, self.pid, 'retry');
   */
  sendAfter<T>(ms: number, to: Dest<T>, message: T): TimerRef {
    return startTimer(this.kernel.sender, this.cell, ms, 'send', to as Dest<never>, message);
  }

  /**
   * {@link sendAfter}, but a local receiver gets a {@link Timeout}, which has the timer and the message. As Erlang's
   * `erlang:start_timer`.
   */
  startTimer(ms: number, to: Dest<never>, message: unknown): TimerRef {
    return startTimer(this.kernel.sender, this.cell, ms, 'timeout', to, message);
  }

  /**
   * Sends a message every `ms` milliseconds (at least 1), the first after `ms`. Ticks that a blocked thread missed are skipped. As
   * Erlang's `timer:send_interval`.
   *
   * An interval for a local PID ends when that actor does; one for a name, an alias or a PID of another node ends when this actor does.
   *
   * @returns A timer for {@link cancelTimer} and {@link readTimer}.
   * @throws As {@link sendAfter}.
   */
  sendInterval<T>(ms: number, to: Dest<T>, message: T): TimerRef {
    return startTimer(this.kernel.sender, this.cell, ms, 'interval', to as Dest<never>, message);
  }

  /**
   * Calls `fn` after at least `ms` milliseconds, as code of this actor: if it throws, or its promise rejects, the actor crashes. It is
   * not called if the actor has ended.
   *
   * @returns A timer for {@link cancelTimer} and {@link readTimer}.
   * @throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_ARGUMENT.
   */
  after(ms: number, fn: () => unknown): TimerRef {
    checkFunction('after', fn);
    return startTimer(this.kernel.sender, this.cell, ms, 'run', null, inCurrentStore(fn));
  }

  /**
   * Cancels a timer. As Erlang's `cancel_timer`.
   *
   * @returns The ms that were left; false: it had fired or was cancelled, or is a timer of another runtime.
   * @throws SNOW_ERR_BAD_ARGUMENT when `timer` is not a TimerRef.
   */
  cancelTimer(timer: TimerRef): number | false {
    checkTimer('cancelTimer', timer);
    return !this.isOver && cancelTimer(this.kernel.sender, timer);
  }

  /**
   * The ms that are left of a timer, which continues; false: it has fired or was cancelled, or is a timer of another runtime. As Erlang's
   * `read_timer`. Throws SNOW_ERR_BAD_ARGUMENT when `timer` is not a TimerRef.
   */
  readTimer(timer: TimerRef): number | false {
    return readTimer(this.kernel.sender, checkTimer('readTimer', timer));
  }

  /**
   * An AbortSignal that fires when the actor ends, before the callbacks of {@link onExit} run; its reason is the exit reason. What a listener of
   * it throws is an uncaught exception of the process, as of any AbortSignal.
   *
   * @example
   * const response = await fetch(url, { signal: self.signal });
   */
  get signal(): AbortSignal {
    const made = signals.get(this);
    if (made !== undefined) return made;
    if (this.cell.isDead) return AbortSignal.abort('noproc');
    const { signal } = exitCallbacksOf(this.cell);
    setMaxListeners(0, signal); // no warning of a leak: an actor may use it in many places
    signals.set(this, signal);
    return signal;
  }

  /**
   * Calls back once when this actor ends, for any reason: its code returns or throws, an exit signal, `kill`, the stop of its node. Not
   * when the OS process dies. O(1).
   *
   * The callbacks of an actor run one after the other, newest first, before a link, monitor or supervisor gets a signal: what a callback
   * closes synchronously is closed when a supervisor restarts the actor. A promise that it returns is not awaited. If one throws or
   * rejects, that is logged (SNOW_ERR_EXIT_CALLBACK), and the others still run.
   *
   * @param callback Gets the exit reason. If the actor has ended already, it runs at once with `noproc`, so that a resource that was opened
   * too late is closed, too.
   * @returns A function that removes the callback; it does nothing once the callback has run.
   * @throws SNOW_ERR_BAD_ARGUMENT when `callback` is not a function.
   * @example
   * const socket = connect(7000);
   * self.onExit(() => socket.destroy());
   */
  onExit(callback: (reason: ExitReason) => unknown): () => void {
    checkFunction('onExit', callback);
    const { cell } = this;
    if (!cell.isDead) return exitCallbacksOf(cell).add(callback);
    runExitCallback(this.kernel.logger, cell.pid, callback, 'noproc');
    return () => {};
  }
}

/** The signals that actors have asked for. Few do, and a field would cost each actor 8 bytes. */
const signals = new WeakMap<Timing, AbortSignal>();
