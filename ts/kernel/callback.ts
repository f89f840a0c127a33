// Callbacks of code outside of actors: an error in one is logged and ends no actor.
import { Timer } from '../timers/index.ts';
import type { Kernel } from './kernel.ts';
import type { Logger } from './logger.ts';
import { promiseOf } from './promise.ts';

/** Runs `action`. Logs what it throws, or what the promise that it returns rejects with. */
export function guard({ logger }: { readonly logger: Logger }, action: () => unknown): void {
  const failed = (error: unknown): void =>
    logger.error({ event: 'callback_failed', err: error }, 'a callback failed');
  try {
    promiseOf(action())?.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Calls back once after at least `ms` milliseconds; Infinity: never. Returns a function that cancels it. */
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
