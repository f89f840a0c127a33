import { setMaxListeners } from 'node:events';
import { checkFunction } from '../errors/index.ts';
import { checkDelay, type ExitReason, endingOf, runExitCallback, type TimerRef } from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import { cancelTimer, checkTimer, type Dest, startTimer } from '../send/index.ts';
import { never, Spawning } from './spawning.ts';

/** The part of an actor's `self` for what happens later: it waits, sets timers, and tells other code of the actor's end. */
export class Timing extends Spawning {
  private abortSignal: AbortSignal | undefined = undefined;

  /** Waits `ms`. Stays pending when the actor dies. Throws SNOW_ERR_BAD_TIME. */
  sleep(ms: number): Promise<void> {
    const delay = checkDelay(ms);
    if (this.isOver) return never();
    return new Promise(
      (resolve) => void startTimer(this.runtime.sender, this.cell, delay, 'run', null, resolve),
    );
  }

  /**
   * Sends a message once, not before `ms` have passed; a name is resolved then.
   *
   * @returns What `cancelTimer` takes. A timer aimed at a local PID ends with that actor, no timer with this one.
   * @throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_DEST, SNOW_ERR_UNSENDABLE.
   */
  sendAfter<T>(ms: number, to: Dest<T>, message: T): TimerRef {
    return startTimer(this.runtime.sender, this.cell, ms, 'send', to as Dest<never>, message);
  }

  /** Like sendAfter, but a local receiver gets a Timeout with the timer's ref and the message. */
  startTimer(ms: number, to: Dest<never>, message: unknown): TimerRef {
    return startTimer(this.runtime.sender, this.cell, ms, 'timeout', to, message);
  }

  /**
   * Sends a message every `ms` (at least 1), the first after `ms`. Ticks missed by a busy thread are not made up for.
   *
   * It ends when its local receiver does, or, aimed at anything but a local PID, when this actor does.
   */
  sendInterval<T>(ms: number, to: Dest<T>, message: T): TimerRef {
    return startTimer(this.runtime.sender, this.cell, ms, 'interval', to as Dest<never>, message);
  }

  /** Calls `fn` after `ms`, as this actor: a throw, or a promise that rejects, ends it. Throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_ARGUMENT. */
  after(ms: number, fn: () => unknown): TimerRef {
    checkFunction('after', fn);
    return startTimer(this.runtime.sender, this.cell, ms, 'run', null, inCurrentStore(fn));
  }

  /** ms that were left, or false: fired already, or cancelled. */
  cancelTimer(timer: TimerRef): number | false {
    return cancelTimer(this.runtime.sender, timer);
  }

  /** ms that are left, or false when it has fired or was cancelled. The timer continues. */
  readTimer(timer: TimerRef): number | false {
    return this.runtime.timers.read(checkTimer('readTimer', timer).timer);
  }

  /** Fires when the actor ends, before the callbacks of {@link onExit} run; its reason is the exit reason. */
  get signal(): AbortSignal {
    if (this.abortSignal !== undefined) return this.abortSignal;
    if (this.cell.isDead) return AbortSignal.abort('noproc');
    this.abortSignal = endingOf(this.cell).signal;
    setMaxListeners(0, this.abortSignal); // it lives as long as the actor, which may listen in many places
    return this.abortSignal;
  }

  /**
   * Calls back once when this actor ends, however it ends: its code returns or throws, an exit signal, `kill`, the stop of its node. Not
   * when the OS process dies.
   *
   * Several callbacks run one after the other, the newest first, before any link, monitor or supervisor learns of the end: what a
   * callback closes without waiting is closed when a supervisor starts the actor again. A promise that it returns is not awaited. One that
   * throws or rejects is logged (SNOW_ERR_EXIT_CALLBACK), and the others still run. O(1).
   *
   * @param callback gets the exit reason. When the actor has ended already it runs at once with `noproc`, so that what was opened too
   * late is closed, too.
   * @returns takes the callback back; does nothing once it has run.
   * @throws SNOW_ERR_BAD_ARGUMENT for what is no function.
   * @example
   * const socket = connect(7000);
   * self.onExit(() => socket.destroy());
   */
  onExit(callback: (reason: ExitReason) => unknown): () => void {
    checkFunction('onExit', callback);
    const { cell } = this;
    if (!cell.isDead) return endingOf(cell).add(callback);
    runExitCallback(this.runtime.logger, cell.pid, callback, 'noproc');
    return () => {};
  }
}
