// Tests wait for events, never for time. Each wait has a deadline whose message says what did not happen, so a
// hang reads as a sentence and not as the test runner's time-out.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Deadlines are generous: they name a hang and measure nothing, also on a machine that does ten other things. Unit: ms. */
export const DEADLINE_MS = 45_000;

/** Settles as `promise` does, or rejects with "did not happen within …: <what>". */
export async function within<T>(what: string, promise: PromiseLike<T>, ms: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`did not happen within ${ms} ms: ${what}`);
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once `condition` holds, asked once a turn of the event loop; its truthy value is the result. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  ms: number = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`did not happen within ${ms} ms: ${what}`);
    await nextTurn();
  }
}

/** Lets `count` turns of the event loop pass: for "nothing more happens" checks, where there is no event to await. */
export async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** A promise with its two ends in hand. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
