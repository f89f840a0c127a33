// Random trees of supervisors, random ends of their workers, random requests: the real tree and a plain model must
// agree, after every step, on
//   - which workers were started and stopped, in which order (J1, J2, J11-J15)
//   - which children are listed, in which order, and which of them run (J4, J13, J20-J22)
//   - who gave up, and what came of it further up (J5-J9, J14, J25)
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Self } from '../../ts/actor/index.ts';
import { cast, defineServer } from '../../ts/behaviour/index.ts';
import {
  type ChildSpec,
  childSpec,
  defineSupervisor,
  deleteChild,
  restartChild,
  startChild,
  terminateChild,
  whichChildren,
} from '../../ts/supervisor/index.ts';
import type { Pid } from '../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';
import { Model, type ModelSupervisor, PERIOD, type Plan, type SupervisorPlan } from './supervisor-model.ts';

const restart = fc.constantFrom('permanent', 'transient', 'temporary' as const);
const strategy = fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one' as const);

/** Trees without ids; `numbered` gives each node its own. */
interface BareWorker {
  readonly kind: 'worker';
  readonly restart: Plan['restart'];
}
interface BareSupervisor {
  readonly kind: 'supervisor';
  readonly restart: Plan['restart'];
  readonly strategy: SupervisorPlan['strategy'];
  readonly intensity: number;
  readonly children: readonly Bare[];
}
type Bare = BareWorker | BareSupervisor;

function tree(depth: number): fc.Arbitrary<Bare> {
  const worker = fc.record({ kind: fc.constant('worker' as const), restart });
  if (depth === 0) return worker;
  return fc.oneof<fc.WeightedArbitrary<Bare>[]>(
    { weight: 3, arbitrary: worker },
    { weight: 1, arbitrary: supervisor(depth) },
  );
}

function supervisor(depth: number): fc.Arbitrary<BareSupervisor> {
  return fc.record({
    kind: fc.constant('supervisor' as const),
    restart,
    strategy,
    intensity: fc.integer({ min: 0, max: 4 }),
    children: fc.array(tree(depth - 1), { minLength: 1, maxLength: 4 }),
  });
}

function numbered(bare: BareSupervisor): SupervisorPlan {
  let count = 0;
  const number = (one: Bare): Plan =>
    one.kind === 'worker'
      ? { ...one, id: `w${count++}` }
      : { ...one, id: `s${count++}`, children: one.children.map(number) };
  return number(bare) as SupervisorPlan;
}

/** A worker ends by itself; `failing` of its next starts fail. */
interface End {
  readonly do: 'end';
  readonly which: number;
  readonly reason: string;
  readonly failing: number;
}
interface Request {
  readonly do: 'terminate' | 'restart' | 'delete' | 'add';
  readonly which: number;
  readonly child: number;
  readonly restart: Plan['restart'];
}
type Step = End | Request | { readonly do: 'wait'; readonly ms: number };

const end: fc.Arbitrary<End> = fc.record({
  do: fc.constant('end' as const),
  which: fc.nat({ max: 20 }),
  reason: fc.constantFrom('normal', 'shutdown', 'boom', 'crash'),
  failing: fc.constantFrom(0, 0, 0, 1, 2, 3),
});
const request: fc.Arbitrary<Request> = fc.record({
  do: fc.constantFrom('terminate', 'restart', 'delete', 'add' as const),
  which: fc.nat({ max: 20 }),
  child: fc.nat({ max: 20 }),
  restart,
});
const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, PERIOD, PERIOD + 1) });
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 6, arbitrary: end },
  { weight: 3, arbitrary: request },
  { weight: 2, arbitrary: wait },
);

/** The real tree beside the model. */
class Pair {
  private readonly kit: TestRuntime;
  private readonly model: Model;
  private readonly log: string[] = [];
  private readonly failing = new Map<string, number>();
  private root: Pid | undefined;
  private added = 0;

  constructor(kit: TestRuntime, plan: SupervisorPlan) {
    this.kit = kit;
    this.model = new Model(plan);
  }

  private readonly worker = defineServer({
    name: 'worker',
    init: (self: Self, id: string) => {
      self.trapExit(true);
      this.log.push(`+${id}`);
      const left = this.failing.get(id) ?? 0;
      if (left === 0) return { id };
      this.failing.set(id, left - 1);
      throw new Error('fails to start');
    },
    casts: { end: ({ stop }, why: string) => stop(why) },
    terminate: ({ state }) => void this.log.push(`-${state.id}`),
  });

  private childOf(plan: Plan): ChildSpec {
    return plan.kind === 'worker'
      ? childSpec(plan.id, this.worker, { args: [plan.id], restart: plan.restart })
      : childSpec(plan.id, this.specOf(plan), { restart: plan.restart });
  }

  private specOf({ id, children, strategy: how, intensity }: SupervisorPlan) {
    const specs = children.map((child) => this.childOf(child));
    return defineSupervisor({ name: id, strategy: how, intensity, period: PERIOD, children: specs });
  }

