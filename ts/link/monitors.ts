import type { Pid, Ref } from '../term/index.ts';
import type { Chain, Chained } from './chain.ts';

/** A registered name on a node. */
export interface NamedProcess {
  readonly name: string;
  readonly node: string;
}

/** A monitor: the entry in its owner's table and, if the target is local, the item in its target's list as well. */
export class Monitor implements Chained<Monitor> {
  readonly ref: Ref;
  readonly owner: Pid;
  /** What was passed to `monitor`, and what the Down contains (D3). */
  readonly target: Pid | NamedProcess;
  /** Whether it has fired or was removed. */
  isOver = false;
  before: Monitor | null = null;
  after: Monitor | null = null;
  /** The list of the target's monitors; null: the target is on another node. */
  chain: Chain<never> | null = null;

  constructor(ref: Ref, owner: Pid, target: Pid | NamedProcess) {
    this.ref = ref;
    this.owner = owner;
    this.target = target;
  }

  /** The number or name of the target's node, whose loss ends the monitor; 0: this node. */
  get node(): number | string {
    return 'nc' in this.target ? this.target.nc : this.target.node;
  }
}

const FEW = 8;

/** The monitors that an actor made, by reference id. */
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

  /** The node that a Down of this monitor must come from, see {@link Monitor.node}; 0: this node; undefined: there is no such monitor. */
  nodeOf(ref: Ref): number | string | undefined {
    const monitor = this.find(ref);
    return monitor === undefined || monitor.chain === null ? monitor?.node : 0;
  }

  /** Removes and returns a monitor. Undefined for a reference that is not of a monitor of this actor (D8). */
  take(ref: Ref): Monitor | undefined {
    const monitor = this.find(ref);
    if (monitor === undefined) return undefined;
    monitor.isOver = true;
    this.drop(monitor);
    return monitor;
  }

  /**
   * The node of its target was lost. In a large table the entry stays until {@link sweep}: removing many one by one costs far more.
   * False: it had ended already.
   */
  lose(monitor: Monitor): boolean {
    if (monitor.isOver) return false;
    monitor.isOver = true;
    if (this.many === null) this.drop(monitor);
    return true;
  }

  /** Removes the monitors that have ended. O(monitors). */
  sweep(): void {
    if (this.many === null) return;
    const over = [...this.many.values()].filter((monitor) => monitor.isOver);
    if (over.length === this.many.size) this.many = null;
    else for (const monitor of over) this.drop(monitor);
  }

  private find(ref: Ref): Monitor | undefined {
    const monitor = this.many?.get(ref.id) ?? this.few.find((each) => each.ref.id === ref.id);
    return monitor === undefined || monitor.isOver || !monitor.ref.equals(ref) ? undefined : monitor;
  }

  private drop(monitor: Monitor): void {
    if (this.many === null) this.few.splice(this.few.indexOf(monitor), 1);
    else this.many.delete(monitor.ref.id);
  }

  /** All monitors, oldest first. The table must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<Monitor> {
    return (this.many ?? this.few).values();
  }
}

/** Monitors of actors of this node by actors of other nodes, by owner and reference: a DEMONITOR frame does not name the target. */
export class RemoteWatchers {
  private readonly byNode = new Map<number, Map<string, Monitor>>();

  /** False: the owner has a monitor with this reference already. */
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

  /** Removes and returns the monitors by actors of a lost node. */
  takeNode(nc: number): Iterable<Monitor> {
    const monitors = this.byNode.get(nc);
    if (monitors === undefined) return [];
    this.byNode.delete(nc);
    return monitors.values();
  }

  /** How many monitors the actors of one node have. */
  countOf(nc: number): number {
    return this.byNode.get(nc)?.size ?? 0;
  }

  /** How many there are. O(nodes). */
  get size(): number {
    let size = 0;
    for (const monitors of this.byNode.values()) size += monitors.size;
    return size;
  }
}

/** The key has the owner as well: a hostile peer may use one reference id for several owners. */
function keyOf(owner: Pid, ref: Ref): string {
  return `${owner.local}/${ref.key}`;
}
