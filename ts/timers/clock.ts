/** Time as the runtime sees it: monotonic milliseconds and one alarm. Tests install a virtual one. */
export interface Clock {
  /** ms since some fixed moment; never goes back. */
  now(): number;
  /** Calls `fire` once, not before `delay` ms have passed; replaces the previous alarm of this handle's owner. */
  arm(delay: number, fire: () => void, keepAlive: boolean): Alarm;
}

/** A pending alarm. */
export interface Alarm {
  cancel(): void;
  /** Whether it keeps the OS process alive, from now on. A clock that cannot say leaves it out. */
  keepAlive?(on: boolean): void;
}

/** Node.js timers count in 32 bits and fire at once beyond that. */
export const MAX_DELAY = 2 ** 31 - 1;

/** The monotonic clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  arm(delay, fire, keepAlive) {
    const timer = setTimeout(fire, Math.min(Math.max(1, Math.ceil(delay)), MAX_DELAY));
    if (!keepAlive) timer.unref();
    return {
      cancel: () => clearTimeout(timer),
      keepAlive: (on) => void (on ? timer.ref() : timer.unref()),
    };
  },
};
