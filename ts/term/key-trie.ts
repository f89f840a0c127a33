import { MAX_SHAPE_KEYS } from './limits.ts';

/** Children of a node that are compared one by one; beyond it a Map finds them. */
const MAX_LISTED = 12;
/** Longer keys look like data. */
const MAX_KEY_LENGTH = 255;

/** The key of the node that stands for none. An object may have it, so code that gets to a new node asks {@link KeyTrie.has}. */
const NO_KEY = '\ud800';

/** A list of keys: the way from the root to here. */
export class KeyNode<T> {
  readonly parent: KeyNode<T> | undefined;
  readonly key: string;
  readonly depth: number;
  /** What is known about objects with exactly these keys. */
  value: T | undefined = undefined;
  /** The child that was asked for last. Callers try it first: `node.recent.key === key`. */
  recent: KeyNode<T>;
  /** The child made last, and from there all others by `sibling`. */
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

  /** The keys on the way here. O(keys). */
  keys(): string[] {
    const keys: string[] = [];
    for (let node: KeyNode<T> = this; node.parent !== undefined; node = node.parent) keys.push(node.key);
    return keys.reverse();
  }
}

/**
 * Finds what is known about a list of keys, by walking it key by key:
 *
 *     root ── id ── name ── at        { id, name, at }
 *              └─── tags              { id, tags }
 *
 * Keys of objects are unique strings of the engine, so a step is mostly a comparison of two pointers. Bounded: objects whose
 * keys are data must not grow it without end.
 */
export class KeyTrie<T> {
  readonly root: KeyNode<T>;
  /** Stands where there is no child, so that no caller has to check for one. */
  private readonly none: KeyNode<T> = new KeyNode<T>(undefined, NO_KEY, undefined);
  private left: number;

  /** @param nodes How many nodes it may have. */
  constructor(nodes: number) {
    this.left = nodes;
    this.root = new KeyNode<T>(undefined, '', this.none);
  }

  /** The node one key further; made when it is missing. Undefined: the trie is full, or the key or their number too long. */
  step(node: KeyNode<T>, key: string): KeyNode<T> | undefined {
    let child = node.child;
    if (node.index !== undefined) child = node.index.get(key);
    else while (child !== undefined && child.key !== key) child = child.sibling;
    child ??= this.grow(node, key);
    if (child !== undefined) node.recent = child;
    return child;
  }

  /** Whether this is a node of the trie, not the one that stands where there is none. */
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

/** Whether a trie takes such a key at all. */
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
 * Whether some code has put enumerable properties on `Object.prototype`. Then `for … in` over an object sees them, and whoever
 * relies on it has to take the slow way.
 */
export function isPrototypePolluted(): boolean {
  for (const _ in NOTHING) return true;
  return false;
}
