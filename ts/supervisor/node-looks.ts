import type { Down, Self, Timeout, TimerRef } from '../actor/index.ts';
import type { Ref } from '../term/index.ts';

/** A name that is never registered: a monitor of it fires with `noproc` if the node is reached, else with `noconnection`. */
const UNUSED_NAME = '$snowmesh.nobody';

/** Called with the result of a look. */
export type AfterLook = (isReached: boolean) => void | Promise<void>;

interface Look {
  readonly ref: Ref;
  readonly timer: TimerRef | undefined;
  readonly after: AfterLook;
}

/** Checks whether nodes can be reached. The answers arrive in the supervisor's mailbox, so it handles requests meanwhile. O(1) a look. */
export class NodeLooks {
  readonly #self: Self;
  /** By the id of the monitor. */
  readonly #looks = new Map<number, Look>();
  readonly #limits = new Map<TimerRef, Look>();

  constructor(self: Self) {
    this.#self = self;
  }

  /** Calls `after` once with whether the node answered within `limitMs` (Infinity: no limit but that of connecting). */
  look(node: string, limitMs: number, after: AfterLook): void {
    const ref = this.#self.monitor({ name: UNUSED_NAME, node });
    const timer =
      limitMs === Number.POSITIVE_INFINITY
        ? undefined
        : this.#self.startTimer(Math.ceil(limitMs), this.#self.pid, null);
    const look = { ref, timer, after };
    this.#looks.set(ref.id, look);
    if (timer !== undefined) this.#limits.set(timer, look);
  }

  down({ ref, reason }: Down): void | Promise<void> {
    const look = this.#looks.get(ref.id);
    return look === undefined ? undefined : this.#end(look, reason !== 'noconnection');
  }

  timeout({ ref }: Timeout): void | Promise<void> {
    const look = this.#limits.get(ref);
    return look === undefined ? undefined : this.#end(look, false);
  }

  #end(look: Look, isReached: boolean): void | Promise<void> {
    this.#looks.delete(look.ref.id);
    this.#self.demonitor(look.ref);
    if (look.timer !== undefined) {
      this.#limits.delete(look.timer);
      this.#self.cancelTimer(look.timer);
    }
    return look.after(isReached);
  }
}
