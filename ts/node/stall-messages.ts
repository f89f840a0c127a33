import { SystemMessage } from '../actor/index.ts';

/** A node's event loop is blocked. The node is up: a native thread still sends its ticks. */
export class NodeStalled extends SystemMessage {
  readonly node: string;
  /** ms for which its event loop has been blocked. */
  readonly ageMs: number;

  /** @internal */
  constructor(node: string, ageMs: number) {
    super();
    this.node = node;
    this.ageMs = ageMs;
  }
}

/** The event loop of a node that was stalled runs again. */
export class NodeRecovered extends SystemMessage {
  readonly node: string;

  /** @internal */
  constructor(node: string) {
    super();
    this.node = node;
  }
}
