import { isCleanExit, type StartResult } from '../actor/index.ts';
import { Pid } from '../term/index.ts';
import { type ChildPlan, type ChildSpec, tryPlanChild } from './child-spec.ts';
import { Attempt } from './child-starts.ts';
import { pidKey } from './child-table.ts';
import type { ChildrenHost, Reply, Supervising } from './children-host.ts';
import type { ChildCounts, ChildLine, ChildResult, StopResult } from './outcome.ts';
import { RestartPauses } from './restart-pauses.ts';
import type { RestartWindow } from './restart-window.ts';
import { isAway, startError } from './starting.ts';
import { stopAllAtOnce, stopChild } from './stopping.ts';

export interface DynamicOptions {
  /** The plan of every child: requests have only further arguments. Undefined: requests have specs. */
  readonly template: ChildPlan | undefined;
  readonly maxChildren: number;
}

/** One child of a dynamic supervisor. */
interface DynamicChild {
  readonly plan: ChildPlan;
  /** None of a temporary child, which is not restarted (J27). */
  readonly args: readonly unknown[];
  /** How often it was to be started again because it had ended, or had not started. */
  restarts: number;
}

/** A child that does not run and will be started again. */
interface Restarting {
  readonly child: DynamicChild;
  /** The key of the PID it had, by which users know it. */
  readonly formerKey: Pid | string;
  /** Whether its node could not be reached at the last attempt. */
  isNodeAway: boolean;
  /** Its last start on another node. */
  attempt: Attempt | undefined;
}

/**
 * The children of a dynamic supervisor (J16, J22, J26, J27): starting, stopping and finding one costs O(1), and all
 * are stopped in parallel. They are addressed by PID; the strategy is always one_for_one.
 */
export class DynamicChildren implements Supervising {
  private readonly host: ChildrenHost;
  private readonly options: DynamicOptions;
  private readonly window: RestartWindow;
  private readonly running = new Map<Pid | string, { pid: Pid; child: DynamicChild }>();
  /** By the PID they had. */
  private readonly restarting = new Map<Pid | string, Restarting>();
  /** Children with a back-off that have been restarted. */
  private readonly pauses = new WeakMap<DynamicChild, RestartPauses>();
  /** The number of pending first starts on other nodes. */
  private starting = 0;
  private supervisors = 0;

  constructor(host: ChildrenHost, options: DynamicOptions, window: RestartWindow) {
    this.host = host;
    this.options = options;
    this.window = window;
  }

  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void> {
    const child = this.take(pid);
    if (child === undefined) return undefined;
    const { restart } = child.plan;
    const clean = isCleanExit(reason);
    if (!clean || restart === 'permanent') this.host.reportEnd(child.plan, pid, reason);
    const isWaiting = child.plan.waitsForNode && isLoss;
    if (restart !== 'permanent' && (restart !== 'transient' || clean)) return undefined;
    const formerKey = pidKey(pid);
    const restarting: Restarting = { child, formerKey, isNodeAway: isLoss, attempt: undefined };
    this.restarting.set(formerKey, restarting); // it counts while it does not run, so that maxChildren holds (J26)
    if (isWaiting) return this.awaitNode(restarting);
    const pause = this.pauseBefore(child);
    if (pause === 0) return this.restart(restarting, reason);
    this.retryAfter(restarting, pause, reason);
    return undefined;
  }

  private pauseBefore(child: DynamicChild): number {
    const { backoff } = child.plan;
    if (backoff === undefined) return 0;
    let pauses = this.pauses.get(child);
    if (pauses === undefined) this.pauses.set(child, (pauses = new RestartPauses(backoff)));
    return pauses.next(this.host.now(), Math.random());
  }

  /** Tries again later, unless the child is terminated meanwhile. */
  private retryAfter(restarting: Restarting, pause: number, reason: unknown): void {
    const isDue = (): boolean => this.restarting.has(restarting.formerKey);
    this.host.retryLater(() => (isDue() ? this.restart(restarting, reason) : undefined), pause);
  }

  private restart(restarting: Restarting, reason: unknown): void | Promise<void> {
    const { child, isNodeAway } = restarting;
    if (!this.window.record(this.host.now()))
      return this.host.giveUp(this.window.exceededBy(child.plan.id), 'error', reason);
    child.restarts++;
    this.host.reportRestart(child.plan);
    return this.startAgain(restarting, child.plan, isNodeAway ? this.window.attemptMs : undefined);
  }

  private startAgain(restarting: Restarting, plan: ChildPlan, checkMs?: number): void | Promise<void> {
    const settle = (result: StartResult | undefined): void => this.settleRestart(restarting, result);
    const started = this.host.start(plan, restarting.child.args, checkMs, settle);
    if (started instanceof Attempt) restarting.attempt = started;
    else if (started instanceof Promise) return started.then(settle);
    else settle(started);
    return undefined;
  }

  /** Waits for the lost node of a child and starts it then. This does not count towards the intensity. */
  private awaitNode(restarting: Restarting): void {
    const { child } = restarting;
    this.host.awaitNode(child, child.plan, (plan) => this.startAgain(restarting, plan));
  }

