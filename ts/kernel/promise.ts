/**
 * A promise for an actor, which may await it later or never: until then its rejection is not unhandled, and does not end the OS process
 * (A4, V2).
 */
export function forActor<P extends Promise<unknown>>(promise: P): P {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

/** The promise that a dead actor gets: it stays pending (A7). */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/**
 * The promise that a callback returned; undefined: it returned none. Its rejection must be handled, or it ends the OS process. A thenable
 * that is no Promise becomes one: its own `then` may return nothing, or call back at once, or twice.
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Promise) return value;
  return typeof (value as { then?: unknown }).then === 'function' ? Promise.resolve(value) : undefined;
}
