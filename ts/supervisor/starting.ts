import { type Self, type StartOptions, type StartResult, start } from '../actor/index.ts';
import type { ChildPlan, Placement } from './child-spec.ts';

/**
 * Starts a child, linked, here or on the node its plan names. The result comes at once, not as a promise, unless the
 * child's init really has to be waited for: that is what makes bursts of restarts cheap.
 */
export function startChild(
  self: Self,
  plan: ChildPlan,
  args: readonly unknown[],
): StartResult | Promise<StartResult> {
  const options = plan.place === undefined ? plan.startOptions : placed(plan, plan.place);
  if (typeof options === 'string') return { ok: false, reason: options };
  return start(self as never, plan.start, args as unknown[], options);
}

/** The options with the node that was chosen, or why none was. */
function placed({ id, startOptions: options }: ChildPlan, place: Placement): StartOptions | string {
  try {
    const node: unknown = place(id);
    return typeof node === 'string' ? { ...options, node } : `bad placement: ${String(node)}`;
  } catch (error) {
    return `bad placement: ${String(error)}`;
  }
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
