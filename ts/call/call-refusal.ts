import { BUSY, type Cell, LIMITED } from '../kernel/cell.ts';
import type { Pid } from '../term/index.ts';

/** Why an actor cannot take a call of those in `chain`, each of whom waits for the next; undefined: it can. */
export function refusal(cell: Cell, chain: readonly Pid[]): 'cycle' | 'overload' | undefined {
  if (isWaiting(cell) && chain.some((pid) => pid.equals(cell.pid))) return 'cycle';
  return (cell.flags & LIMITED) !== 0 && cell.extra?.gate?.isFull === true ? 'overload' : undefined;
}

/** It handles nothing before a call of its own is answered. One that goes on meanwhile closes no ring. */
function isWaiting(cell: Cell): boolean {
  if (cell.extra === null || cell.extra.calls === null) return false;
  return cell.body === null ? cell.wait === null : (cell.flags & BUSY) !== 0;
}
