import type { Kernel } from './kernel.ts';

/** What is known of a node that did not answer: a word, and the same in words. */
export interface WhyFailed {
  readonly why?: string;
  readonly more?: string;
}

/**
 * Why a question to another node failed, for its error: how the node got out of reach, or that its event loop stands still.
 *
 * @param node a number or a name; undefined: nothing is known. @param state `nodedown` or `noconnection`, and `timeout`, can be explained.
 */
export function whyFailed(kernel: Kernel, node: number | string | undefined, state: unknown): WhyFailed {
  if (node === undefined) return {};
  const { reachability } = kernel.remote;
  if (state === 'nodedown' || state === 'noconnection') {
    const found = reachability.whyDown(node);
    return found === undefined ? {} : { why: found.why, more: found.detail };
  }
  const stalledMs = state === 'timeout' ? reachability.stalledMs(node) : undefined;
  if (stalledMs === undefined) return {};
  return { why: 'stalled', more: `its event loop has stood still for ${Math.round(stalledMs / 100) / 10} s` };
}
