import { MAX_SHAPE_KEYS } from './limits.ts';

/** Children of a node that are compared one by one. With more, a Map finds them. */
const MAX_LISTED = 12;
/** Longer keys are assumed to be data. */
const MAX_KEY_LENGTH = 255;

/** The key of the null node. An object may have this key, so code that reaches a new node calls {@link KeyTrie.has}. */
const NO_KEY = '\ud800';

/** A list of keys: the path from the root to this node. */
export class KeyNode<T> {
  readonly parent: KeyNode<T> | undefined;
  readonly key: string;
  readonly depth: number;
  /** The data for objects with exactly these keys. */
  value: T | undefined = undefined;
  /** The child that was looked up last. Callers try it first: `node.recent.key === key`. */
  recent: KeyNode<T>;
  /** The newest child; `sibling` leads to all others. */
  child: KeyNode<T> | undefined = undefined;
  sibling: KeyNode<T> | undefined = undefined;
  index: Map<string, KeyNode<T>> | undefined = undefined;
  children = 0;

  constructor(parent: KeyNode<T> | undefined, key: string, none: KeyNode<T> | undefined) {
    this.parent = parent;
    this.key = key;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.recent = none ?? this;
  }

  /** The keys on the path to this node. O(keys). */
  keys(): string[] {
    const keys: string[] = [];
    for (let node: KeyNode<T> = this; node.parent !== undefined; node = node.parent) keys.push(node.key);
    return keys.reverse();
  }
}

/**
 * Maps lists of keys to data. A look-up walks the list key by key:
 *
 *     root ── id ── name ── at        { id, name, at }
 *              └─── tags              { id, tags }
 *
 * V8 internalizes keys of objects, so a step is usually a comparison of two pointers. The number of nodes is bounded, since objects
 * whose keys are data would grow the trie without end.
 */
export class KeyTrie<T> {
  readonly root: KeyNode<T>;
  /** The null node: takes the place of a missing child, so that callers need no check. */
  private readonly none: KeyNode<T> = new KeyNode<T>(undefined, NO_KEY, undefined);
  private left: number;

  /** @param nodes The most nodes it may have. */
  constructor(nodes: number) {
    this.left = nodes;
    this.root = new KeyNode<T>(undefined, '', this.none);
  }

  /** The child for a key, created if missing. Undefined: the trie is full, the key too long, or the list too long. */
  step(node: KeyNode<T>, key: string): KeyNode<T> | undefined {
    let child = node.child;
    if (node.index !== undefined) child = node.index.get(key);
    else while (child !== undefined && child.key !== key) child = child.sibling;
    child ??= this.grow(node, key);
    if (child !== undefined) node.recent = child;
    return child;
  }

  /** Whether this is a node of the trie and not the null node. */
  has(node: KeyNode<T>): boolean {
    return node !== this.none;
  }

  private grow(node: KeyNode<T>, key: string): KeyNode<T> | undefined {
    if (node === this.none || this.left <= 0 || node.depth >= MAX_SHAPE_KEYS) return undefined;
    if (!canBeKey(key)) return undefined;
    this.left--;
    const child = new KeyNode<T>(node, key, this.none);
    child.sibling = node.child;
    node.child = child;
    node.children++;
    if (node.index !== undefined) node.index.set(key, child);
    else if (node.children > MAX_LISTED) node.index = indexOf(node);
    return child;
  }
}

/** Whether a trie accepts this key. */
export function canBeKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && key.isWellFormed();
}

function indexOf<T>(node: KeyNode<T>): Map<string, KeyNode<T>> {
  const index = new Map<string, KeyNode<T>>();
  for (let child = node.child; child !== undefined; child = child.sibling) index.set(child.key, child);
  return index;
}

const NOTHING = {};

/**
 * Whether some code has put enumerable properties on `Object.prototype`. `for … in` over an object lists them, so code that
 * relies on it has to use the slow path.
 */
export function isPrototypePolluted(): boolean {
  for (const _ in NOTHING) return true;
  return false;
}
