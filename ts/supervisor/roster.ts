import type { Runtime, Self } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { Supervising } from './children-host.ts';

/** The supervisors of each runtime by local id, the oldest first. */
const rosters = new WeakMap<Runtime, Map<number, Listed>>();
const NONE: ReadonlyMap<number, Listed> = new Map();

/** A supervisor, for introspection. */
export interface Listed {
  readonly pid: Pid;
  readonly children: Supervising;
}

/** Adds a supervisor to the roster, from before the start of its children until its end. */
export function enlist(self: Self, children: Supervising): void {
  const { runtime, pid } = self;
  let roster = rosters.get(runtime);
  if (roster === undefined) rosters.set(runtime, (roster = new Map()));
  roster.set(pid.local, { pid, children });
  runtime.onDeath(pid, () => void rosters.get(runtime)?.delete(pid.local));
}

/** The living supervisors of a runtime by local id. It sends no message, so it includes those that wait for a child. O(1). */
export function supervisorsOf(runtime: Runtime): ReadonlyMap<number, Listed> {
  return rosters.get(runtime) ?? NONE;
}
