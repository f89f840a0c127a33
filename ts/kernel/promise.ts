/**
 * A promise for an actor, which may await it later or never: until then its rejection is not unhandled, and does not end the OS process
 * (A4, V2).
 */
export function forActor<P extends Promise<unknown>>(promise: P): P {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

/** Whether a callback returned a promise. Its rejection must be handled, or it ends the OS process. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
