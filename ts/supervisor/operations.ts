import {
  actingFor,
  type Caller,
  type Dest,
  handOver,
  type NodeAddress,
  partsOf,
  type Runtime,
} from '../actor/index.ts';
import { Pid } from '../term/index.ts';
import { type ChildSpec, planChild } from './child-spec.ts';
import type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';

/** A supervisor's PID, local name, or name on a node. */
export type SupervisorDest = Pid | string | NodeAddress;

/**
 * Adds a child to a supervisor and starts it. Waits for its init, as long as that takes.
 *
 * @param caller The calling actor's `self`, or the node.
 * @param supervisor Which supervisor.
 * @param child A child spec; for a dynamic supervisor with a template, the arguments that follow the template's.
 * @returns What came of it: see {@link ChildResult}. A spec whose start failed is dropped; one whose init said
 *   `ignore` is kept without a PID, unless temporary or dynamic (J20).
 * @throws SNOW_ERR_BAD_CHILD_SPEC at once; a CallError when the supervisor cannot be reached.
 * @example
 * const result = await startChild(self, pool, childSpec('worker-7', worker, { args: [7] }));
 */
export async function startChild(
  caller: Caller,
  supervisor: SupervisorDest,
  child: ChildSpec | readonly unknown[],
): Promise<ChildResult> {
  // Misuse is thrown at the one who made it, and must not reach the supervisor.
  if (!Array.isArray(child)) planChild(child as ChildSpec, 'any_significant');
  const { runtime } = partsOf(caller);
  if (!isHere(runtime, supervisor)) return ask(caller, supervisor, 'startChild', child);
  const { ticket, withdraw } = handOver(runtime, child);
  try {
    return await ask<ChildResult>(caller, supervisor, 'startChild', ticket);
  } catch (error) {
    withdraw();
    throw error;
  }
}

/**
 * Stops a child. A static supervisor keeps its spec (but not that of a temporary child), so asking again is fine; a
 * dynamic one takes the PID and forgets the child (J21, J22).
 *
 * @returns `ok`, or `not_found`; `not_supported` for an id at a dynamic supervisor.
 * @example
 * await terminateChild(self, shop, 'till');
 */
export function terminateChild(
  caller: Caller,
  supervisor: SupervisorDest,
  child: string | Pid,
): Promise<StopResult> {
  return ask(caller, supervisor, 'terminateChild', child);
}

/**
 * Starts a child again that does not run, from its kept spec (J21). Not for dynamic supervisors.
 *
 * @returns See {@link ChildResult}; `running`, `restarting` and `not_found` when there is nothing to restart.
 * @example
 * const result = await restartChild(self, shop, 'till');
 * if (!result.ok) console.warn('no till', result);
 */
export function restartChild(caller: Caller, supervisor: SupervisorDest, id: string): Promise<ChildResult> {
  return ask(caller, supervisor, 'restartChild', id);
}

/**
 * Forgets the spec of a child that does not run (J21). Not for dynamic supervisors.
 *
 * @returns `ok`, `running`, `restarting`, `not_found` or `not_supported`.
 * @example
 * await terminateChild(self, shop, 'till');
 * await deleteChild(self, shop, 'till');
 */
export function deleteChild(caller: Caller, supervisor: SupervisorDest, id: string): Promise<StopResult> {
  return ask(caller, supervisor, 'deleteChild', id);
}

/**
 * The children in start order; those between two restart attempts have the PID `restarting`. O(n).
 *
 * @example
 * const till = (await whichChildren(node, shop)).find(({ id }) => id === 'till')?.pid;
 */
export function whichChildren(caller: Caller, supervisor: SupervisorDest): Promise<ChildInfo[]> {
  return ask(caller, supervisor, 'whichChildren');
}

/**
 * How many children there are, and of which kind (J23).
 *
 * @example
 * const { active, specs } = await countChildren(node, shop);
 */
export function countChildren(caller: Caller, supervisor: SupervisorDest): Promise<ChildCounts> {
  return ask(caller, supervisor, 'countChildren');
}

function ask<R>(caller: Caller, supervisor: SupervisorDest, tag: string, ...args: unknown[]): Promise<R> {
  return actingFor(caller).call<R>(supervisor as Dest, tag, args, { timeout: Number.POSITIVE_INFINITY });
}

function isHere(runtime: Runtime, supervisor: SupervisorDest): boolean {
  if (supervisor instanceof Pid) return supervisor.isLocal;
  return typeof supervisor === 'string' || runtime.remote.isSelf(supervisor.node);
}
