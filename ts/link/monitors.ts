import type { Pid, Ref } from '../term/index.ts';

/** A registered name on a node. */
export interface NamedProcess {
  readonly name: string;
  readonly node: string;
}

/** A monitor as its owner sees it. */
export interface Watch {
  readonly ref: Ref;
  /** What was asked for, and what DOWN will carry (D3). */
  readonly target: Pid | NamedProcess;
  /** The actor found at monitor time, when it is a local one. */
  readonly pid: Pid | undefined;
}

/** A monitor as its target sees it. */
export interface Watcher {
  readonly ref: Ref;
  readonly pid: Pid;
  /** What DOWN carries for a local watcher. */
  readonly target: Pid | NamedProcess;
}

/** Monitors an actor made, by reference id. */
export class Watches {
  private readonly table = new Map<number, Watch>();

  get size(): number {
    return this.table.size;
  }

  add(watch: Watch): void {
    this.table.set(watch.ref.id, watch);
  }

  /** Only the owner's references act (D8). */
  get(ref: Ref): Watch | undefined {
    return ref.nc === 0 ? this.table.get(ref.id) : undefined;
  }

  take(ref: Ref): Watch | undefined {
    const watch = this.get(ref);
    if (watch !== undefined) this.table.delete(ref.id);
    return watch;
  }

  /** Takes out every monitor that lives on a lost node, known by number or by name. O(monitors). */
  takeNode(nc: number, node: string): Watch[] {
    const lost: Watch[] = [];
    for (const [id, watch] of this.table) {
      const isThere = watch.pid === undefined && ('nc' in watch.target ? watch.target.nc === nc : watch.target.node === node);
      if (!isThere) continue;
      this.table.delete(id);
      lost.push(watch);
    }
    return lost;
  }

  [Symbol.iterator](): Iterator<Watch> {
    return this.table.values();
  }
}

/** Those who monitor an actor. */
export class Watchers {
  private readonly table = new Map<number | string, Watcher>();

  get size(): number {
    return this.table.size;
  }

  add(watcher: Watcher): void {
    this.table.set(refKey(watcher.ref), watcher);
  }

  remove(ref: Ref): boolean {
    return this.table.delete(refKey(ref));
  }

  /** Forgets the watchers of a lost node. O(watchers). */
  dropNode(nc: number): void {
    for (const [key, watcher] of this.table) if (watcher.pid.nc === nc) this.table.delete(key);
  }

  [Symbol.iterator](): Iterator<Watcher> {
    return this.table.values();
  }
}

function refKey(ref: Ref): number | string {
  return ref.nc === 0 ? ref.id : ref.key;
}
