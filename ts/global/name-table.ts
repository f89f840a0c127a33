import type { Work } from '../peer/index.ts';
import type { Pid } from '../term/index.ts';
import { MAX_REPLACED } from './limits.ts';

/** A node whose actors have names. Only it adds, changes or removes them. */
export interface Owner {
  readonly node: string;
  names: Map<string, Entry>;
  /** How many entries its names remember that they replaced. */
  remembered: number;
}

/** One name of one actor. */
export interface Entry {
  readonly name: string;
  readonly pid: Pid;
  readonly stamp: number;
  readonly owner: Owner;
  /** Entries of other nodes that this one replaced, directly or through others, and that may still exist. */
  replaced: readonly ReplacedEntry[];
}

/** The identity of an entry: its actor and its stamp. */
export type ReplacedEntry = readonly [pid: Pid, stamp: number];

/** Whether its owner still has the entry: it has not replaced or removed it, and was not dropped. */
function isCurrent(entry: Entry): boolean {
  return entry.owner.names.get(entry.name) === entry;
}

/** Whether `entry` replaced `old` by a switch: the actor of `old` then gets no notice. */
export function replaces(entry: Entry, old: Entry): boolean {
  return entry.replaced.some(([pid, stamp]) => stamp === old.stamp && pid.equals(old.pid));
}

/** The entries that a switch from `entry` replaces: `entry` itself and those that it has replaced. */
export function toReplace(entry: Entry | undefined): readonly ReplacedEntry[] {
  return entry === undefined ? [] : mergeReplaced([[entry.pid, entry.stamp]], entry.replaced);
}

/** The latest of two lists, each entry once. */
export function mergeReplaced(
  some: readonly ReplacedEntry[],
  others: readonly ReplacedEntry[],
): readonly ReplacedEntry[] {
  const isNew = ([pid, stamp]: ReplacedEntry): boolean =>
    !some.some((entry) => entry[1] === stamp && entry[0].equals(pid));
  return [...some, ...others.filter(isNew)].sort((a, b) => b[1] - a[1]).slice(0, MAX_REPLACED);
}

/**
 * Whether `a` wins over `b`, of two entries of one name: the greater stamp wins, with equal stamps the greater node name. Every node
 * computes the same (Q7).
 */
export function beats(a: Entry, b: Entry): boolean {
  return a.stamp === b.stamp ? a.owner.node > b.owner.node : a.stamp > b.stamp;
}

/**
 * All entries by name. A name may have entries of several owners for some time, after a split or a switch: it resolves to the entry
 * that beats the others. Every method is O(1) or O(entries of the name).
 *
 * The entries of an owner that was dropped are removed step by step. Nobody sees them meanwhile: methods look at current entries only.
 */
export class NameTable {
  readonly #shown = new Map<string, Entry>();
  /** The entries that another one beats, for names that have some. */
  readonly #beaten = new Map<string, readonly Entry[]>();
  /** Owners that were dropped, and whose entries are not all removed yet. */
  #dropped = 0;

  /** The number of names, with those that only dropped owners have. */
  get size(): number {
    return this.#shown.size;
  }

  of(name: string): Entry | undefined {
    const shown = this.#shown.get(name);
    return this.#dropped === 0 || shown === undefined ? shown : this.#all(name).find(isCurrent);
  }

  /** All names, also those that only dropped owners have. */
  names(): IterableIterator<string> {
    return this.#shown.keys();
  }

  /** The entries of the same name of other owners. */
  rivals(entry: Entry): Entry[] {
    return this.#all(entry.name).filter((other) => other.owner !== entry.owner && isCurrent(other));
  }

  /** Adds an entry. It replaces the entry that its owner had under that name. */
  put(entry: Entry): void {
    const { name, owner } = entry;
    owner.remembered += entry.replaced.length - (owner.names.get(name)?.replaced.length ?? 0);
    owner.names.set(name, entry);
    const shown = this.#shown.get(name);
    if (shown === undefined || (shown.owner === owner && !this.#beaten.has(name)))
      this.#shown.set(name, entry);
    else this.#rank(name, [...this.rivals(entry), entry]);
  }

  /** Removes an entry, unless its owner has replaced it. */
  remove(entry: Entry): void {
    const { name, owner } = entry;
    if (!isCurrent(entry)) return;
    owner.names.delete(name);
    owner.remembered -= entry.replaced.length;
    if (this.#beaten.has(name)) this.#rank(name, this.rivals(entry));
    else this.#shown.delete(name);
  }

  /** An entry has ended: no other one of its name has to remember that it replaced it. */
  forget(entry: Entry): void {
    for (const rival of this.rivals(entry)) {
      const kept = rival.replaced.filter(([pid, stamp]) => stamp !== entry.stamp || !pid.equals(entry.pid));
      rival.owner.remembered -= rival.replaced.length - kept.length;
      rival.replaced = kept;
    }
  }

  /** Drops all entries of an owner: from now on it has none. The result removes them from the table, one at a time. */
  drop(owner: Owner): Work {
    const { names } = owner;
    owner.names = new Map();
    owner.remembered = 0;
    this.#dropped++;
    return this.#removing(names);
  }

  /** Forgets everything. */
  clear(): void {
    this.#shown.clear();
    this.#beaten.clear();
  }

  *#removing(names: ReadonlyMap<string, Entry>): Generator<number, void> {
    for (const name of names.keys()) {
      this.#rank(name, this.#all(name).filter(isCurrent));
      yield 1;
    }
    this.#dropped--;
  }

  #all(name: string): readonly Entry[] {
    const shown = this.#shown.get(name);
    return shown === undefined ? [] : [shown, ...(this.#beaten.get(name) ?? [])];
  }

  #rank(name: string, entries: readonly Entry[]): void {
    const [shown, ...beaten] = entries.toSorted((a, b) => (beats(a, b) ? -1 : 1));
    if (shown === undefined) this.#shown.delete(name);
    else this.#shown.set(name, shown);
    if (beaten.length === 0) this.#beaten.delete(name);
    else this.#beaten.set(name, beaten);
  }
}
