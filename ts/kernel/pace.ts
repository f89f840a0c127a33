// Promises whose outcome is known at once. A loop that awaits one after the other runs in microtasks only: it would let no timer
// and no socket in, and so wait for ever for what these bring. Such promises take from the scheduler's budget of this turn of the
// event loop; when it is spent, they are settled in a later turn. Nothing resumes an actor that died meanwhile (A7).
import type { Cell } from './cell.ts';
import type { Kernel } from './kernel.ts';

/** Runs `settle`, which settles a promise of `caller`; null: of code outside of actors. */
export function settleInPace(kernel: Kernel, caller: Cell | null, settle: () => void): void {
  if (kernel.scheduler.spend()) settle();
  else setImmediate(() => (caller?.isDead === true ? undefined : settle()));
}

/** The same outcome, for `caller`. */
export async function inPace<T>(kernel: Kernel, caller: Cell | null, outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } finally {
    if (!kernel.scheduler.spend()) await new Promise((resolve) => void setImmediate(resolve));
    if (caller?.isDead === true) await new Promise(() => {});
  }
}
