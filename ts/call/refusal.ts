import { type Cell, LIMITED } from '../kernel/index.ts';
import { Pid } from '../term/index.ts';
import { isWaiting, MAX_STEPS, waitsOf } from './wait-graph.ts';

/**
 * Why `cell` cannot take a call of the last actor in `chain`, where each of at most MAX_RING actors waits for the next; undefined: it
 * can. O(1) if `cell` itself waits for no actor, otherwise O(calls and starts that it waits for, directly or through others), at most
 * {@link MAX_STEPS}.
 */
export function refusal(cell: Cell, chain: readonly Pid[]): 'cycle' | 'overload' | undefined {
  if (chain.length > 0 && isWaiting(cell) && closesRing(cell, chain)) return 'cycle';
  return (cell.flags & LIMITED) !== 0 && cell.extra?.gate?.isFull === true ? 'overload' : undefined;
}

/**
 * Whether `cell` waits, directly or through other actors of this node, for one of `chain`. Of an actor of another node only the PID
 * is known here: `RingSearch` finds rings that go on there.
 */
function closesRing(cell: Cell, chain: readonly Pid[]): boolean {
  if (mayWaitForNext(cell) && includes(chain, cell.pid)) return true;
  const seen = new Set([cell]);
  const open = [cell];
  let looked = 0;
  for (let waiting = open.pop(); waiting !== undefined; waiting = open.pop()) {
    for (const target of waitsOf(waiting)) {
      const isFar = 'address' in target;
      const pid = isFar ? target.to : target.pid;
      const isBlocked = isFar || isWaiting(target);
      // The last of the chain is just making its call. The others made theirs before, and may receive meanwhile.
      if (pid instanceof Pid && includes(isBlocked ? chain : chain.slice(-1), pid)) return true;
      if (++looked > MAX_STEPS) return false;
      if (isFar || !isBlocked || seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return false;
}

/**
 * Whether the actor may be blocked by its wait in `chain`. An actor that only waits for starts on this node is blocked by those
 * instead.
 */
function mayWaitForNext({ extra }: Cell): boolean {
  return extra !== null && (extra.calls !== null || !extra.starts?.size);
}

function includes(chain: readonly Pid[], pid: Pid): boolean {
  return chain.some((one) => one.equals(pid));
}
