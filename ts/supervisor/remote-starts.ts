import type { Self, StartResult } from '../actor/index.ts';
import type { ChildPlan } from './child-spec.ts';
import type { NodeLooks } from './node-looks.ts';
import { OrphanKiller } from './orphan-killer.ts';
import { placed, startWith } from './starting.ts';

/** The start of a child on another node, under way. */
export class Attempt {
  /** The child is not wanted any more: if it starts, it is killed. */
  isAbandoned = false;
}

/** What follows a start. Undefined: it was abandoned, and is over. */
export type AfterStart = (result: StartResult | undefined) => void;

/**
 * Starts children. One of this node is started at once. One of another node is started beside the supervisor's other work,
 * because connecting to a node that is frozen or cut off takes seconds.
 */
export class RemoteStarts {
  readonly #self: Self;
  readonly #looks: NodeLooks;
  readonly #later: (action: () => void) => void;
  readonly #attempts = new Set<Attempt>();

  constructor(self: Self, looks: NodeLooks, later: (action: () => void) => void) {
    this.#self = self;
    this.#looks = looks;
    this.#later = later;
  }

  /**
   * @param lookMs First asks whether the node can be reached, for that long: it could not be reached at the last attempt.
   * @param then Called once for an attempt. A success is told at once, so the child is known before its end is (N5);
   *   anything else in its turn, through the mailbox.
   * @returns The result of a local start; an attempt when the child belongs to another node.
   */
  start(
    plan: ChildPlan,
    args: readonly unknown[],
    lookMs: number | undefined,
    then: AfterStart,
  ): StartResult | Promise<StartResult> | Attempt {
    const options = placed(plan);
    if (typeof options === 'string') return { ok: false, reason: options };
    const { node } = options;
    const { runtime } = this.#self;
    if (node === undefined || runtime.isSelf(node)) return startWith(this.#self, plan, args, options);
    const attempt = new Attempt();
    this.#attempts.add(attempt);
    OrphanKiller.of(runtime).killOn(this.#self, runtime.remote.canonical(node));
    const end = (result: StartResult): void => this.#end(attempt, result, then);
    const begin = (): void => {
      const started = startWith(this.#self, plan, args, options);
      if (started instanceof Promise) void started.then(end);
      else end(started);
    };
    if (lookMs === undefined) begin();
    else
      this.#looks.look(node, lookMs, (isReached) =>
        isReached && !attempt.isAbandoned ? begin() : end({ ok: false, reason: 'noconnection' }),
      );
    return attempt;
  }

  /** The supervisor ends: what starts now is killed. */
  abandonAll(): void {
    for (const attempt of this.#attempts) attempt.isAbandoned = true;
  }

  #end(attempt: Attempt, result: StartResult, then: AfterStart): void {
    this.#attempts.delete(attempt);
    if (!result.ok) return this.#later(() => then(attempt.isAbandoned ? undefined : result));
    if (!attempt.isAbandoned) return then(result);
    this.#self.unlink(result.pid);
    OrphanKiller.of(this.#self.runtime).add(this.#self, result.pid);
    this.#later(() => then(undefined));
  }
}
