/**
 * Links, monitors, calls or spawns by the node that they depend on, so that the loss of a node finds them without a search. The key is
 * the number of a (name, incarnation) pair, or the name while the number is not known.
 */
export class NodeIndex<T> {
  private readonly byNode = new Map<number | string, Set<T>>();

  add(node: number | string, item: T): void {
    const items = this.byNode.get(node);
    if (items === undefined) this.byNode.set(node, new Set([item]));
    else items.add(item);
  }

  remove(node: number | string, item: T): void {
    const items = this.byNode.get(node);
    if (items === undefined) return;
    items.delete(item);
    if (items.size === 0) this.byNode.delete(node);
  }

  has(node: number | string, item: T): boolean {
    return this.byNode.get(node)?.has(item) === true;
  }

  /** Removes and returns the items of `node`, oldest first. Later calls of `add` and `remove` do not change what it returns. */
  take(node: number | string): Iterable<T> {
    const items = this.byNode.get(node);
    if (items === undefined) return [];
    this.byNode.delete(node);
    return items;
  }

  /** How many items `node` has. */
  countOf(node: number | string): number {
    return this.byNode.get(node)?.size ?? 0;
  }

  /** How many items there are. O(nodes). */
  get size(): number {
    let size = 0;
    for (const items of this.byNode.values()) size += items.size;
    return size;
  }
}
