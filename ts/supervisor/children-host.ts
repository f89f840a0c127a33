import type { Self, StartResult } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan, ChildSpec } from './child-spec.ts';
import type { AfterStart, Attempt } from './child-starts.ts';
import type { ComeBack } from './node-waits.ts';
import type { ChildCounts, ChildLine, ChildResult, StopResult } from './outcome.ts';

/** What the supervisor process offers to the part that manages children. */
export interface ChildrenHost {
  readonly self: Self;
  /** Monotonic time in ms. */
  now(): number;
  /** Runs `action` after `delayMs`, behind all messages that are in the mailbox then (J10). */
  retryLater(action: () => void | Promise<void>, delayMs?: number): void;
  /** See {@link ChildStarts.start}. */
  start(
    plan: ChildPlan,
    args: readonly unknown[],
    checkMs: number | undefined,
    then: AfterStart,
  ): StartResult | Promise<StartResult> | Attempt;
  /** Runs `comeBack` when the lost node of a child can be reached, unless `forgetNode` was called. */
  awaitNode(child: object, plan: ChildPlan, comeBack: ComeBack): void;
  /** Whether the child waits for its node. */
  awaitsNode(child: object): boolean;
  forgetNode(child: object): void;
  /** Ends all children, then the supervisor with `shutdown`. Does not return. `reason`: that of the child. */
  giveUp(why: string, level: 'error' | 'info', reason: unknown): Promise<never>;
  reportEnd(plan: ChildPlan, pid: Pid, reason: unknown): void;
  reportStop(plan: ChildPlan, pid: Pid, reason: unknown): void;
  reportRestart(plan: ChildPlan): void;
  reportStartError(plan: ChildPlan, reason: unknown): void;
}

/** Answers a request: after the request was handled, when a child is started on another node. */
export type Reply = (result: ChildResult) => void;

/** The part that manages children: those of a static or of a dynamic supervisor. */
export interface Supervising {
  /** A linked actor has ended. `isLoss`: its node was lost. */
  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void>;
  /** Ends all children; the supervisor itself ends after it. */
  stopAll(): Promise<void>;
  startChild(spec: ChildSpec | readonly unknown[], reply: Reply): void | Promise<void>;
  terminateChild(child: string | Pid): StopResult | Promise<StopResult>;
  restartChild(child: string | Pid, reply: Reply): void | Promise<void>;
  deleteChild(child: string | Pid): StopResult;
  /** What is known of each child. */
  lines(): IterableIterator<ChildLine>;
  countChildren(): ChildCounts;
}
