import { isCleanExit, type StartResult } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import { type AutoShutdown, type ChildPlan, type ChildSpec, tryPlanChild } from './child-spec.ts';
import { type AfterStart, Attempt } from './child-starts.ts';
import { Child, ChildTable } from './child-table.ts';
import type { ChildrenHost, Reply, Supervising } from './children-host.ts';
import type { ChildCounts, ChildLine, ChildResult, StopResult } from './outcome.ts';
import { RestartPauses } from './restart-pauses.ts';
import type { RestartWindow } from './restart-window.ts';
import { isAway, isLost, startChildNow, startError } from './starting.ts';
import { stopChild } from './stopping.ts';

/** The children that are restarted when one fails: that one, all, or that one and those that were started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface StaticOptions {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
}

/**
 * The children of a static supervisor (J1-J15, J17-J25): starts, stops and restarts them.
 *
 * Like Erlang's supervisor it does one thing at a time: while a child of this node is started or stopped, requests wait in
 * the mailbox. A failed *re*start is tried again through the mailbox (J10), so requests are handled between two attempts. A child of
 * another node is restarted asynchronously ({@link ChildStarts}); only its first start, with that of the supervisor, is awaited.
 */
export class StaticChildren implements Supervising {
  private readonly host: ChildrenHost;
  private readonly options: StaticOptions;
  private readonly window: RestartWindow;
  private readonly table = new ChildTable();

  constructor(host: ChildrenHost, options: StaticOptions, window: RestartWindow) {
    this.host = host;
    this.options = options;
    this.window = window;
  }

  /** Starts the children one after the other (J1). After a failure, those that run are stopped in reverse order (J2). */
  async boot(plans: readonly ChildPlan[]): Promise<{ id: string; reason: unknown } | undefined> {
    for (const plan of plans) {
      const child = new Child(plan);
      this.table.add(child);
      const started = await startChildNow(this.host.self, plan, plan.args);
      const error = startError(started);
      if (error !== undefined) {
        await this.stopAll();
        return { id: plan.id, reason: error.reason };
      }
      this.settle(child, started);
    }
    return undefined;
  }

  // -- what happens to children ----------------------------------------------------------------------------------

  /** A linked actor has ended. Ignored unless it is a child. */
  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void> {
    const child = this.table.byPid(pid);
    if (child === undefined) return undefined;
    const { restart } = child.plan;
    const clean = isCleanExit(reason);
    if (!clean || restart === 'permanent') this.host.reportEnd(child.plan, pid, reason);
    this.table.unbind(child);
    child.isNodeAway = isLoss;
    if (child.plan.waitsForNode && isLoss) return this.awaitNode(child);
    if (restart === 'permanent' || (restart === 'transient' && !clean))
      return this.restartAfterPause(child, reason);
    if (restart === 'temporary') this.table.remove(child);
    if (this.endsSupervisor(child)) return this.host.giveUp('a significant child ended', 'info', reason);
    return undefined;
  }

  /** `reason`: why it ended. */
  private restartAfterPause(child: Child, reason: unknown): void | Promise<void> {
    const pause = this.pauseBefore(child);
    if (pause === 0) return this.restart(child, reason);
    this.retryAfter(child, pause, reason);
    return undefined;
  }

  private pauseBefore(child: Child): number {
    if (child.plan.backoff === undefined) return 0;
    child.pauses ??= new RestartPauses(child.plan.backoff);
    return child.pauses.next(this.host.now(), Math.random());
  }

  /** Tries again later, unless the child is terminated, deleted, or restarted with others meanwhile. */
  private retryAfter(child: Child, pause: number, reason: unknown): void {
    const isDue = child.fails();
    this.host.retryLater(() => (isDue() ? this.restart(child, reason) : undefined), pause);
  }

  private restart(child: Child, reason: unknown): void | Promise<void> {
    if (!this.window.record(this.host.now()))
      return this.host.giveUp(this.window.exceededBy(child.plan.id), 'error', reason);
    child.restarts++;
    this.host.reportRestart(child.plan);
    if (this.options.strategy !== 'one_for_one') return this.restartGroup(child);
    return this.startAgain(child, child.plan, (result) => this.settleRestart(child, result));
  }

  /**
   * Starts a child again. `then` is called once: before this returns or resolves, or later for a child of another node.
   *
   * @returns A promise only if the init of a child of this node is asynchronous.
   */
  private startAgain(
    child: Child,
    plan: ChildPlan,
    then: AfterStart,
    isNodeAway = child.isNodeAway,
  ): void | Promise<void> {
    child.isRestarting = true;
    const checkMs = isNodeAway ? this.window.attemptMs : undefined;
    const started = this.host.start(plan, plan.args, checkMs, (result) => {
      child.attempt = undefined;
      then(result);
      this.startWaiting();
    });
    if (started instanceof Attempt) child.attempt = started;
    else if (started instanceof Promise) return started.then(then);
    else then(started);
    return undefined;
  }

  private settleRestart(child: Child, started: StartResult | undefined): void {
    if (started === undefined) return undefined;
    const error = startError(started);
    if (error === undefined) return this.settle(child, started);
    child.isNodeAway = error.reason === 'noconnection';
    if (isAway(child.plan, error.reason, this.host.awaitsNode(child))) return this.awaitNode(child);
    this.host.forgetNode(child);
    this.host.reportStartError(child.plan, error.reason);
    this.retryAfter(child, this.pauseBefore(child), error.reason);
  }

  private settle(child: Child, started: StartResult): void {
    this.host.forgetNode(child);
    child.pauses?.started(this.host.now());
    if (started.ok) this.table.bind(child, started.pid);
    else if (child.plan.restart === 'temporary') this.table.remove(child);
    else child.isRestarting = child.hasFailed = false;
  }

