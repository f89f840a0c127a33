import { isCleanExit, type StartResult } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import { type AutoShutdown, type ChildPlan, type ChildSpec, tryPlanChild } from './child-spec.ts';
import { Child, ChildTable } from './child-table.ts';
import type { Supervising, SupervisorFrame } from './frame.ts';
import type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';
import type { RestartWindow } from './restart-window.ts';
import { isAway, startChild, startError } from './starting.ts';
import { stopChild } from './stopping.ts';

/** Who is restarted when a child fails: it alone, all, or it and those that were started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface StaticOptions {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
}

/**
 * The children of a supervisor with a list (J1-J15, J17-J25): which one is started, stopped and restarted when.
 *
 * It does one thing after the other, as Erlang's does: while a child is being started or stopped, requests wait in
 * the mailbox. A child that fails in a *re*start is not tried in a loop but through the supervisor's mailbox (J10), so
 * everything else has its turn between two tries.
 */
export class StaticChildren implements Supervising {
  private readonly frame: SupervisorFrame;
  private readonly options: StaticOptions;
  private readonly window: RestartWindow;
  private readonly table = new ChildTable();

  constructor(frame: SupervisorFrame, options: StaticOptions, window: RestartWindow) {
    this.frame = frame;
    this.options = options;
    this.window = window;
  }

  /** Starts the children one after the other (J1). On a failure those that run are stopped in reverse order (J2). */
  async boot(plans: readonly ChildPlan[]): Promise<{ id: string; reason: unknown } | undefined> {
    for (const plan of plans) {
      const child = new Child(plan);
      this.table.add(child);
      const started = await startChild(this.frame.self, plan, plan.args);
      const error = startError(started);
      if (error !== undefined) {
        this.table.remove(child);
        await this.stopAll();
        return { id: plan.id, reason: error.reason };
      }
      this.settle(child, started);
    }
    return undefined;
  }

  // -- what happens to children ----------------------------------------------------------------------------------

  /** A linked process ended. One that is no child (any more) is none of our business. */
  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void> {
    const child = this.table.byPid(pid);
    if (child === undefined) return undefined;
    const { restart } = child.plan;
    const clean = isCleanExit(reason);
    if (!clean || restart === 'permanent') this.frame.reportEnd(child.plan, pid, reason);
    this.table.unbind(child);
    if (child.plan.waitsForNode && isLoss) return this.awaitNode(child);
    if (restart === 'permanent' || (restart === 'transient' && !clean)) return this.restart(child);
    if (restart === 'temporary') this.table.remove(child);
    if (this.endsSupervisor(child)) return this.frame.giveUp('a significant child ended', 'info');
    return undefined;
  }

  /** A child that failed to restart has its next turn, unless somebody terminated or deleted it meanwhile. */
  private retry(id: string): void | Promise<void> {
    const child = this.table.byId(id);
    return child?.isRestarting ? this.restart(child) : undefined;
  }

  private restart(child: Child): void | Promise<void> {
    if (!this.window.record(this.frame.now())) {
      if (child.plan.restart === 'temporary') this.table.remove(child);
      return this.frame.giveUp(this.window.exceededBy(child.plan.id), 'error');
    }
    if (this.options.strategy === 'one_for_one') return this.restartAlone(child);
    return this.restartGroup(child, this.groupOf(child), false);
  }

  /** Those who are restarted together with a child, and itself. */
  private groupOf(child: Child): readonly Child[] {
    switch (this.options.strategy) {
      case 'one_for_one':
        return [child];
      case 'rest_for_one':
        return this.table.from(child);
      case 'one_for_all':
        return this.table.inOrder();
    }
  }

  private restartAlone(child: Child): void | Promise<void> {
    const started = startChild(this.frame.self, child.plan, child.plan.args);
    if (started instanceof Promise) return started.then((result) => this.settleRestart(child, result));
    this.settleRestart(child, started);
    return undefined;
  }

  /**
   * Stops the group in reverse order and starts what is left of it in order, up to the first failure (J11-J14). Who waits for a
   * node waits on. `isBack`: the one it is about runs already.
   */
  private async restartGroup(failed: Child, group: readonly Child[], isBack: boolean): Promise<void> {
    for (const child of group.toReversed()) {
      if (child !== failed && !this.frame.awaitsNode(child)) await this.stop(child);
      if (child.plan.restart === 'temporary') this.table.remove(child); // J13
    }
    for (const child of group) {
      if (child.plan.restart === 'temporary' || (isBack && child === failed)) continue;
      if (this.frame.awaitsNode(child)) continue;
      child.isRestarting = false;
      const started = await startChild(this.frame.self, child.plan, child.plan.args);
      this.settleRestart(child, started);
      if (startError(started) !== undefined && !this.frame.awaitsNode(child)) return;
    }
  }

