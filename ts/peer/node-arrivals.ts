/**
 * Actions of actors that wait for a node. Each runs whenever that node connects, until it is cancelled. An action only wakes its actor:
 * it runs before the node's first message is delivered.
 */
export class NodeArrivals {
  readonly #canonical: (node: string) => string;
  readonly #actions = new Map<string, Set<() => void>>();

  /** @param canonical gives the full name of a node. */
  constructor(canonical: (node: string) => string) {
    this.#canonical = canonical;
  }

  /** Returns what cancels it. O(1). */
  on(node: string, action: () => void): () => void {
    const name = this.#canonical(node);
    let actions = this.#actions.get(name);
    if (actions === undefined) this.#actions.set(name, (actions = new Set()));
    const own = (): void => action(); // the same action may be given twice
    actions.add(own);
    return () => {
      if (actions.delete(own) && actions.size === 0 && this.#actions.get(name) === actions)
        this.#actions.delete(name);
    };
  }

  /** The node has connected. Actions that are added meanwhile wait for its next time. O(actions). */
  up(node: string): void {
    for (const action of [...(this.#actions.get(node) ?? [])]) action();
  }

  /** How many nodes are waited for. */
  get size(): number {
    return this.#actions.size;
  }
}
