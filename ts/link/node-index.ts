/**
 * Links, monitors, calls or spawns by the node they depend on: the number of a (name, incarnation) pair, or a name while the
 * number is not known. The loss of a node finds what it breaks without a search.
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

  /** Takes out everything tied to `node`, oldest first. No later add or remove touches what it gives. */
  take(node: number | string): Iterable<T> {
    const items = this.byNode.get(node);
    if (items === undefined) return [];
    this.byNode.delete(node);
    return items;
  }

  /** Things tied to `node`. */
  countOf(node: number | string): number {
    return this.byNode.get(node)?.size ?? 0;
  }

  /** Things tied to any node. O(nodes). */
  get size(): number {
    let size = 0;
    for (const items of this.byNode.values()) size += items.size;
    return size;
  }
}
