import { SystemMessage } from '../actor/index.ts';

/** A node's event loop has not turned for a while. The node is up: a native thread still sends its ticks. */
export class NodeStalled extends SystemMessage {
  readonly node: string;
  /** ms since its event loop last turned. */
  readonly ageMs: number;

  /** @internal */
  constructor(node: string, ageMs: number) {
    super();
    this.node = node;
    this.ageMs = ageMs;
  }
}

/** The event loop of a node that was stalled turns again. */
export class NodeRecovered extends SystemMessage {
  readonly node: string;

  /** @internal */
  constructor(node: string) {
    super();
    this.node = node;
  }
}
