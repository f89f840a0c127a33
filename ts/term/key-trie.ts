import { MAX_SHAPE_KEYS } from './limits.ts';

/** Children of a node that are compared one by one; beyond it a Map finds them. */
const MAX_LISTED = 8;
/** Longer keys look like data. */
const MAX_KEY_LENGTH = 255;

/** A list of keys: the way from the root to here. */
export class KeyNode<T> {
  readonly parent: KeyNode<T> | undefined;
  readonly key: string;
  readonly depth: number;
  /** What is known about objects with exactly these keys. */
  value: T | undefined = undefined;
  /** The child made first, usually the only one. */
  first: KeyNode<T> | undefined = undefined;
  /** The next child of the same parent. */
  sibling: KeyNode<T> | undefined = undefined;
  index: Map<string, KeyNode<T>> | undefined = undefined;
  children = 0;

  constructor(parent: KeyNode<T> | undefined, key: string) {
    this.parent = parent;
    this.key = key;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
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
 * Keys of objects are unique strings of the engine, so a step is a comparison of two pointers. Bounded: objects whose keys
 * are data must not grow it for ever.
 */
export class KeyTrie<T> {
  readonly root: KeyNode<T> = new KeyNode<T>(undefined, '');
  private left: number;

  /** @param nodes How many nodes it may have. */
  constructor(nodes: number) {
    this.left = nodes;
  }

  /** The node one key further; made when it is missing. Undefined: the trie is full, or the key or their number too long. */
  step(node: KeyNode<T>, key: string): KeyNode<T> | undefined {
    if (node.index !== undefined) return node.index.get(key) ?? this.grow(node, key);
    for (let child = node.first; child !== undefined; child = child.sibling)
      if (child.key === key) return child;
    return this.grow(node, key);
  }

  private grow(node: KeyNode<T>, key: string): KeyNode<T> | undefined {
    if (this.left <= 0 || node.depth >= MAX_SHAPE_KEYS) return undefined;
    if (key.length > MAX_KEY_LENGTH || !key.isWellFormed()) return undefined;
    this.left--;
    const child = new KeyNode<T>(node, key);
    if (node.first === undefined) {
      node.first = child;
    } else {
      child.sibling = node.first.sibling;
      node.first.sibling = child;
    }
    node.children++;
    if (node.index !== undefined) node.index.set(key, child);
    else if (node.children > MAX_LISTED) node.index = indexOf(node);
    return child;
  }
}

function indexOf<T>(node: KeyNode<T>): Map<string, KeyNode<T>> {
  const index = new Map<string, KeyNode<T>>();
  for (let child = node.first; child !== undefined; child = child.sibling) index.set(child.key, child);
  return index;
}

const NOTHING = {};

/**
 * Whether somebody put enumerable properties on `Object.prototype`. Then `for … in` over an object sees them, and whoever
 * relies on it has to take the slow way.
 */
export function isPrototypePolluted(): boolean {
  for (const _ in NOTHING) return true;
  return false;
}
