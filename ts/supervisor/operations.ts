import {
  type Caller,
  type CallOptions,
  checkDest,
  type Dest,
  handOver,
  type NodeAddress,
  partsOf,
  promised,
  type Runtime,
  request,
} from '../actor/index.ts';
import { badArgument, checkOptionNames, checkSignal, type OptionNames } from '../errors/index.ts';
import { Pid } from '../term/index.ts';
import { type ChildSpec, planChild } from './child-spec.ts';
import type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';

/** A supervisor's PID, local name, or name on a node. */
export type SupervisorDest = Pid | string | NodeAddress;

/**
 * Adds a child to a supervisor and starts it. Waits for its init, by default without a limit.
 *
 * `startChild<RefFor<typeof server>>` says of which type the child's PID is: nothing checks it.
 *
 * @param caller The calling actor's `self`, or the node.
 * @param supervisor The supervisor.
 * @param child A child spec; for a dynamic supervisor with a template, the arguments after those of the template.
 * @param options `timeout` in ms, default Infinity; `signal`. When one of them ends the wait, the child may still start.
 * @returns The result: see {@link ChildResult}. A spec whose start failed is removed; one whose init returned
 *   `ignore()` is kept without a PID, unless it is temporary or dynamic.
 * @throws SNOW_ERR_BAD_CHILD_SPEC at once; a CallError when the supervisor cannot be reached, does not answer in time, or waits for
 *   the caller (`cycle`: a child that asks its own supervisor during its init).
 * @example
 * const worker = defineServer({ name: 'worker', init: (_self, id: number) => ({ id }), calls: { id: ({ state }) => state.id } });
 * const result = await startChild<RefFor<typeof worker>>(self, pool, childSpec('worker-7', worker, { args: [7] }));
 * if (result.ok && result.pid !== undefined) await call(self, result.pid, 'id');
 */
export function startChild<P extends Pid = Pid>(
  caller: Caller,
  supervisor: SupervisorDest,
  child: ChildSpec | readonly unknown[],
  options?: CallOptions,
): Promise<ChildResult<P>> {
  return promised(caller, askToStart(caller, supervisor, child, options) as Promise<ChildResult<P>>);
}

async function askToStart(
  caller: Caller,
  supervisor: SupervisorDest,
  child: ChildSpec | readonly unknown[],
  options: CallOptions | undefined,
): Promise<ChildResult> {
  // A bad spec throws at the caller and does not reach the supervisor.
  if (!Array.isArray(child)) planChild(child as ChildSpec, 'any_significant');
  const { runtime } = partsOf(caller);
  checkDest(supervisor);
  if (!isHere(runtime, supervisor))
    return ask(caller, supervisor, 'startChild', WAITS_FOR_CHILD, options, child);
  const { ticket, withdraw } = handOver(runtime, child);
  try {
    return await ask<ChildResult>(caller, supervisor, 'startChild', WAITS_FOR_CHILD, options, ticket);
  } catch (error) {
    withdraw();
    throw error;
  }
}

/**
 * Stops a child. A static supervisor takes the id and keeps the spec, except that of a temporary child: stopping it again returns `ok`. A
 * dynamic supervisor takes the PID and removes the child.
 *
 * @param options `timeout` in ms, default Infinity; `signal`. When one of them ends the wait, the child is still stopped.
 * @returns `ok`, or `not_found`; `not_supported` for an id at a dynamic supervisor.
 * @example
 * await terminateChild(self, shop, 'till');
 */
export function terminateChild(
  caller: Caller,
  supervisor: SupervisorDest,
  child: string | Pid,
  options?: CallOptions,
): Promise<StopResult> {
  if (!(typeof child === 'string' || child instanceof Pid))
    throw badArgument('terminateChild', 'the id or PID of a child', child);
  return ask(caller, supervisor, 'terminateChild', WAITS_FOR_CHILD, options, child);
}

/**
 * Starts a stopped child again from its spec. Not for dynamic supervisors. The type argument is that of {@link startChild}.
 *
 * @param options `timeout` in ms, default Infinity; `signal`. When one of them ends the wait, the child may still start.
 * @returns See {@link ChildResult}; `running`, `restarting` and `not_found` when there is nothing to restart.
 * @example
 * const result = await restartChild(self, shop, 'till');
 * if (!result.ok) console.warn('no till', result);
 */
export function restartChild<P extends Pid = Pid>(
  caller: Caller,
  supervisor: SupervisorDest,
  id: string,
  options?: CallOptions,
): Promise<ChildResult<P>> {
  checkId('restartChild', id);
  return ask(caller, supervisor, 'restartChild', WAITS_FOR_CHILD, options, id);
}

/**
 * Removes the spec of a stopped child. Not for dynamic supervisors.
 *
 * @param options `timeout` in ms, default 5000; `signal`.
 * @returns `ok`, `running`, `restarting`, `not_found` or `not_supported`.
 * @example
 * await terminateChild(self, shop, 'till');
 * await deleteChild(self, shop, 'till');
 */
export function deleteChild(
  caller: Caller,
  supervisor: SupervisorDest,
  id: string,
  options?: CallOptions,
): Promise<StopResult> {
  checkId('deleteChild', id);
  return ask(caller, supervisor, 'deleteChild', ANSWERED_AT_ONCE, options, id);
}

/**
 * The children in start order. A child between two attempts to restart it has the PID `restarting`. O(n).
 *
 * @param options `timeout` in ms, default 5000; `signal`.
 * @throws CallError, for example `timeout` while the supervisor waits for the init of a child.
 * @example
 * const till = (await whichChildren(node, shop)).find(({ id }) => id === 'till')?.pid;
 */
export function whichChildren(
  caller: Caller,
  supervisor: SupervisorDest,
  options?: CallOptions,
): Promise<ChildInfo[]> {
  return ask(caller, supervisor, 'whichChildren', ANSWERED_AT_ONCE, options);
}

/**
 * The number of children of each kind.
 *
 * @param options `timeout` in ms, default 5000; `signal`.
 * @example
 * const { active, specs } = await countChildren(node, shop);
 */
export function countChildren(
  caller: Caller,
  supervisor: SupervisorDest,
  options?: CallOptions,
): Promise<ChildCounts> {
  return ask(caller, supervisor, 'countChildren', ANSWERED_AT_ONCE, options);
}

/** Default timeouts in ms: of requests that wait for a child to start or to end, and of others. */
const WAITS_FOR_CHILD = Number.POSITIVE_INFINITY;
const ANSWERED_AT_ONCE = 5000;
const OPTIONS: OptionNames<CallOptions> = { timeout: true, signal: true };

function ask<R>(
  caller: Caller,
  supervisor: SupervisorDest,
  tag: string,
  defaultMs: number,
  options: CallOptions = {},
  ...args: unknown[]
): Promise<R> {
  checkOptionNames(tag, options, OPTIONS);
  const { timeout = defaultMs, signal } = options;
  checkSignal(tag, signal);
  return request<R>(caller, supervisor as Dest<never>, tag, args, { timeout, signal });
}

function checkId(what: string, id: unknown): void {
  if (typeof id !== 'string') throw badArgument(what, 'the id of a child', id);
}

function isHere(runtime: Runtime, supervisor: SupervisorDest): boolean {
  if (supervisor instanceof Pid) return supervisor.isLocal;
  return typeof supervisor === 'string' || runtime.remote.isSelf(supervisor.node);
}
