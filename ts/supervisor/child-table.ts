import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';

/** One child as its supervisor sees it. */
export class Child {
  plan: ChildPlan;
  pid: Pid | undefined = undefined;
  /** True from a failed restart until a later one works, or until somebody terminates the child. */
  isRestarting = false;

  constructor(plan: ChildPlan) {
    this.plan = plan;
  }
}

/**
 * The children of a static supervisor: in start order, by id, and by PID. Pure data.
 *
 * A `Map` keeps the order of insertion, deletes in O(1) and is looked up in O(1), so it is order and index at once.
 */
export class ChildTable {
  private readonly children = new Map<string, Child>();
  private readonly running = new Map<Pid | string, Child>();

  get size(): number {
    return this.children.size;
  }

  get active(): number {
    return this.running.size;
  }

  byId(id: string): Child | undefined {
    return this.children.get(id);
  }

  byPid(pid: Pid): Child | undefined {
    return this.running.get(pidKey(pid));
  }

  add(child: Child): void {
    this.children.set(child.plan.id, child);
  }

  remove(child: Child): void {
    this.unbind(child);
    child.isRestarting = false;
    this.children.delete(child.plan.id);
  }

  /** The child runs as `pid` from now on. */
  bind(child: Child, pid: Pid): void {
    child.pid = pid;
    child.isRestarting = false;
    this.running.set(pidKey(pid), child);
  }

  /** The child's process is gone or no longer ours to watch. */
  unbind(child: Child): void {
    if (child.pid === undefined) return;
    this.running.delete(pidKey(child.pid));
    child.pid = undefined;
  }

  /** All children in start order. O(n). */
  inOrder(): Child[] {
    return [...this.children.values()];
  }

  /** `child` and those started after it, in start order. O(n). */
  from(child: Child): Child[] {
    const all = this.inOrder();
    return all.slice(all.indexOf(child));
  }

  *[Symbol.iterator](): Iterator<Child> {
    yield* this.children.values();
  }
}

/** Local PIDs are canonical objects; those of other nodes are compared by value. */
export function pidKey(pid: Pid): Pid | string {
  return pid.isLocal ? pid : pid.key;
}
