import type { Down, Self, Timeout, TimerRef } from '../actor/index.ts';
import type { Ref } from '../term/index.ts';

/** A name that is never registered: a monitor of it fires with `noproc` if the node is reached, else with `noconnection`. */
const UNUSED_NAME = '$snowmesh.nobody';

/** Called with the result of a check. */
export type AfterCheck = (isReached: boolean) => void | Promise<void>;

interface Check {
  readonly ref: Ref;
  readonly timer: TimerRef | undefined;
  readonly after: AfterCheck;
}

/** Checks whether nodes can be reached. The answers arrive in the supervisor's mailbox, so it handles requests meanwhile. O(1) a check. */
export class NodeChecks {
  readonly #self: Self;
  /** By the id of the monitor. */
  readonly #checks = new Map<number, Check>();
  readonly #limits = new Map<TimerRef, Check>();

  constructor(self: Self) {
    this.#self = self;
  }

  /** Calls `after` once with whether the node answered within `limitMs` (Infinity: no limit but that of connecting). */
  check(node: string, limitMs: number, after: AfterCheck): void {
    const ref = this.#self.monitor({ name: UNUSED_NAME, node });
    const timer =
      limitMs === Number.POSITIVE_INFINITY
        ? undefined
        : this.#self.startTimer(Math.ceil(limitMs), this.#self.pid, null);
    const check = { ref, timer, after };
    this.#checks.set(ref.id, check);
    if (timer !== undefined) this.#limits.set(timer, check);
  }

  down({ ref, reason }: Down): void | Promise<void> {
    const check = this.#checks.get(ref.id);
    return check === undefined ? undefined : this.#end(check, reason !== 'noconnection');
  }

  timeout({ ref }: Timeout): void | Promise<void> {
    const check = this.#limits.get(ref);
    return check === undefined ? undefined : this.#end(check, false);
  }

  #end(check: Check, isReached: boolean): void | Promise<void> {
    this.#checks.delete(check.ref.id);
    this.#self.demonitor(check.ref);
    if (check.timer !== undefined) {
      this.#limits.delete(check.timer);
      this.#self.cancelTimer(check.timer);
    }
    return check.after(isReached);
  }
}
