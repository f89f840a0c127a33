/** An item of a {@link Chain}: it holds the pointers of the list. */
export interface Chained<T> {
  /** @internal */
  before: T | null;
  /** @internal */
  after: T | null;
  /** @internal The chain that it is in. */
  chain: Chain<never> | null;
}

/** An intrusive doubly linked list, oldest item first. Everything is O(1) and allocates nothing. An item is in at most one chain. */
export class Chain<T extends Chained<T>> {
  first: T | null = null;
  size = 0;
  private last: T | null = null;

  add(item: T): void {
    const { last } = this;
    item.chain = this as unknown as Chain<never>;
    item.before = last;
    if (last === null) this.first = item;
    else last.after = item;
    this.last = item;
    this.size++;
  }

  /** The item must be in this chain. */
  remove(item: T): void {
    const { before, after } = item;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    item.before = item.after = null;
    item.chain = null;
    this.size--;
  }

  /** Removes and returns the oldest item; null: the chain is empty. */
  shift(): T | null {
    const { first } = this;
    if (first !== null) this.remove(first);
    return first;
  }
}
