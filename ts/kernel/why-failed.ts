import type { Kernel } from './kernel.ts';

/** What is known about a node that did not answer: `why` is a code for programs, `detail` a phrase for an error message. */
export interface WhyFailed {
  readonly why?: string;
  readonly detail?: string;
}

/**
 * Explains why a request to another node failed: why the node cannot be reached, or that its event loop is blocked.
 *
 * @param node a number or a name; undefined: nothing is known.
 * @param state how the request failed: `nodedown`, `noconnection` and `timeout` can be explained.
 */
export function whyFailed(kernel: Kernel, node: number | string | undefined, state: unknown): WhyFailed {
  if (node === undefined) return {};
  const { reachability } = kernel.remote;
  if (state === 'nodedown' || state === 'noconnection') return reachability.whyDown(node) ?? {};
  const stalledMs = state === 'timeout' ? reachability.stalledMs(node) : undefined;
  if (stalledMs === undefined) return {};
  return {
    why: 'stalled',
    detail: `its event loop has stood still for ${Math.round(stalledMs / 100) / 10} s`,
  };
}
