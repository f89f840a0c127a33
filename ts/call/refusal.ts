import { BUSY, type Cell, LIMITED } from '../kernel/index.ts';
import { Pid } from '../term/index.ts';
import { PendingCall } from './pending-call.ts';

/** Waits that one search for a ring looks at, and members of the chain that it looks for: a longer ring is not found. */
const MOST_LOOKED_AT = 1000;
const LONGEST_CHAIN = 64;

/**
 * Why an actor cannot take a call of the last in `chain`, each of which waits for the next; undefined: it can. O(1) unless the
 * actor waits for others itself; then O(calls and starts that it waits for, directly or not), up to {@link MOST_LOOKED_AT}.
 */
export function refusal(cell: Cell, chain: readonly Pid[]): 'cycle' | 'overload' | undefined {
  if (chain.length > 0 && isWaiting(cell) && closesRing(cell, chain.slice(-LONGEST_CHAIN))) return 'cycle';
  return (cell.flags & LIMITED) !== 0 && cell.extra?.gate?.isFull === true ? 'overload' : undefined;
}

/** It handles nothing before a call or a start of its own is over. One that can receive meanwhile closes no ring. */
function isWaiting({ extra, body, wait, flags }: Cell): boolean {
  if (extra === null || (extra.calls === null && extra.farStarts === 0 && !extra.starts?.size)) return false;
  return body === null ? wait === null : (flags & BUSY) !== 0 || extra.isStarting;
}

/** Whether `cell` waits, directly or through others of this node, for one of `chain`. */
function closesRing(cell: Cell, chain: readonly Pid[]): boolean {
  if (mayWaitForNext(cell) && includes(chain, cell.pid)) return true;
  const seen = new Set([cell]);
  const open = [cell];
  let looked = 0;
  for (let waiting = open.pop(); waiting !== undefined; waiting = open.pop()) {
    for (const target of waitedFor(waiting)) {
      if (includes(chain, target instanceof Pid ? target : target.pid)) return true;
      if (++looked > MOST_LOOKED_AT) return false;
      if (target instanceof Pid || seen.has(target) || !isWaiting(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return false;
}

/**
 * Whether the wait that `chain` tells of may be what holds the actor up. While it waits for a start of this node it is that one;
 * a start on another node runs beside it.
 */
function mayWaitForNext({ extra }: Cell): boolean {
  return extra !== null && (extra.calls !== null || !extra.starts?.size);
}

/** Those an actor waits for: of this node, or by PID on another. Calls to a name on another node are left out. */
function* waitedFor({ extra }: Cell): Generator<Cell | Pid> {
  for (let call = extra?.calls ?? null; call !== null; call = call.after) {
    if (!(call instanceof PendingCall)) continue;
    if (call.target !== undefined) yield call.target;
    else if (call.to instanceof Pid) yield call.to;
  }
  yield* extra?.starts ?? [];
}

function includes(chain: readonly Pid[], pid: Pid): boolean {
  return chain.some((one) => one.equals(pid));
}