  private settleRestart(restarting: Restarting, started: StartResult | undefined): void {
    if (started === undefined) return;
    const { child } = restarting;
    const error = startError(started);
    restarting.isNodeAway = error?.reason === 'noconnection';
    if (isAway(child.plan, error?.reason, this.host.awaitsNode(child))) return this.awaitNode(restarting);
    if (error !== undefined) {
      this.host.forgetNode(child);
      this.host.reportStartError(child.plan, error.reason);
      return this.retryAfter(restarting, this.pauseBefore(child), error.reason);
    }
    this.forget(restarting);
    this.pauses.get(child)?.started(this.host.now());
    if (started.ok) this.put(started.pid, child);
  }

  /** Removes a restarting child: it runs, or was terminated. */
  private forget({ child, formerKey, attempt }: Restarting): void {
    if (attempt !== undefined) attempt.isAbandoned = true;
    this.restarting.delete(formerKey);
    this.host.forgetNode(child);
  }

  async stopAll(): Promise<void> {
    const running = this.running;
    const leaving = function* () {
      for (const { pid, child } of running.values()) yield { pid, shutdown: child.plan.shutdown };
    };
    await stopAllAtOnce(this.host.self, leaving(), (pid, reason) => {
      const child = this.take(pid);
      if (child !== undefined) this.host.reportStop(child.plan, pid, reason);
    });
  }

  startChild(request: ChildSpec | readonly unknown[], reply: Reply): void | Promise<void> {
    const { template, maxChildren } = this.options;
    const isArguments = Array.isArray(request);
    if (isArguments !== (template !== undefined)) return reply({ ok: false, error: 'not_supported' });
    if (this.running.size + this.restarting.size + this.starting >= maxChildren)
      return reply({ ok: false, error: 'max_children' });
    const plan = template ?? tryPlanChild(request as ChildSpec, 'never');
    if ('ok' in plan) return reply(plan);
    const args = isArguments ? [...plan.args, ...request] : plan.args;
    const started = this.host.start(plan, args, undefined, (result) => {
      this.starting--;
      reply(this.settleStart(plan, args, result ?? ABANDONED));
    });
    if (started instanceof Attempt) this.starting++;
    else if (started instanceof Promise)
      return started.then((result) => reply(this.settleStart(plan, args, result)));
    else reply(this.settleStart(plan, args, started));
    return undefined;
  }

  private settleStart(plan: ChildPlan, args: readonly unknown[], started: StartResult): ChildResult {
    const error = startError(started);
    if (error !== undefined) return { ok: false, error: 'start_failed', reason: error.reason };
    if (!started.ok) return { ok: true, pid: undefined };
    this.put(started.pid, {
      plan: kept(plan, this.options.template),
      args: plan.restart === 'temporary' ? [] : args,
      restarts: 0,
    });
    return { ok: true, pid: started.pid };
  }

  async terminateChild(pid: string | Pid): Promise<StopResult> {
    if (!(pid instanceof Pid)) return 'not_supported';
    const child = this.take(pid);
    if (child === undefined) return this.forgetFormer(pid) ? 'ok' : 'not_found';
    const reason = await stopChild(this.host.self, { pid, shutdown: child.plan.shutdown });
    this.host.reportStop(child.plan, pid, reason);
    return 'ok';
  }

  /** Removes the restarting child that had this PID. */
  private forgetFormer(pid: Pid): boolean {
    const restarting = this.restarting.get(pidKey(pid));
    if (restarting === undefined) return false;
    this.forget(restarting);
    return true;
  }

  restartChild(_pid: string | Pid, reply: Reply): void {
    reply({ ok: false, error: 'not_supported' });
  }

  deleteChild(): StopResult {
    return 'not_supported';
  }

  *lines(): IterableIterator<ChildLine> {
    for (const { pid, child } of this.running.values()) yield lineOf(child, pid);
    for (const { child } of this.restarting.values()) yield lineOf(child, 'restarting');
  }

  countChildren(): ChildCounts {
    const children = this.running.size + this.restarting.size;
    let supervisors = this.supervisors;
    for (const { child } of this.restarting.values()) if (child.plan.type === 'supervisor') supervisors++;
    const specs = this.options.template === undefined ? children : 1;
    return { specs, active: this.running.size, supervisors, workers: children - supervisors };
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

/** The result of a start that was abandoned because the supervisor ends. */
const ABANDONED: StartResult = { ok: false, reason: 'shutdown' };

/** The plan to keep: without arguments for a temporary child, which is not restarted (J27). */
function kept(plan: ChildPlan, template: ChildPlan | undefined): ChildPlan {
  return plan === template || plan.restart !== 'temporary' ? plan : { ...plan, args: [] };
}

function lineOf({ plan, restarts }: DynamicChild, pid: Pid | 'restarting'): ChildLine {
  return { id: plan.id, pid, type: plan.type, restart: plan.restart, restarts };
}
