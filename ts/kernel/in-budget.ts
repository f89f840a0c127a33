// Promises whose outcome is known at once. A loop that awaits one after the other runs in microtasks only, which starves timers and
// sockets. So each such promise costs one turn of the scheduler's budget; when the budget is spent, the promise is settled in a later
// turn of the event loop. The promise of an actor that died meanwhile stays pending (A7).
import type { Cell } from './cell.ts';
import type { Kernel } from './kernel.ts';
import { never } from './promise.ts';

/** Runs `settle`, which settles a promise of `caller` (null: code outside of actors), at once or in a later turn. */
export function settleInBudget(kernel: Kernel, caller: Cell | null, settle: () => void): void {
  if (kernel.scheduler.spend()) settle();
  else setImmediate(() => (caller?.isDead === true ? undefined : settle()));
}

/** A promise for `caller` with the same outcome, at once or in a later turn. */
export async function inBudget<T>(kernel: Kernel, caller: Cell | null, outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } finally {
    if (!kernel.scheduler.spend()) await new Promise((resolve) => void setImmediate(resolve));
    if (caller?.isDead === true) await never();
  }
}
