// The node a bench works on: silent, because crashes on purpose are no news.
import { type Node, type NodeOptions, startNode } from '../ts/index.ts';

export type Lab = Node;

const silent = { error() {}, warn() {}, info() {}, debug() {} };

/** A node without a name unless one is given: everything local works. */
export function openLab(options: NodeOptions = {}): Promise<Lab> {
  return startNode({ logger: silent, ...options });
}

/** One node for all rounds of a case; `shape` does `count` operations on it. */
export function inLab(shape: (lab: Lab, count: number) => Promise<void>): (count: number) => Promise<void> {
  const lab = openLab();
  return async (count) => shape(await lab, count);
}
