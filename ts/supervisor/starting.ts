import { type Self, type StartOptions, type StartResult, start } from '../actor/index.ts';
import { kindOf, SnowmeshError } from '../errors/index.ts';
import { promiseOf } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';

/** Starts a child, linked, on the node of its plan. For the first start of a static supervisor, which waits for each child. */
export function startChildNow(
  self: Self,
  plan: ChildPlan,
  args: readonly unknown[],
): StartResult | Promise<StartResult> {
  const options = placed(plan);
  return typeof options === 'string' ? { ok: false, reason: options } : startWith(self, plan, args, options);
}

/**
 * Starts a child with `options`. Returns the result directly unless the child's init is asynchronous: this makes bursts of restarts
 * cheap. When the start throws, for example because of an invalid name, it is a failed start with the error's code as the reason: the
 * supervisor goes on.
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

/** The start options with the node that the placement function returns; its error as a text when it fails. */
export function placed({ id, startOptions: options, place }: ChildPlan): StartOptions | string {
  if (place === undefined) return options;
  try {
    const node: unknown = place(id);
    promiseOf(node)?.catch(() => {}); // it is refused
    if (typeof node === 'string') return { ...options, node };
    return `bad placement: \`node\` returned ${kindOf(node)}, not the name of a node`;
  } catch (error) {
    return `bad placement: ${textOf(error)}`;
  }
}

/** A value of user code as text. Conversion may throw. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without a text';
  }
}

/** The reason of a failed start; undefined when the child runs or its init returned `ignore()`. */
export function startError(result: StartResult): { reason: unknown } | undefined {
  return result.ok || result.ignore === true ? undefined : { reason: result.reason };
}

/** Whether a child seems to have ended because its node was lost: it may still run. */
export function isLost(pid: Pid, reason: unknown): boolean {
  return reason === 'noconnection' && !pid.isLocal;
}

/** Whether a start failed because the node is away, or has just come back: it does not expose the child yet, or cannot take more. */
export function isAway(plan: ChildPlan, reason: unknown, isWaiting: boolean): boolean {
  if (!plan.waitsForNode) return false;
  return reason === 'noconnection' || (isWaiting && (reason === 'unknown_function' || reason === 'overload'));
}
