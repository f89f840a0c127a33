import { isCleanExit, type StartResult } from '../actor/index.ts';
import { Pid } from '../term/index.ts';
import { type ChildPlan, type ChildSpec, tryPlanChild } from './child-spec.ts';
import { pidKey } from './child-table.ts';
import type { Supervising, SupervisorFrame } from './frame.ts';
import type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';
import type { RestartWindow } from './restart-window.ts';
import { isAway, startChild, startError } from './starting.ts';
import { stopAllAtOnce, stopChild } from './stopping.ts';

export interface DynamicOptions {
  /** What every child is like; requests then carry only further arguments. Undefined: requests carry specs. */
  readonly template: ChildPlan | undefined;
  readonly maxChildren: number;
}

/** One child of a dynamic supervisor. */
interface DynamicChild {
  readonly plan: ChildPlan;
  /** Undefined for temporary children: nobody will need them again (J27). */
  readonly args: readonly unknown[] | undefined;
}

/**
 * Any number of children that come and go (J16, J22, J26, J27): each costs O(1) to start, to end and to find, and all
 * are stopped at once. Addressed by PID; only one_for_one.
 */
export class DynamicChildren implements Supervising {
  private readonly frame: SupervisorFrame;
  private readonly options: DynamicOptions;
  private readonly window: RestartWindow;
  private readonly running = new Map<Pid | string, { pid: Pid; child: DynamicChild }>();
  private readonly restarting = new Set<DynamicChild>();
  /** Those who wait for their node, by the PID they had. */
  private readonly lost = new Map<Pid | string, DynamicChild>();
  private supervisors = 0;

  constructor(frame: SupervisorFrame, options: DynamicOptions, window: RestartWindow) {
    this.frame = frame;
    this.options = options;
    this.window = window;
  }

  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void> {
    const child = this.take(pid);
    if (child === undefined) return undefined;
    const { restart } = child.plan;
    const clean = isCleanExit(reason);
    if (!clean || restart === 'permanent') this.frame.reportEnd(child.plan, pid, reason);
    if (child.plan.waitsForNode && isLoss) return this.awaitNode(child, pid);
    if (restart === 'permanent' || (restart === 'transient' && !clean)) return this.restart(child);
    return undefined;
  }

  private restart(child: DynamicChild): void | Promise<void> {
    this.restarting.delete(child);
    if (!this.window.record(this.frame.now()))
      return this.frame.giveUp(this.window.exceededBy(child.plan.id), 'error');
    // Counted while it starts, so that maxChildren holds (J26).
    this.restarting.add(child);
    const started = startChild(this.frame.self, child.plan, child.args ?? []);
    if (started instanceof Promise) return started.then((result) => this.settleRestart(child, result));
    this.settleRestart(child, started);
    return undefined;
  }

  /** The loss of its node uses up no intensity: it is started when the node is back. `lost`: who it was. */
  private awaitNode(child: DynamicChild, lost: Pid | undefined): void {
    this.restarting.add(child);
    if (lost !== undefined) this.lost.set(pidKey(lost), child);
    this.frame.awaitNode(child, child.plan, async (plan) => {
      const started = await startChild(this.frame.self, plan, child.args ?? []);
      this.settleRestart(child, started);
      if (lost !== undefined && !this.frame.awaitsNode(child)) this.lost.delete(pidKey(lost));
    });
  }

  private settleRestart(child: DynamicChild, started: StartResult): void {
    const error = startError(started);
    if (isAway(child.plan, error?.reason, this.frame.awaitsNode(child)))
      return this.awaitNode(child, undefined);
    this.frame.forgetNode(child);
    if (error !== undefined) {
      this.frame.reportStartError(child.plan, error.reason);
      this.frame.retryLater(() => (this.restarting.has(child) ? this.restart(child) : undefined));
      return;
    }
    this.restarting.delete(child);
    if (started.ok) this.put(started.pid, child);
  }

