// Nodes with very many links and monitors are lost while their owners go on: each link and monitor is heard of once, or was taken back.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Down, Exit, type Self } from '../../ts/actor/index.ts';
import { Pid, type Ref } from '../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';

const NODES = [256, 512];
const OWNERS = 3;
/** Actors of each node that are linked and monitored; a thousand fire at once. */
const MAX_EACH = 2200;

const owner = fc.nat({ max: OWNERS - 1 });
const node = fc.constantFrom(...NODES);
const at = fc.nat({ max: MAX_EACH - 1 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('link' as const, 'unlink', 'monitor'), owner, node, at }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('demonitor' as const), owner, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('up' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), owner }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** One owner, and what it may still hear. */
class Owner {
  readonly monitors: Ref[] = [];
  isAlive = true;
  #self: Self<unknown> | undefined;
  readonly #kit: TestRuntime;
  readonly #linked = new Set<string>();
  readonly #watching = new Set<number>();

  constructor(kit: TestRuntime) {
    this.#kit = kit;
    kit.runtime.spawnHandler((self: Self<unknown>) => {
      self.trapExit(true);
      this.#self = self;
      return { onMessage: (message) => this.#heard(message) };
    });
  }

  /** Once it has started. */
  get self(): Self<unknown> {
    return this.#self as Self<unknown>;
  }

  link(to: Pid): void {
    const wasLinked = this.#linked.has(to.key);
    if (wasLinked) this.#look();
    this.self.link(to);
    if (wasLinked) this.#look(); // the old link ends first when its node was lost and its turn had not come
    this.#linked.add(to.key);
  }

  unlink(to: Pid): void {
    this.self.unlink(to);
    this.#look(); // what lies in its mailbox stays there
    this.#linked.delete(to.key);
  }

  monitor(to: Pid): void {
    const ref = this.self.monitor(to);
    this.monitors.push(ref);
    this.#watching.add(ref.id);
  }

  demonitor(ref: Ref): void {
    const wasArmed = this.self.demonitor(ref);
    this.#look();
    expect(this.#watching.delete(ref.id)).toBe(wasArmed); // D7
  }

  kill(): void {
    this.#kit.runtime.sendExit(this.self.pid, 'kill');
    this.isAlive = false;
  }

  mustKnowAll(): void {
    if (this.isAlive) expect([this.#linked.size, this.#watching.size]).toEqual([0, 0]);
  }

  /** Takes note of what waits for its turn. */
  #look(): void {
    for (const message of this.#kit.runtime.mailboxOf(this.self.pid)) this.#noted(message);
  }

  readonly #seen = new WeakSet();
  #noted(message: unknown): void {
    if (this.#seen.has(message as object)) return;
    this.#seen.add(message as object);
    if (message instanceof Exit) expect(this.#linked.delete(message.from.key)).toBe(true);
    else if (message instanceof Down) expect(this.#watching.delete(message.ref.id)).toBe(true);
    else throw new Error(`an owner was sent ${String(message)}`);
  }

  #heard(message: unknown): void {
    expect(this.isAlive).toBe(true);
    this.#noted(message);
  }
}

async function take(step: Step, owners: readonly Owner[], kit: TestRuntime): Promise<void> {
  const { losses } = kit.runtime;
  if (step.do === 'turn') return nextTurn();
  if (step.do === 'lose') return void losses.begin(step.node, nameOf(step.node));
  if (step.do === 'up') return losses.endAll();
  const one = owners[step.owner] as Owner;
  if (!one.isAlive) return;
  if (step.do === 'kill') return one.kill();
  if (step.do === 'demonitor') {
    const ref = one.monitors[step.at % Math.max(1, one.monitors.length)];
    if (ref !== undefined) one.demonitor(ref);
    return;
  }
  one[step.do](new Pid(step.node, step.at + 1));
}

const nameOf = (nc: number): string => `n${nc}@host:1`;

it('L7, C12, D7 every tie to a lost node is heard of once, unless it was taken back before', async () => {
  const counts = fc.array(fc.nat({ max: MAX_EACH }), { minLength: OWNERS, maxLength: OWNERS });
  await checkAsync(
    fc.asyncProperty(counts, counts, fc.array(step, { maxLength: 60 }), async (links, monitors, steps) => {
      const kit = startTestRuntime();
      const silent = { link: () => {}, monitor: () => {}, unlink: () => {}, demonitor: () => {} };
      kit.runtime.remote = { ...kit.runtime.remote, ...silent };
      try {
        const owners = Array.from({ length: OWNERS }, () => new Owner(kit));
        await kit.settle();
        for (const [index, one] of owners.entries()) {
          for (let to = 0; to < (links[index] as number); to++)
            one.link(new Pid(NODES[to % 2] as number, to + 1));
          for (let to = 0; to < (monitors[index] as number); to++)
            one.monitor(new Pid(NODES[to % 2] as number, to + 1));
        }
        for (const next of steps) await take(next, owners, kit);
        kit.runtime.losses.endAll();
        for (const each of NODES) kit.runtime.losses.begin(each, nameOf(each));
        kit.runtime.losses.endAll();
        await kit.settle();
        for (const one of owners) one.mustKnowAll();
        expect([kit.runtime.links.remoteCount, kit.runtime.monitors.remoteCount]).toEqual([0, 0]);
      } finally {
        kit.stop();
      }
    }),
    { numRuns: 25 },
  );
});
