// The node of a bench. A crash of an actor ends the process, because the figures would be meaningless.
import { type Logger, type Node, type NodeOptions, startNode } from '../ts/index.ts';

export type Lab = Node;

const strict: Logger = {
  error(facts, message) {
    console.error(message, facts);
    process.exit(1);
  },
  warn: (facts, message) => console.error(message, facts),
  info() {},
  debug() {},
};

/** A node without a name unless one is given: everything local works. */
export function openLab(options: NodeOptions = {}): Promise<Lab> {
  return startNode({ logger: strict, ...options });
}

/** One node for all rounds of a case; `shape` does `count` operations on it. */
export function inLab(shape: (lab: Lab, count: number) => Promise<void>): (count: number) => Promise<void> {
  const lab = openLab();
  return async (count) => shape(await lab, count);
}