  async boot(plan: SupervisorPlan): Promise<void> {
    this.root = await this.specOf(plan).start(this.kit);
    await this.agree('boot');
  }

  async take(one: Step): Promise<void> {
    if (one.do === 'wait') {
      this.model.now += one.ms;
      await this.kit.advance(one.ms);
      return;
    }
    const supervisors = this.model.supervisors();
    const chosen = supervisors[one.which % Math.max(1, supervisors.length)];
    if (chosen === undefined) return;
    const pid = await this.find(chosen.plan.id);
    if (one.do === 'end') await this.end(chosen, pid, one);
    else await this.request(chosen, pid, one);
    await this.kit.settle();
    await this.agree(JSON.stringify(one));
  }

  private async end(chosen: ModelSupervisor, pid: Pid, one: End): Promise<void> {
    const workers = chosen.workers();
    const slot = workers[one.which % Math.max(1, workers.length)];
    if (slot === undefined) return;
    const { id } = slot.plan;
    this.model.failures.set(id, one.failing);
    this.failing.set(id, one.failing);
    const child = (await whichChildren(this.kit, pid)).find((info) => info.id === id)?.pid as Pid;
    cast(this.kit, child as never, 'end' as never, one.reason as never);
    await this.kit.settle();
    this.model.log.push(`-${id}`);
    chosen.ended(slot, one.reason === 'normal' || one.reason === 'shutdown');
    // Starts that fail are the business of this step only.
    this.model.failures.delete(id);
    this.failing.delete(id);
  }

  private async request(chosen: ModelSupervisor, pid: Pid, one: Request): Promise<void> {
    const { kit, model } = this;
    const slot = chosen.slots[one.child % Math.max(1, chosen.slots.length)];
    const id = slot?.plan.id ?? 'nobody';
    switch (one.do) {
      case 'add': {
        const plan: Plan = { kind: 'worker', id: `added${this.added++}`, restart: one.restart };
        chosen.slots.push({ plan, running: model.start(plan, chosen) });
        expect(await startChild(kit, pid, this.childOf(plan))).toMatchObject({ ok: true });
        return;
      }
      case 'terminate':
        expect(await terminateChild(kit, pid, id)).toBe(slot === undefined ? 'not_found' : 'ok');
        if (slot === undefined) return;
        chosen.stop(slot);
        if (slot.plan.restart === 'temporary') chosen.remove(slot);
        return;
      case 'delete': {
        const wanted = slot === undefined ? 'not_found' : slot.running === undefined ? 'ok' : 'running';
        expect(await deleteChild(kit, pid, id)).toBe(wanted);
        if (slot !== undefined && wanted === 'ok') chosen.remove(slot);
        return;
      }
      case 'restart': {
        const result = await restartChild(kit, pid, id);
        if (slot === undefined) expect(result).toEqual({ ok: false, error: 'not_found' });
        else if (slot.running !== undefined) expect(result).toEqual({ ok: false, error: 'running' });
        else {
          expect(result).toMatchObject({ ok: true });
          slot.running = model.start(slot.plan, chosen);
        }
      }
    }
  }

  /** The PID of a supervisor by its id, looked up from the root. */
  private async find(id: string): Promise<Pid> {
    if (this.model.root?.plan.id === id) return this.root as Pid;
    const search = async (pid: Pid): Promise<Pid | undefined> => {
      for (const child of await whichChildren(this.kit, pid)) {
        if (child.type !== 'supervisor' || typeof child.pid !== 'object') continue;
        const found = child.id === id ? child.pid : await search(child.pid);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return (await search(this.root as Pid)) as Pid;
  }

  private async agree(after: string): Promise<void> {
    expect({ after, log: this.log.splice(0) }).toEqual({ after, log: this.model.log.splice(0) });
    const { root } = this.model;
    if (root === undefined) {
      expect([after, this.kit.runtime.size]).toEqual([after, 0]);
      return;
    }
    const picture = async (pid: Pid): Promise<unknown> => {
      const children = await whichChildren(this.kit, pid);
      const lines = children.map(async ({ id, pid: child, type }) => {
        if (child === undefined) return [id, undefined];
        return [id, type === 'worker' ? 'worker' : await picture(child as Pid)];
      });
      return Promise.all(lines);
    };
    expect({ after, picture: await picture(this.root as Pid) }).toEqual({ after, picture: root.picture() });
  }
}

describe('trees of supervisors', () => {
  it('do what the model does, whatever ends and whoever asks', async () => {
    await checkAsync(
      fc.asyncProperty(supervisor(3), fc.array(step, { maxLength: 30 }), async (bare, steps) => {
        const kit = startTestRuntime();
        try {
          const plan = numbered(bare);
          const pair = new Pair(kit, plan);
          await pair.boot(plan);
          for (const one of steps) await pair.take(one);
        } finally {
          kit.stop();
        }
      }),
      { numRuns: 150 },
    );
  });
});
