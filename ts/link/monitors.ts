import type { Pid, Ref } from '../term/index.ts';
import type { Chain, Chained } from './chain.ts';

/** A registered name on a node. */
export interface NamedProcess {
  readonly name: string;
  readonly node: string;
}

/** A monitor: its owner's entry and, when the target is local, its target's entry at once. */
export class Monitor implements Chained<Monitor> {
  readonly ref: Ref;
  readonly owner: Pid;
  /** What was asked for, and what DOWN carries (D3). */
  readonly target: Pid | NamedProcess;
  /** An alias that ends with the monitor. */
  hasAlias = false;
  /** It fired, or was removed. */
  isOver = false;
  before: Monitor | null = null;
  after: Monitor | null = null;
  /** The target's watchers. */
  chain: Chain<never> | null = null;

  constructor(ref: Ref, owner: Pid, target: Pid | NamedProcess) {
    this.ref = ref;
    this.owner = owner;
    this.target = target;
  }

  /** Under which node it is lost; 0: on this node. */
  get node(): number | string {
    return 'nc' in this.target ? this.target.nc : this.target.node;
  }
}

const FEW = 8;

/** Monitors an actor made, by reference id. */
export class Watches {
  private few: Monitor[] = [];
  private many: Map<number, Monitor> | null = null;

  get size(): number {
    return this.many?.size ?? this.few.length;
  }

  add(monitor: Monitor): void {
    if (this.many !== null) this.many.set(monitor.ref.id, monitor);
    else if (this.few.push(monitor) > FEW) {
      this.many = new Map(this.few.map((each) => [each.ref.id, each]));
      this.few = [];
    }
  }

  /** The node that an answer to this monitor may come from, see {@link Monitor.node}; undefined: there is no such monitor. */
  nodeOf(ref: Ref): number | string | undefined {
    if (ref.nc !== 0) return undefined;
    const monitor = this.many?.get(ref.id) ?? this.few.find((each) => each.ref.id === ref.id);
    return monitor === undefined || monitor.isOver || monitor.chain !== null ? undefined : monitor.node;
  }

  /** Only the owner's own references act (D8). */
  take(ref: Ref): Monitor | undefined {
    if (ref.nc !== 0) return undefined;
    const monitor = this.many?.get(ref.id) ?? this.few.find((each) => each.ref.id === ref.id);
    if (monitor === undefined || monitor.isOver) return undefined;
    monitor.isOver = true;
    this.drop(monitor);
    return monitor;
  }

  /**
   * The node of its target was lost. In a large table it keeps its place until {@link sweep}, which is far cheaper for many.
   * False: it was over.
   */
  lose(monitor: Monitor): boolean {
    if (monitor.isOver) return false;
    monitor.isOver = true;
    if (this.many === null) this.drop(monitor);
    return true;
  }

  /** Clears the places of those that are over. O(monitors). */
  sweep(): void {
    if (this.many === null) return;
    const over = [...this.many.values()].filter((monitor) => monitor.isOver);
    if (over.length === this.many.size) this.many = null;
    else for (const monitor of over) this.drop(monitor);
  }

  private drop(monitor: Monitor): void {
    if (this.many === null) this.few.splice(this.few.indexOf(monitor), 1);
    else this.many.delete(monitor.ref.id);
  }

  /** Oldest first. Must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<Monitor> {
    return (this.many ?? this.few).values();
  }
}

/** Monitors that actors of other nodes have here, by owner and reference: DEMONITOR names no target. */
export class RemoteWatchers {
  private readonly byNode = new Map<number, Map<string, Monitor>>();

  /** False: there is one with this reference already. */
  add(monitor: Monitor): boolean {
    const { nc } = monitor.owner;
    let monitors = this.byNode.get(nc);
    if (monitors === undefined) this.byNode.set(nc, (monitors = new Map()));
    const key = keyOf(monitor.owner, monitor.ref);
    if (monitors.has(key)) return false;
    monitors.set(key, monitor);
    return true;
  }

  take(owner: Pid, ref: Ref): Monitor | undefined {
    const monitors = this.byNode.get(owner.nc);
    if (monitors === undefined) return undefined;
    const key = keyOf(owner, ref);
    const monitor = monitors.get(key);
    if (monitor === undefined) return undefined;
    monitors.delete(key);
    if (monitors.size === 0) this.byNode.delete(owner.nc);
    return monitor;
  }

  /** Takes out every monitor of a lost node. */
  takeNode(nc: number): Iterable<Monitor> {
    const monitors = this.byNode.get(nc);
    if (monitors === undefined) return [];
    this.byNode.delete(nc);
    return monitors.values();
  }

  /** Of one node. */
  countOf(nc: number): number {
    return this.byNode.get(nc)?.size ?? 0;
  }

  /** Of all nodes. O(nodes). */
  get size(): number {
    let size = 0;
    for (const monitors of this.byNode.values()) size += monitors.size;
    return size;
  }
}

/** Owner and reference: a peer's ids are only as unique as the peer makes them. */
function keyOf(owner: Pid, ref: Ref): string {
  return `${owner.local}/${ref.key}`;
}
