import type { Self, StartResult } from '../actor/index.ts';
import type { ChildPlan } from './child-spec.ts';
import type { NodeChecks } from './node-checks.ts';
import { OrphanKiller } from './orphan-killer.ts';
import { placed, startWith } from './starting.ts';

/** A pending start of a child on another node. */
export class Attempt {
  /** Whether the start was abandoned: if the child starts, it is killed. */
  isAbandoned = false;
}

/** Called with the result of a start; with undefined for an abandoned one. */
export type AfterStart = (result: StartResult | undefined) => void;

/**
 * Starts children. A child of this node is started at once. A child of another node is started asynchronously, and the supervisor handles
 * requests meanwhile: connecting to a frozen or unreachable node takes seconds.
 */
export class ChildStarts {
  readonly #self: Self;
  readonly #checks: NodeChecks;
  readonly #later: (action: () => void) => void;
  readonly #attempts = new Set<Attempt>();

  constructor(self: Self, checks: NodeChecks, later: (action: () => void) => void) {
    this.#self = self;
    this.#checks = checks;
    this.#later = later;
  }

  /**
   * @param checkMs If given, first checks within this time whether the node can be reached, since the last attempt failed to reach it.
   * @param then Called once for an attempt: at once after a success, so that the child is known before its end (N5); otherwise in its
   *   turn, through the mailbox.
   * @returns The result of a local start; an Attempt for a child of another node.
   */
  start(
    plan: ChildPlan,
    args: readonly unknown[],
    checkMs: number | undefined,
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
    const begin = (): void => void Promise.resolve(startWith(this.#self, plan, args, options)).then(end);
    if (checkMs === undefined) begin();
    else
      this.#checks.check(node, checkMs, (isReached) =>
        isReached && !attempt.isAbandoned ? begin() : end({ ok: false, reason: 'noconnection' }),
      );
    return attempt;
  }

  /** The supervisor ends: children that start from now on are killed. */
  abandonAll(): void {
    for (const attempt of this.#attempts) attempt.isAbandoned = true;
  }

  #end(attempt: Attempt, result: StartResult, then: AfterStart): void {
    this.#attempts.delete(attempt);
    if (!result.ok) return this.#later(() => then(attempt.isAbandoned ? undefined : result));
    if (!attempt.isAbandoned) return then(result);
    OrphanKiller.of(this.#self.runtime).add(result.pid);
    this.#later(() => then(undefined));
  }
}
