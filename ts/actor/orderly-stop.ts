import { type Cell, cellOf, type Kernel, requestStop } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';

/** Actors that the node stops in order: supervisors, and servers with `terminate`. */
const orderly = new WeakSet<Cell>();

/** Makes the node stop this actor, and await its end, before it stops itself. An ancestor that is such an actor stops it instead. */
export function endInOrder(pid: Pid): void {
  const cell = cellOf(pid);
  if (cell !== undefined) orderly.add(cell);
}

/**
 * Stops the topmost of these actors with `shutdown`, one after the other, the last started first; each stops those below it. Resolves
 * when none is left, or when `timeUp` has resolved. O(actors · depth).
 */
export async function endTrees(kernel: Kernel, timeUp: Promise<void>): Promise<void> {
  let isOver = false;
  const over = timeUp.then(() => {
    isOver = true;
  });
  const asked = new WeakSet<Cell>();
  // Repeated until none is found: an actor may start others while it stops.
  for (let tops = topsOf(kernel, asked); tops.length > 0; tops = topsOf(kernel, asked)) {
    for (const cell of tops) {
      asked.add(cell);
      if (cell.isDead) continue;
      const ended = new Promise<void>((resolve) => void cell.onDeath(() => resolve()));
      requestStop(cell, 'shutdown');
      await Promise.race([ended, over]);
      if (isOver) return;
    }
  }
}

/** The topmost of these actors, the last started first. */
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
