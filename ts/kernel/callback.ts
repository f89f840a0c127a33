// Callbacks of code outside of actors: what they throw is logged and ends nothing.
import { Timer } from '../timers/index.ts';
import type { Kernel } from './kernel.ts';
import type { Logger } from './logger.ts';

/** Runs `action`; logs what it throws. */
export function guard({ logger }: { readonly logger: Logger }, action: () => void): void {
  try {
    action();
  } catch (error) {
    logger.error({ event: 'callback_failed', err: error }, 'a callback failed');
  }
}

/**
 * Calls back once, not before `ms` have passed. Returns the way to cancel it.
 *
 * @param ms Infinity: never.
 */
export function after(kernel: Kernel, ms: number, action: () => void): () => void {
  const timer = new CallbackTimer(kernel, action);
  kernel.timers.start(timer, ms);
  return () => void kernel.timers.cancel(timer);
}

class CallbackTimer extends Timer {
  private readonly kernel: Kernel;
  private readonly action: () => void;

  constructor(kernel: Kernel, action: () => void) {
    super();
    this.kernel = kernel;
    this.action = action;
  }

  fire(): void {
    guard(this.kernel, this.action);
  }
}
