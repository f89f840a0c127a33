// Which actor waits for which, from the pending calls and starts of this node's actors.
import { BUSY, type Cell, type RemoteWait } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import { PendingCall } from './pending-call.ts';

/** Most waits that one search looks at. A ring that takes more is not found. */
export const MAX_STEPS = 1000;
/** Most actors in a ring that is found for certain. */
export const MAX_RING = 64;

/** Whether an actor is blocked by a call or a start of its own. An actor that can still receive cannot deadlock. */
export function isWaiting({ extra, body, wait, flags }: Cell): boolean {
  if (extra === null || (extra.calls === null && !extra.remoteStarts?.size && !extra.starts?.size))
    return false;
  return body === null ? wait === null : (flags & BUSY) !== 0 || extra.isStarting;
}

/** Whether a caller waits for an actor's answer, or its starter for its init. */
export function isWaitedFor({ extra }: Cell): boolean {
  return extra !== null && (extra.starter !== null || extra.callers !== null);
}

/** What an actor waits for: actors of this node, and waits for actors of other nodes. */
export function* waitsOf({ extra }: Cell): Generator<Cell | RemoteWait> {
  for (let call = extra?.calls ?? null; call !== null; call = call.after) {
    if (!(call instanceof PendingCall)) continue;
    if (call.target !== undefined) yield call.target;
    else if (call.node !== undefined) yield call;
  }
  yield* extra?.starts ?? [];
  yield* extra?.remoteStarts ?? [];
}

/** A wait for another node, and the actors that lead to it: each waits for the next, the last one made the wait. */
export interface FoundWait {
  readonly wait: RemoteWait;
  readonly way: readonly Pid[];
}

/** The waits for other nodes of an actor, and of the actors of this node that it waits for, directly or through others. O(steps). */
export function remoteWaits(
  from: Cell,
  steps: number,
): { readonly found: FoundWait[]; readonly left: number } {
  const found: FoundWait[] = [];
  if (!isWaiting(from)) return { found, left: steps };
  const seen = new Set([from]);
  const open: { cell: Cell; way: readonly Pid[] }[] = [{ cell: from, way: [from.pid] }];
  let left = steps;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { cell, way } = next;
    for (const target of waitsOf(cell)) {
      if (left === 0) return { found, left };
      left--;
      if ('address' in target) found.push({ wait: target, way });
      else if (!seen.has(target) && isWaiting(target) && way.length < MAX_RING) {
        seen.add(target);
        open.push({ cell: target, way: [...way, target.pid] });
      }
    }
  }
  return { found, left };
}