  // -- strategies that restart several ----------------------------------------------------------------------------

  /**
   * Stops the group of `failed` in reverse order and starts it again in order (J11-J14). Children that wait for their node keep
   * waiting. `isBack`: `failed` runs already.
   */
  private async restartGroup(failed: Child, isBack = false): Promise<void> {
    const group = this.options.strategy === 'rest_for_one' ? this.table.from(failed) : this.table.inOrder();
    for (const child of group.toReversed()) {
      if (child !== failed && !this.host.awaitsNode(child)) await this.stop(child);
      if (child.plan.restart === 'temporary')
        this.table.remove(child); // J13
      else if (child !== failed || !isBack) child.isRestarting = true;
      child.hasFailed = false;
    }
    await this.startGroup();
  }

  /** The start of a child is over, or not wanted any more: the others of its group may wait for it. */
  private startWaiting(): void {
    if (this.options.strategy !== 'one_for_one') this.host.retryLater(() => this.startGroup());
  }

  /** Starts the restarting children in order, up to one whose start is pending or has failed: the others wait for it. */
  private async startGroup(): Promise<void> {
    for (const child of this.table.inOrder()) {
      if (!child.isRestarting || this.host.awaitsNode(child)) continue;
      if (!child.hasFailed && child.attempt === undefined)
        await this.startAgain(child, child.plan, (result) => this.settleRestart(child, result));
      if (child.hasFailed || child.attempt !== undefined) return;
    }
  }

  /** Waits for the lost node of a child and starts it then. This does not count towards the intensity. */
  private awaitNode(child: Child): void {
    child.isRestarting = true;
    this.host.awaitNode(child, child.plan, (plan) => this.comeBack(child, plan));
  }

  private comeBack(child: Child, plan: ChildPlan): void | Promise<void> {
    const then = (result: StartResult | undefined): void => {
      this.settleRestart(child, result);
      if (child.pid !== undefined && this.options.strategy !== 'one_for_one')
        this.host.retryLater(() => this.restartGroup(child, true));
    };
    return this.startAgain(child, plan, then, false);
  }

  private endsSupervisor(child: Child): boolean {
    const { autoShutdown } = this.options;
    if (!child.plan.significant) return false;
    if (autoShutdown === 'any_significant') return true;
    for (const other of this.table) {
      if (other.plan.significant && (other.pid !== undefined || other.isStarting)) return false;
    }
    return true;
  }

  /** Stops a child, if it runs. */
  private async stop(child: Child): Promise<void> {
    const { pid } = child;
    child.isRestarting = child.hasFailed = false;
    if (child.attempt !== undefined) child.attempt.isAbandoned = true;
    this.host.forgetNode(child);
    if (pid === undefined) return;
    this.table.unbind(child);
    const reason = await stopChild(this.host.self, { pid, shutdown: child.plan.shutdown });
    child.isNodeAway = isLost(pid, reason);
    this.host.reportStop(child.plan, pid, reason);
  }

  /** Stops all children in reverse start order, one at a time (J15). */
  async stopAll(): Promise<void> {
    for (const child of this.table.inOrder().reverse()) await this.stop(child);
  }

  // -- what users ask for ----------------------------------------------------------------------------------------

  startChild(spec: ChildSpec, reply: Reply): void | Promise<void> {
    const plan = tryPlanChild(spec, this.options.autoShutdown);
    if ('ok' in plan) return reply(plan);
    const present = this.table.byId(plan.id);
    if (present !== undefined) {
      return reply(
        present.pid === undefined
          ? { ok: false, error: 'already_present' }
          : { ok: false, error: 'already_started', pid: present.pid },
      );
    }
    const child = new Child(plan);
    this.table.add(child); // before the start, so that its id is taken meanwhile
    return this.startAgain(child, plan, (result = ABANDONED) => {
      const error = startError(result);
      if (error === undefined) this.settle(child, result);
      else this.table.remove(child);
      reply(outcome(child, error));
    });
  }

  async terminateChild(id: string): Promise<StopResult> {
    const child = this.table.byId(id);
    if (child === undefined) return 'not_found';
    await this.stop(child);
    if (child.plan.restart === 'temporary') this.table.remove(child);
    this.startWaiting();
    return 'ok';
  }

  restartChild(id: string, reply: Reply): void | Promise<void> {
    const child = this.table.byId(id);
    if (child === undefined) return reply({ ok: false, error: 'not_found' });
    if (child.pid !== undefined) return reply({ ok: false, error: 'running' });
    if (child.isStarting) return reply({ ok: false, error: 'restarting' });
    return this.startAgain(
      child,
      child.plan,
      (result = ABANDONED) => {
        const error = startError(result);
        if (error === undefined) this.settle(child, result);
        else if (result !== ABANDONED) child.isRestarting = false;
        reply(outcome(child, error));
      },
      false,
    );
  }

  deleteChild(id: string): StopResult {
    const child = this.table.byId(id);
    if (child === undefined) return 'not_found';
    if (child.pid !== undefined) return 'running';
    if (child.isStarting) return 'restarting';
    this.table.remove(child);
    return 'ok';
  }

  lines(): IterableIterator<ChildLine> {
    return this.table.lines();
  }

  countChildren(): ChildCounts {
    const { runtime } = this.host.self;
    return this.table.counts((pid) => !pid.isLocal || runtime.isAlive(pid));
  }
}

/** The result of a requested start that was abandoned: the child was terminated, or is restarted with others, before it ran. */
const ABANDONED: StartResult = { ok: false, reason: 'shutdown' };

function outcome(child: Child, error: { reason: unknown } | undefined): ChildResult {
  return error === undefined
    ? { ok: true, pid: child.pid }
    : { ok: false, error: 'start_failed', reason: error.reason };
}
