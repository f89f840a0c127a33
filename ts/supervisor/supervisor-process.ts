import { actingFor, Call, Down, Exit, ReplyStatus, type Self, Timeout, takeOver } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import { Absences, type ComeBack } from './absences.ts';
import type { ChildPlan } from './child-spec.ts';
import type { Supervising, SupervisorFrame } from './frame.ts';
import { SupervisorReport } from './report.ts';
import { isLost } from './starting.ts';
import { Strays } from './strays.ts';

/** Wakes the supervisor for its next retry. Anybody may send it: it only brings the retry forward. */
const RETRY = '$retry';

/**
 * The process of a supervisor: takes what comes, one after the other, and leaves what to do about children to its
 * {@link Supervising} part. It traps exits, so it hears of the ends of its children and of its parent (J19).
 */
export class SupervisorProcess implements SupervisorFrame {
  readonly self: Self;
  /** Whose exit signals end it: who started it, also when that was code outside of actors. */
  private readonly parent: Pid;
  private readonly report: SupervisorReport;
  private readonly strays: Strays;
  private readonly absences: Absences;
  private readonly retries: (() => void | Promise<void>)[] = [];

  constructor(self: Self) {
    actingFor(self); // V3: never in an actor of another copy, whose messages are of other classes
    this.self = self;
    this.parent = self.parent ?? self.runtime.root;
    this.report = new SupervisorReport(self);
    this.strays = new Strays(self);
    this.absences = new Absences(self);
    self.trapExit(true);
  }

  /** Serves for ever. */
  async run(children: Supervising): Promise<never> {
    this.children = children;
    for (;;) {
      const pending = this.handle(await this.self.receive());
      if (pending !== undefined) await pending;
    }
  }
  private children!: Supervising;

  private handle(message: unknown): void | Promise<void> {
    if (message instanceof Exit) {
      if (message.from.equals(this.parent)) return this.end(message.reason);
      return this.children.ended(message.from, message.reason, Exit.isLoss(message));
    }
    if (message instanceof Call) return this.answer(message);
    if (message === RETRY) return this.retry();
    // Others are of a stop that is over.
    if (message instanceof Down) {
      this.strays.down(message);
      return this.absences.down(message);
    }
    if (message instanceof Timeout) {
      this.strays.timeout(message);
      return this.absences.timeout(message);
    }
    this.report.noise(typeof message); // J28
    return undefined;
  }

  private retry(): void | Promise<void> {
    this.strays.chase();
    return this.retries.shift()?.();
  }

  private answer(call: Call): void | Promise<void> {
    const { runtime } = this.self;
    const operation = OPERATIONS[call.tag];
    if (operation === undefined) return void runtime.replyError(call, ReplyStatus.unknown, call.tag);
    const answer = operation(this.children, takeOver(runtime, call.args[0]));
    if (answer instanceof Promise) return answer.then((value) => this.reply(call, value));
    return this.reply(call, answer);
  }

  /** Why a start failed may be too deep, or too large, for an answer that holds it; the news is not (P8). */
  private reply(call: Call, answer: unknown): void {
    const { runtime } = this.self;
    try {
      runtime.reply(call, answer);
    } catch (error) {
      const code = error instanceof SnowmeshError ? error.code : 'SNOW_ERR_UNSENDABLE';
      runtime.reply(call, { ok: false, error: 'start_failed', reason: { unsendable: code } });
    }
  }

  // -- for the part that knows about children --------------------------------------------------------------------

  now(): number {
    return this.self.now();
  }

  retryLater(action: () => void | Promise<void>): void {
    this.retries.push(action);
    this.self.send(this.self.pid, RETRY);
  }

  awaitNode(child: object, plan: ChildPlan, comeBack: ComeBack): void {
    if (!this.absences.has(child)) this.report.waiting(plan);
    this.absences.wait(child, plan, (now) => {
      this.strays.chase();
      return comeBack(now);
    });
  }

  awaitsNode(child: object): boolean {
    return this.absences.has(child);
  }

  forgetNode(child: object): void {
    this.absences.end(child);
  }

  async giveUp(why: string, level: 'error' | 'info'): Promise<never> {
    this.report.givingUp(why, level);
    return this.end('shutdown');
  }

  reportEnd(plan: ChildPlan, pid: Pid, reason: unknown): void {
    if (isLost(pid, reason)) this.strays.add(pid);
    this.report.childEnded(plan, pid, reason);
  }

  reportStop(plan: ChildPlan, pid: Pid, reason: unknown): void {
    // Nobody knows whether it heard that it was to stop, and its link is gone.
    if (isLost(pid, reason)) this.strays.add(pid);
    this.report.childStopped(plan, pid, reason);
  }

  reportStartError(plan: ChildPlan, reason: unknown): void {
    this.report.startFailed(plan, reason);
  }

  private async end(reason: unknown): Promise<never> {
    await this.children.stopAll();
    return this.self.exit(reason);
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- the request was typed where it was made
const OPERATIONS: Readonly<Record<string, (children: Supervising, request: any) => unknown>> = Object.assign(
  Object.create(null),
  {
    startChild: (children: Supervising, request: Parameters<Supervising['startChild']>[0]) =>
      children.startChild(request),
    terminateChild: (children: Supervising, child: string | Pid) => children.terminateChild(child),
    restartChild: (children: Supervising, child: string | Pid) => children.restartChild(child),
    deleteChild: (children: Supervising, child: string | Pid) => children.deleteChild(child),
    whichChildren: (children: Supervising) => children.whichChildren(),
    countChildren: (children: Supervising) => children.countChildren(),
  },
);
