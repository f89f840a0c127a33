// Callbacks of code outside of actors: what they throw is logged and ends nothing.
import { Timer } from '../timers/index.ts';
import type { Kernel } from './kernel.ts';
import type { Logger } from './logger.ts';
import { isPromise } from './promise.ts';

/** Runs `action`; logs what it throws, and what a promise that it gives rejects with. */
export function guard({ logger }: { readonly logger: Logger }, action: () => unknown): void {
  const failed = (error: unknown): void =>
    logger.error({ event: 'callback_failed', err: error }, 'a callback failed');
  try {
    const pending = action();
    if (isPromise(pending)) pending.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Calls back once, not before `ms` have passed. Returns the way to cancel it.
 *
 * @param ms Infinity: never.
 */
export function after(kernel: Kernel, ms: number, action: () => unknown): () => void {
  const timer = new CallbackTimer(kernel, action);
  kernel.timers.start(timer, ms);
  return () => void kernel.timers.cancel(timer);
}

class CallbackTimer extends Timer {
  private readonly kernel: Kernel;
  private readonly action: () => unknown;

  constructor(kernel: Kernel, action: () => unknown) {
    super();
    this.kernel = kernel;
    this.action = action;
  }

  fire(): void {
    guard(this.kernel, this.action);
  }
}
