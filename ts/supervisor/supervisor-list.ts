import type { Runtime, Self } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { Supervising } from './children-host.ts';

/** The supervisors of each runtime by local id, the oldest first. */
const lists = new WeakMap<Runtime, Map<number, Listed>>();
const NONE: ReadonlyMap<number, Listed> = new Map();

/** A supervisor, for introspection. */
export interface Listed {
  readonly pid: Pid;
  readonly children: Supervising;
}

/** Lists a supervisor, from before the start of its children until its end. */
export function enlist(self: Self, children: Supervising): void {
  const { runtime, pid } = self;
  let list = lists.get(runtime);
  if (list === undefined) lists.set(runtime, (list = new Map()));
  list.set(pid.local, { pid, children });
  runtime.onDeath(pid, () => void lists.get(runtime)?.delete(pid.local));
}

/** The living supervisors of a runtime by local id. It sends no message, so it includes those that wait for a child. O(1). */
export function supervisorsOf(runtime: Runtime): ReadonlyMap<number, Listed> {
  return lists.get(runtime) ?? NONE;
}
