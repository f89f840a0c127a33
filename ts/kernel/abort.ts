/** Callbacks by signal. They share one listener on the signal: Node.js warns of a leak from the eleventh listener on. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when `signal` fires. The signal must not have fired yet. O(1).
 *
 * @returns A function that removes the callback; nothing then stays attached to the signal.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? listen(signal);
  const entry = (): void => callback(); // the same callback may be added twice
  callbacks.add(entry);
  return () => {
    callbacks.delete(entry);
    if (callbacks.size > 0) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', fire);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  waiting.set(signal, callbacks);
  signal.addEventListener('abort', fire, { once: true });
  return callbacks;
}

function fire(event: Event): void {
  const signal = event.target as AbortSignal;
  const callbacks = waiting.get(signal);
  waiting.delete(signal);
  for (const callback of callbacks ?? []) callback();
}
