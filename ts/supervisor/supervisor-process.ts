import {
  actingFor,
  Call,
  Down,
  Exit,
  endInOrder,
  ReplyStatus,
  type Self,
  type StartResult,
  SystemMessage,
  Timeout,
  type TimerRef,
  takeOver,
} from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';
import { type AfterStart, type Attempt, ChildStarts } from './child-starts.ts';
import type { ChildrenHost, Supervising } from './children-host.ts';
import { NodeChecks } from './node-checks.ts';
import { type ComeBack, NodeWaits } from './node-waits.ts';
import { OrphanKiller } from './orphan-killer.ts';
import { infoOf } from './outcome.ts';
import { SupervisorReport } from './report.ts';
import { isLost } from './starting.ts';

/** Tells the supervisor to run its next retry. As a system message it is not dropped by a mailbox limit. */
class Retry extends SystemMessage {}
const RETRY = new Retry();

/**
 * The actor of a supervisor: it receives messages one at a time, and its {@link Supervising} part acts on the children.
 * It traps exits, so the ends of its children and of its parent arrive as messages (J19).
 */
export class SupervisorProcess implements ChildrenHost {
  readonly self: Self;
  private children!: Supervising;
  /** The actor whose exit ends the supervisor; the root PID when code outside of actors started it. */
  private readonly parent: Pid;
  private readonly report: SupervisorReport;
  private readonly checks: NodeChecks;
  private readonly waits: NodeWaits;
  private readonly starts: ChildStarts;
  private readonly retries: (() => void | Promise<void>)[] = [];
  /** Retries that wait for the end of a pause. */
  private readonly pauses = new Map<TimerRef, () => void | Promise<void>>();

  constructor(self: Self) {
    actingFor(self); // an actor of another copy has messages of other classes (V3)
    this.self = self;
    this.parent = self.parent ?? self.runtime.root;
    this.report = new SupervisorReport(self);
    this.checks = new NodeChecks(self);
    this.waits = new NodeWaits(self, this.checks, (action) => this.retryLater(action));
    this.starts = new ChildStarts(self, this.checks, (action) => this.retryLater(action));
    self.trapExit(true);
    endInOrder(self.pid);
  }

  /** Handles messages until the supervisor ends. */
  async run(children: Supervising): Promise<never> {
    this.children = children;
    for (;;) {
      const pending = this.handle(await this.self.receive());
      if (pending !== undefined) await pending;
    }
  }

  private handle(message: unknown): void | Promise<void> {
    if (message instanceof Exit) {
      if (message.from.equals(this.parent)) return this.end(message.reason);
      if (!Exit.isEnd(message)) return undefined; // of a child, too: it still runs (J19)
      return this.children.ended(message.from, message.reason, Exit.isLoss(message));
    }
    if (message instanceof Call) return this.answer(message);
    if (message === RETRY) return this.retry();
    // A Down or Timeout of a stop that is over is ignored.
    if (message instanceof Down) return this.checks.down(message);
    if (message instanceof Timeout)
      return this.pauseOver(message.ref) ?? this.checks.timeout(message) ?? this.waits.timeout(message);
    this.report.unexpectedMessage(typeof message); // J28
    return undefined;
  }

  private retry(): void | Promise<void> {
    return this.retries.shift()?.();
  }

  private pauseOver(ref: TimerRef): void | Promise<void> {
    const action = this.pauses.get(ref);
    this.pauses.delete(ref);
    return action?.();
  }

  private answer(call: Call): void | Promise<void> {
    const { runtime } = this.self;
    const operation = OPERATIONS[call.tag];
    if (operation === undefined) return void runtime.replies.answer(call, ReplyStatus.unknown, call.tag);
    return operation(this.children, takeOver(runtime, call.args[0]), (value) => this.reply(call, value));
  }

  /** Sends an answer. When a start reason in it cannot be sent, because it is too deep or too large, the error code replaces it (P8). */
  private reply(call: Call, answer: unknown): void {
    const { runtime } = this.self;
    try {
      runtime.replies.succeed(call, answer);
    } catch (error) {
      const code = error instanceof SnowmeshError ? error.code : 'SNOW_ERR_UNSENDABLE';
      runtime.replies.succeed(call, { ok: false, error: 'start_failed', reason: { unsendable: code } });
    }
  }

  // -- for the part that manages children ------------------------------------------------------------------------

  now(): number {
    return this.self.now();
  }

  retryLater(action: () => void | Promise<void>, delayMs = 0): void {
    const { self } = this;
    if (delayMs > 0) {
      this.pauses.set(self.startTimer(delayMs, self.pid, null), () => this.retryLater(action));
      return;
    }
    this.retries.push(action);
    self.runtime.deliverSystem(self.pid, RETRY);
  }

  start(
    plan: ChildPlan,
    args: readonly unknown[],
    checkMs: number | undefined,
    then: AfterStart,
  ): StartResult | Promise<StartResult> | Attempt {
    return this.starts.start(plan, args, checkMs, then);
  }

  awaitNode(child: object, plan: ChildPlan, comeBack: ComeBack): void {
    if (!this.waits.has(child)) this.report.waiting(plan);
    this.waits.wait(child, plan, comeBack);
  }

  awaitsNode(child: object): boolean {
    return this.waits.has(child);
  }

  forgetNode(child: object): void {
    this.waits.end(child);
  }

  async giveUp(why: string, level: 'error' | 'info', reason: unknown): Promise<never> {
    this.report.givingUp(why, level, reason);
    return this.end('shutdown');
  }

  reportEnd(plan: ChildPlan, pid: Pid, reason: unknown): void {
    if (isLost(pid, reason)) OrphanKiller.of(this.self.runtime).add(pid);
    this.report.childEnded(plan, pid, reason);
  }

  reportRestart(plan: ChildPlan): void {
    this.report.restarting(plan);
  }

  reportStop(plan: ChildPlan, pid: Pid, reason: unknown): void {
    // The child may not have received `shutdown`, and it is not linked any more.
    if (isLost(pid, reason)) OrphanKiller.of(this.self.runtime).add(pid);
    this.report.childStopped(plan, pid, reason);
  }

  reportStartError(plan: ChildPlan, reason: unknown): void {
    this.report.startFailed(plan, reason);
  }

  private async end(reason: unknown): Promise<never> {
    this.starts.abandonAll();
    await this.children.stopAll();
    return this.self.exit(reason);
  }
}

type Operation = (
  children: Supervising,
  // oxlint-disable-next-line typescript/no-explicit-any -- the request was typed where it was made
  request: any,
  reply: (value: unknown) => void,
) => void | Promise<void>;

const OPERATIONS: Readonly<Record<string, Operation>> = Object.assign(Object.create(null), {
  startChild: (children, request, reply) => children.startChild(request, reply),
  terminateChild: (children, request, reply) => {
    const stopped = children.terminateChild(request);
    return stopped instanceof Promise ? stopped.then(reply) : reply(stopped);
  },
  restartChild: (children, request, reply) => children.restartChild(request, reply),
  deleteChild: (children, request, reply) => reply(children.deleteChild(request)),
  whichChildren: (children, _request, reply) => reply(Array.from(children.lines(), infoOf)),
  countChildren: (children, _request, reply) => reply(children.countChildren()),
} satisfies Record<string, Operation>);
