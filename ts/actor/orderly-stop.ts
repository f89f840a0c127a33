import { askToEnd, type Cell, cellOf, type Kernel } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';

/** The actors with work to do at their end: supervisors, and servers with `terminate`. */
const orderly = new WeakSet<Cell>();

/** When the node stops, this actor is asked to end, and its end is awaited, unless such an actor is among its ancestors. */
export function endInOrder(pid: Pid): void {
  const cell = cellOf(pid);
  if (cell !== undefined) orderly.add(cell);
}

/**
 * Asks the top actors of that kind to end with `shutdown`, one after the other: the one that was started last goes first, and
 * takes what is below it along. Resolves when none is left, or `timeUp` has resolved. O(actors · depth).
 */
export async function endTrees(kernel: Kernel, timeUp: Promise<void>): Promise<void> {
  let isOver = false;
  const over = timeUp.then(() => {
    isOver = true;
  });
  const asked = new WeakSet<Cell>();
  // Again until none is found: one may start others at its end.
  for (let tops = topsOf(kernel, asked); tops.length > 0; tops = topsOf(kernel, asked)) {
    for (const cell of tops) {
      asked.add(cell);
      if (cell.isDead) continue;
      const ended = new Promise<void>((resolve) => void cell.onDeath(() => resolve()));
      askToEnd(cell, 'shutdown');
      await Promise.race([ended, over]);
      if (isOver) return;
    }
  }
}

/** The last one started first. */
function topsOf(kernel: Kernel, asked: WeakSet<Cell>): Cell[] {
  const tops: Cell[] = [];
  for (const cell of kernel.table) if (orderly.has(cell) && !asked.has(cell) && isTop(cell)) tops.push(cell);
  return tops.sort((one, other) => other.pid.local - one.pid.local);
}

function isTop(cell: Cell): boolean {
  for (let above = cellOf(cell.parent); above !== undefined; above = cellOf(above.parent))
    if (orderly.has(above)) return false;
  return true;
}