  /** The loss of its node uses up no intensity: it is started when the node is back. */
  private awaitNode(child: Child): void {
    child.isRestarting = true;
    this.frame.awaitNode(child, child.plan, (plan) => this.comeBack(child, plan));
  }

  private async comeBack(child: Child, plan: ChildPlan): Promise<void> {
    const started = await startChild(this.frame.self, plan, plan.args);
    this.settleRestart(child, started);
    if (child.pid !== undefined) await this.restartGroup(child, this.groupOf(child), true);
  }

  private settleRestart(child: Child, started: StartResult): void {
    const error = startError(started);
    if (error === undefined) return this.settle(child, started);
    if (isAway(child.plan, error.reason, this.frame.awaitsNode(child))) return this.awaitNode(child);
    this.frame.forgetNode(child);
    this.frame.reportStartError(child.plan, error.reason);
    child.isRestarting = true;
    const { id } = child.plan;
    this.frame.retryLater(() => this.retry(id));
  }

  private settle(child: Child, started: StartResult): void {
    this.frame.forgetNode(child);
    if (started.ok) this.table.bind(child, started.pid);
    else if (child.plan.restart === 'temporary') this.table.remove(child);
    else child.isRestarting = false;
  }

  private endsSupervisor(child: Child): boolean {
    const { autoShutdown } = this.options;
    if (!child.plan.significant || autoShutdown === 'never') return false;
    if (autoShutdown === 'any_significant') return true;
    for (const other of this.table) {
      if (other.plan.significant && (other.pid !== undefined || other.isRestarting)) return false;
    }
    return true;
  }

  /** Ends a child, if it runs, and forgets its process. */
  private async stop(child: Child): Promise<void> {
    const { pid } = child;
    child.isRestarting = false;
    this.frame.forgetNode(child);
    if (pid === undefined) return;
    this.table.unbind(child);
    const reason = await stopChild(this.frame.self, { pid, shutdown: child.plan.shutdown });
    this.frame.reportStop(child.plan, pid, reason);
  }

  /** Ends all children in reverse start order, one at a time (J15). */
  async stopAll(): Promise<void> {
    for (const child of this.table.inOrder().reverse()) await this.stop(child);
  }

  // -- what users ask for ----------------------------------------------------------------------------------------

  async startChild(spec: ChildSpec): Promise<ChildResult> {
    const plan = tryPlanChild(spec, this.options.autoShutdown);
    if ('ok' in plan) return plan;
    const present = this.table.byId(plan.id);
    if (present !== undefined) {
      return present.pid === undefined
        ? { ok: false, error: 'already_present' }
        : { ok: false, error: 'already_started', pid: present.pid };
    }
    const started = await startChild(this.frame.self, plan, plan.args);
    const error = startError(started);
    if (error !== undefined) return { ok: false, error: 'start_failed', reason: error.reason };
    const child = new Child(plan);
    this.table.add(child);
    this.settle(child, started);
    return { ok: true, pid: child.pid };
  }

  async terminateChild(id: string): Promise<StopResult> {
    const child = this.table.byId(id);
    if (child === undefined) return 'not_found';
    await this.stop(child);
    if (child.plan.restart === 'temporary') this.table.remove(child);
    return 'ok';
  }

  async restartChild(id: string): Promise<ChildResult> {
    const child = this.table.byId(id);
    if (child === undefined) return { ok: false, error: 'not_found' };
    if (child.pid !== undefined) return { ok: false, error: 'running' };
    if (child.isRestarting) return { ok: false, error: 'restarting' };
    const started = await startChild(this.frame.self, child.plan, child.plan.args);
    const error = startError(started);
    if (error !== undefined) return { ok: false, error: 'start_failed', reason: error.reason };
    this.settle(child, started);
    return { ok: true, pid: child.pid };
  }

  deleteChild(id: string): StopResult {
    const child = this.table.byId(id);
    if (child === undefined) return 'not_found';
    if (child.pid !== undefined) return 'running';
    if (child.isRestarting) return 'restarting';
    this.table.remove(child);
    return 'ok';
  }

  whichChildren(): ChildInfo[] {
    return this.table.inOrder().map(({ plan, pid, isRestarting }) => ({
      id: plan.id,
      pid: pid ?? (isRestarting ? 'restarting' : undefined),
      type: plan.type,
      restart: plan.restart,
    }));
  }

  countChildren(): ChildCounts {
    let supervisors = 0;
    for (const { plan } of this.table) if (plan.type === 'supervisor') supervisors++;
    return {
      specs: this.table.size,
      active: this.table.active,
      supervisors,
      workers: this.table.size - supervisors,
    };
  }
}