  async stopAll(): Promise<void> {
    this.restarting.clear();
    const running = this.running;
    const leaving = function* () {
      for (const { pid, child } of running.values()) yield { pid, shutdown: child.plan.shutdown };
    };
    await stopAllAtOnce(this.frame.self, leaving(), (pid, reason) => {
      const child = this.take(pid);
      if (child !== undefined) this.frame.reportStop(child.plan, pid, reason);
    });
  }

  startChild(request: ChildSpec | readonly unknown[]): ChildResult | Promise<ChildResult> {
    const { template, maxChildren } = this.options;
    const isArguments = Array.isArray(request);
    if (isArguments !== (template !== undefined)) return { ok: false, error: 'not_supported' };
    if (this.running.size + this.restarting.size >= maxChildren) return { ok: false, error: 'max_children' };
    const plan = template ?? tryPlanChild(request as ChildSpec, 'never');
    if ('ok' in plan) return plan;
    const args = isArguments ? [...plan.args, ...request] : plan.args;
    const started = startChild(this.frame.self, plan, args);
    if (started instanceof Promise) return started.then((result) => this.settleStart(plan, args, result));
    return this.settleStart(plan, args, started);
  }

  private settleStart(plan: ChildPlan, args: readonly unknown[], started: StartResult): ChildResult {
    const error = startError(started);
    if (error !== undefined) return { ok: false, error: 'start_failed', reason: error.reason };
    if (!started.ok) return { ok: true, pid: undefined };
    this.put(started.pid, {
      plan: kept(plan, this.options.template),
      args: plan.restart === 'temporary' ? undefined : args,
    });
    return { ok: true, pid: started.pid };
  }

  async terminateChild(pid: string | Pid): Promise<StopResult> {
    if (!(pid instanceof Pid)) return 'not_supported';
    const child = this.take(pid);
    if (child === undefined) return this.forgetLost(pid) ? 'ok' : 'not_found';
    const reason = await stopChild(this.frame.self, { pid, shutdown: child.plan.shutdown });
    this.frame.reportStop(child.plan, pid, reason);
    return 'ok';
  }

  /** A child that waits for its node goes by the PID it had. */
  private forgetLost(pid: Pid): boolean {
    const child = this.lost.get(pidKey(pid));
    if (child === undefined) return false;
    this.lost.delete(pidKey(pid));
    this.frame.forgetNode(child);
    return this.restarting.delete(child);
  }

  restartChild(): ChildResult {
    return { ok: false, error: 'not_supported' };
  }

  deleteChild(): StopResult {
    return 'not_supported';
  }

  /** O(n). */
  whichChildren(): ChildInfo[] {
    const infos: ChildInfo[] = [];
    for (const { pid, child } of this.running.values()) infos.push(info(child.plan, pid));
    for (const { plan } of this.restarting) infos.push(info(plan, 'restarting'));
    return infos;
  }

  countChildren(): ChildCounts {
    const specs = this.running.size + this.restarting.size;
    let supervisors = this.supervisors;
    for (const { plan } of this.restarting) if (plan.type === 'supervisor') supervisors++;
    return { specs, active: this.running.size, supervisors, workers: specs - supervisors };
  }

  private put(pid: Pid, child: DynamicChild): void {
    this.running.set(pidKey(pid), { pid, child });
    if (child.plan.type === 'supervisor') this.supervisors++;
  }

  private take(pid: Pid): DynamicChild | undefined {
    const key = pidKey(pid);
    const found = this.running.get(key);
    if (found === undefined) return undefined;
    this.running.delete(key);
    if (found.child.plan.type === 'supervisor') this.supervisors--;
    return found.child;
  }
}

/** The plan without its arguments when it is temporary and its own: nobody needs them again (J27). */
function kept(plan: ChildPlan, template: ChildPlan | undefined): ChildPlan {
  return plan === template || plan.restart !== 'temporary' ? plan : { ...plan, args: [] };
}

function info(plan: ChildPlan, pid: Pid | 'restarting'): ChildInfo {
  return { id: plan.id, pid, type: plan.type, restart: plan.restart };
}
