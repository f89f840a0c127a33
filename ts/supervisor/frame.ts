import type { Self, StartResult } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan, ChildSpec } from './child-spec.ts';
import type { ComeBack } from './node-waits.ts';
import type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';
import type { AfterStart, Attempt } from './remote-starts.ts';

/** What the supervising process offers to the part that knows about children. */
export interface SupervisorFrame {
  readonly self: Self;
  /** Monotonic time in ms. */
  now(): number;
  /** Has `action` run after `delayMs`, when everything that is in the mailbox then has had its turn (J10). */
  retryLater(action: () => void | Promise<void>, delayMs?: number): void;
  /** See {@link RemoteStarts.start}. */
  start(
    plan: ChildPlan,
    args: readonly unknown[],
    lookMs: number | undefined,
    then: AfterStart,
  ): StartResult | Promise<StartResult> | Attempt;
  /** Has `comeBack` run when the node of a child that is lost can be reached; not after `forgetNode`. */
  awaitNode(child: object, plan: ChildPlan, comeBack: ComeBack): void;
  /** Whether the child waits for its node. */
  awaitsNode(child: object): boolean;
  forgetNode(child: object): void;
  /** Ends all children, then the supervisor with `shutdown`. Does not return. */
  giveUp(why: string, level: 'error' | 'info'): Promise<never>;
  reportEnd(plan: ChildPlan, pid: Pid, reason: unknown): void;
  reportStop(plan: ChildPlan, pid: Pid, reason: unknown): void;
  reportRestart(plan: ChildPlan): void;
  reportStartError(plan: ChildPlan, reason: unknown): void;
}

/** Answers a request; later, when a child on another node is being started. */
export type Reply = (result: ChildResult) => void;

/** The part that knows about children: a list of them, or any number of dynamic ones. */
export interface Supervising {
  /** A linked process ended. `isLoss`: its node was lost. */
  ended(pid: Pid, reason: unknown, isLoss: boolean): void | Promise<void>;
  /** Ends all children; the supervisor itself ends after it. */
  stopAll(): Promise<void>;
  startChild(spec: ChildSpec | readonly unknown[], reply: Reply): void | Promise<void>;
  terminateChild(child: string | Pid): StopResult | Promise<StopResult>;
  restartChild(child: string | Pid, reply: Reply): void | Promise<void>;
  deleteChild(child: string | Pid): StopResult;
  /** Their lines one by one, in the order of {@link whichChildren}. */
  lines(): IterableIterator<ChildInfo>;
  whichChildren(): ChildInfo[];
  countChildren(): ChildCounts;
}
