import type { Down, Self, Timeout, TimerRef } from '../actor/index.ts';
import type { ChildPlan } from './child-spec.ts';
import { placed } from './starting.ts';

/** Pauses between two looks for a node: the first, and the longest but for the random part. Unit: ms. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 20_000;
/** A pause is longer by up to this part of it, so that not all look at once. */
const JITTER = 0.5;
/** A name nobody has: a monitor of it says `noproc` where the node is, `noconnection` where it is not. */
const NOBODY = '$snowmesh.nobody';

/** Starts a child on the node its plan names now. */
export type ComeBack = (plan: ChildPlan) => void | Promise<void>;

interface Absence {
  readonly child: object;
  readonly plan: ChildPlan;
  readonly comeBack: ComeBack;
  tries: number;
  timer: TimerRef | undefined;
}

/**
 * Children whose node is lost and who wait for it (`onNodeLost: 'wait'`). Each looks for the node after growing, random
 * pauses, without keeping the supervisor from its work, and is started when the node can be reached. Costs O(1) a look.
 */
export class Absences {
  readonly #self: Self;
  readonly #random: () => number;
  readonly #absences = new Map<object, Absence>();
  readonly #pauses = new Map<TimerRef, Absence>();
  /** By the id of the monitor that looks for the node; its plan is that of this look. */
  readonly #looks = new Map<number, { absence: Absence; plan: ChildPlan }>();

  constructor(self: Self, random: () => number = Math.random) {
    this.#self = self;
    this.#random = random;
  }

  has(child: object): boolean {
    return this.#absences.has(child);
  }

  /** The child waits, or waits on, longer than before. */
  wait(child: object, plan: ChildPlan, comeBack: ComeBack): void {
    const absence = this.#absences.get(child) ?? { child, plan, comeBack, tries: 0, timer: undefined };
    this.#absences.set(child, absence);
    this.#pause(absence);
  }

  /** The child runs, or is not wanted any more. */
  end(child: object): void {
    const absence = this.#absences.get(child);
    if (absence === undefined) return;
    this.#absences.delete(child);
    if (absence.timer === undefined) return;
    this.#self.cancelTimer(absence.timer);
    this.#pauses.delete(absence.timer);
  }

  /** A pause is over. Undefined: it was none of these, or there is nothing to wait for. */
  timeout({ ref }: Timeout): void | Promise<void> {
    const absence = this.#pauses.get(ref);
    if (absence === undefined) return undefined;
    this.#pauses.delete(ref);
    absence.timer = undefined;
    return this.#look(absence);
  }

  down({ ref, reason }: Down): void | Promise<void> {
    const look = this.#looks.get(ref.id);
    if (look === undefined) return undefined;
    this.#looks.delete(ref.id);
    const { absence, plan } = look;
    if (this.#absences.get(absence.child) !== absence) return undefined;
    if (reason !== 'noconnection') return absence.comeBack(plan);
    return this.#pause(absence);
  }

  #pause(absence: Absence): void {
    const pause = Math.min(FIRST_PAUSE * 2 ** absence.tries++, LONGEST_PAUSE);
    const ms = Math.round(pause * (1 + JITTER * this.#random()));
    absence.timer = this.#self.startTimer(ms, this.#self.pid, null);
    this.#pauses.set(absence.timer, absence);
  }

  /** The node is chosen once for the look and the start that follows. */
  #look(absence: Absence): void | Promise<void> {
    const { plan, comeBack } = absence;
    const options = placed(plan);
    if (typeof options === 'string') return comeBack(plan); // which says why there is no node
    const { node } = options;
    const here: ChildPlan = { ...plan, startOptions: options, place: undefined };
    if (node === undefined || this.#self.runtime.isSelf(node)) return comeBack(here);
    const { id } = this.#self.monitor({ name: NOBODY, node });
    this.#looks.set(id, { absence, plan: here });
    return undefined;
  }
}
