import { type Self, type StartOptions, type StartResult, start } from '../actor/index.ts';
import type { ChildPlan } from './child-spec.ts';

/**
 * Starts a child, linked, here or on the node its plan names. The result comes at once, not as a promise, unless the
 * child's init really has to be waited for: that is what makes bursts of restarts cheap.
 */
export function startChild(
  self: Self,
  plan: ChildPlan,
  args: readonly unknown[],
): StartResult | Promise<StartResult> {
  return start(self as never, plan.start, args as unknown[], plan.startOptions);
}

/** How every child is started: linked, and as its plan says. */
export function startOptions(
  name: string | undefined,
  node: string | undefined,
  timeout: number,
): StartOptions {
  return {
    link: true,
    ...(name === undefined ? undefined : { name }),
    ...(node === undefined ? undefined : { node }),
    ...(timeout === Number.POSITIVE_INFINITY ? undefined : { timeout }),
  };
}

/** The reason of a start that brought no child, or undefined when that is no error. */
export function startError(result: StartResult): { reason: unknown } | undefined {
  return result.ok || result.ignore === true ? undefined : { reason: result.reason };
}
