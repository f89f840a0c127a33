import { type Self, type StartOptions, type StartResult, start } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';

/** Starts a child, linked, here or on the node its plan names, as the first start of a supervisor does: it is waited for. */
export function startChildNow(
  self: Self,
  plan: ChildPlan,
  args: readonly unknown[],
): StartResult | Promise<StartResult> {
  const options = placed(plan);
  return typeof options === 'string' ? { ok: false, reason: options } : startWith(self, plan, args, options);
}

/**
 * Starts a child where `options` say. The result comes at once, not as a promise, unless the child's init really has to be
 * waited for: that is what makes bursts of restarts cheap. What cannot be started at all, for example under a name that is
 * none, is a failed start with the error's code as its reason, and not the supervisor's end.
 */
export function startWith(
  self: Self,
  plan: ChildPlan,
  args: readonly unknown[],
  options: StartOptions,
): StartResult | Promise<StartResult> {
  try {
    return start(self, plan.start, args as unknown[], options);
  } catch (error) {
    return { ok: false, reason: error instanceof SnowmeshError ? error.code : textOf(error) };
  }
}

/** The options with the node that is chosen now, or why none is. */
export function placed({ id, startOptions: options, place }: ChildPlan): StartOptions | string {
  if (place === undefined) return options;
  try {
    const node: unknown = place(id);
    return typeof node === 'string' ? { ...options, node } : `bad placement: ${textOf(node)}`;
  } catch (error) {
    return `bad placement: ${textOf(error)}`;
  }
}

/** What code of users threw, or gave, as text: some things have none. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without a text';
  }
}

/** The reason of a start that brought no child, or undefined when that is no error. */
export function startError(result: StartResult): { reason: unknown } | undefined {
  return result.ok || result.ignore === true ? undefined : { reason: result.reason };
}

/** Whether a child may have ended because its node was lost: it may be running. */
export function isLost(pid: Pid, reason: unknown): boolean {
  return reason === 'noconnection' && !pid.isLocal;
}

/** Whether a start failed because the node is away, or has just come back and does not expose the child yet. */
export function isAway(plan: ChildPlan, reason: unknown, isWaiting: boolean): boolean {
  if (!plan.waitsForNode) return false;
  return reason === 'noconnection' || (isWaiting && reason === 'unknown_function');
}
