import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';
import type { Attempt } from './child-starts.ts';
import type { ChildCounts, ChildLine } from './outcome.ts';
import type { RestartPauses } from './restart-pauses.ts';

/** The state of one child. */
export class Child {
  plan: ChildPlan;
  pid: Pid | undefined = undefined;
  /** Whether it does not run and will be started without a request: after its siblings, after a failed restart, or when its node is back. */
  isRestarting = false;
  /** Whether its last restart failed: it is tried again. Implies `isRestarting`. */
  hasFailed = false;
  private failures = 0;
  /** How often it was to be started again because it had ended, or had not started. */
  restarts = 0;
  /** The pending start on another node. */
  attempt: Attempt | undefined = undefined;
  /** Whether its node was lost when it ended, or could not be reached when it was to be started. Of a child that does not run. */
  isNodeAway = false;
  /** Undefined when it has no back-off or was never restarted. */
  pauses: RestartPauses | undefined = undefined;

  constructor(plan: ChildPlan) {
    this.plan = plan;
  }

  /** It ended, or did not start, and will be started again. Returns whether this start is still due: not after another start. */
  fails(): () => boolean {
    this.isRestarting = this.hasFailed = true;
    const failure = ++this.failures;
    return () => this.hasFailed && this.failures === failure;
  }

  /** Whether a start is due or pending: also of a child that was terminated while its start on another node is pending. */
  get isStarting(): boolean {
    return this.isRestarting || this.attempt !== undefined;
  }
}

/**
 * The children of a static supervisor: in start order, by id, and by PID. Pure data.
 *
 * A `Map` keeps the order of insertion and has O(1) look-up and deletion, so one holds both the order and the index by id.
 */
export class ChildTable {
  private readonly children = new Map<string, Child>();
  private readonly running = new Map<Pid | string, Child>();

  byId(id: string): Child | undefined {
    return this.children.get(id);
  }

  byPid(pid: Pid): Child | undefined {
    return this.running.get(pidKey(pid));
  }

  add(child: Child): void {
    this.children.set(child.plan.id, child);
  }

  /** The child does not run. */
  remove(child: Child): void {
    this.children.delete(child.plan.id);
  }

  /** The child runs as `pid` from now on. */
  bind(child: Child, pid: Pid): void {
    child.pid = pid;
    child.isRestarting = child.hasFailed = false;
    this.running.set(pidKey(pid), child);
  }

  /** The process of the child has ended, or is not watched any more. */
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

  /** One line for each child, in start order. */
  *lines(): IterableIterator<ChildLine> {
    for (const { plan, pid, isStarting, restarts } of this)
      yield {
        id: plan.id,
        pid: pid ?? (isStarting ? 'restarting' : undefined),
        type: plan.type,
        restart: plan.restart,
        restarts,
      };
  }

  /** The number of children of each kind. `isAlive`: false for one that has ended before the supervisor has handled its end. O(n). */
  counts(isAlive: (pid: Pid) => boolean): ChildCounts {
    let supervisors = 0;
    let active = 0;
    for (const { plan, pid } of this) {
      if (plan.type === 'supervisor') supervisors++;
      if (pid !== undefined && isAlive(pid)) active++;
    }
    const specs = this.children.size;
    return { specs, active, supervisors, workers: specs - supervisors };
  }

  *[Symbol.iterator](): Iterator<Child> {
    yield* this.children.values();
  }
}

/** Local PIDs are canonical objects; those of other nodes are compared by value. */
export function pidKey(pid: Pid): Pid | string {
  return pid.isLocal ? pid : pid.key;
}
