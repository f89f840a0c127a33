// What a tree of supervisors should do, said as plainly as possible: no processes, no messages, no time but a number.
export interface WorkerPlan {
  readonly kind: 'worker';
  readonly id: string;
  readonly restart: 'permanent' | 'transient' | 'temporary';
}

export interface SupervisorPlan {
  readonly kind: 'supervisor';
  readonly id: string;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  readonly intensity: number;
  readonly children: readonly Plan[];
}

export type Plan = WorkerPlan | SupervisorPlan;

export const PERIOD = 1000;

interface Slot {
  readonly plan: Plan;
  /** Undefined: it does not run. */
  running: ModelSupervisor | 'worker' | undefined;
}

/** The whole tree, its clock and its log of starts (`+id`) and ends (`-id`) of workers. */
export class Model {
  readonly log: string[] = [];
  /** How many of the next starts of a worker fail. */
  readonly failures = new Map<string, number>();
  now = 0;
  root: ModelSupervisor | undefined;

  constructor(plan: SupervisorPlan) {
    const root = new ModelSupervisor(this, plan, undefined);
    if (root.boot()) this.root = root;
  }

  /** All supervisors that run, outermost first. */
  supervisors(): ModelSupervisor[] {
    return this.root === undefined ? [] : this.root.all();
  }

  start(plan: Plan, parent: ModelSupervisor): Slot['running'] {
    if (plan.kind === 'supervisor') {
      const supervisor = new ModelSupervisor(this, plan, parent);
      return supervisor.boot() ? supervisor : undefined;
    }
    this.log.push(`+${plan.id}`);
    const failing = this.failures.get(plan.id) ?? 0;
    if (failing === 0) return 'worker';
    this.failures.set(plan.id, failing - 1);
    return undefined;
  }
}

export class ModelSupervisor {
  readonly plan: SupervisorPlan;
  slots: Slot[];
  private readonly model: Model;
  private readonly parent: ModelSupervisor | undefined;
  private restarts: number[] = [];

  constructor(model: Model, plan: SupervisorPlan, parent: ModelSupervisor | undefined) {
    this.model = model;
    this.plan = plan;
    this.parent = parent;
    this.slots = plan.children.map((child) => ({ plan: child, running: undefined }));
  }

  boot(): boolean {
    for (const slot of this.slots) {
      slot.running = this.model.start(slot.plan, this);
      if (slot.running !== undefined) continue;
      this.stopAll();
      return false;
    }
    return true;
  }

  stopAll(): void {
    for (const slot of [...this.slots].reverse()) this.stop(slot);
  }

  stop(slot: Slot): void {
    if (slot.running === 'worker') this.model.log.push(`-${slot.plan.id}`);
    else slot.running?.stopAll();
    slot.running = undefined;
  }

  /** A child ended by itself. */
  ended(slot: Slot, isClean: boolean): void {
    slot.running = undefined;
    const { restart } = slot.plan;
    if (restart === 'permanent' || (restart === 'transient' && !isClean)) this.restart(slot);
    else if (restart === 'temporary') this.remove(slot);
  }

  private restart(slot: Slot): void {
    const { now } = this.model;
    this.restarts = [...this.restarts.filter((time) => now - time <= PERIOD), now];
    if (this.restarts.length > this.plan.intensity) {
      this.stopAll();
      if (this.parent === undefined) this.model.root = undefined;
      else this.parent.ended(this.parent.slotOf(this), true);
      return;
    }
    const group = this.groupOf(slot);
    for (const one of [...group].reverse()) this.stop(one);
    for (const one of group) if (one.plan.restart === 'temporary') this.remove(one);
    for (const one of group) {
      if (!this.slots.includes(one)) continue;
      one.running = this.model.start(one.plan, this);
      if (one.running === undefined) return this.restart(one);
    }
  }

  private groupOf(slot: Slot): Slot[] {
    switch (this.plan.strategy) {
      case 'one_for_one':
        return [slot];
      case 'one_for_all':
        return [...this.slots];
      case 'rest_for_one':
        return this.slots.slice(this.slots.indexOf(slot));
    }
  }

  remove(slot: Slot): void {
    this.slots = this.slots.filter((one) => one !== slot);
  }

  slotOf(supervisor: ModelSupervisor): Slot {
    return this.slots.find(({ running }) => running === supervisor) as Slot;
  }

  all(): ModelSupervisor[] {
    const below = this.slots.map(({ running }) => (running instanceof ModelSupervisor ? running.all() : []));
    return [this, ...below.flat()];
  }

  workers(): Slot[] {
    return this.slots.filter(({ running }) => running === 'worker');
  }

  /** Ids in order with what runs there, for comparison with `whichChildren`. */
  picture(): [string, unknown][] {
    return this.slots.map(({ plan, running }) => [
      plan.id,
      running instanceof ModelSupervisor ? running.picture() : running,
    ]);
  }
}
