// Random claims, switches, unregistrations, deaths, crashes, splits, freezes and black holes, with every event delivered in a
// random order; then all is well again and everything is delivered. Always:
//   - every call is answered (Q1)
//   - all nodes show the same names, each with one living actor (Q1, Q5, Q7, Q10, Q13, Q14)
//   - an actor whose registration was answered with yes still has its name, unless it died, its node crashed, or
//     somebody freed or switched the name: a split alone takes no live name away (Q10)
//   - when the actor's node says yes, every node that is connected to it and was never frozen resolves the name (Q1); a
//     caller on another node hears of that yes later, and links may have been cut and connected again by then
//   - while no link is cut, of simultaneous claims exactly one is answered with yes (Q1), also when nodes are frozen, and
//     then within a bounded time
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../../ts/global/limits.ts';
import type { Pid } from '../../ts/term/index.ts';
import { checkAsync, randomFrom } from '../support/seed.ts';
import { FakeMesh, type FakeNode, handed } from '../unit/global/fake-mesh.ts';

const NAMES = ['v', 'w', 'x', 'y', 'z'];
/** A node that is asked when a round of the roll call has just begun has that and five more to answer. Unit: ms. */
const LONGEST_WAIT = (ANSWER_MS * 6) / 5;
const index = fc.nat({ max: 3 });
const name = fc.constantFrom(...NAMES);

const splits = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), a: index, b: index }),
  fc.record({ kind: fc.constant('connect' as const), a: index, b: index }),
  fc.record({ kind: fc.constant('crash' as const), a: index }),
);
const requests = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('register' as const), a: index, home: index, name }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reregister' as const), a: index, home: index, name }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unregister' as const), a: index, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), a: fc.nat({ max: 20 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('steps' as const), count: fc.nat({ max: 12 }) }) },
);
const freezes = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('freeze' as const), a: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('thaw' as const), a: index }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 2 * ANSWER_MS }) }),
  },
);
const holes = fc.oneof(
  fc.record({ kind: fc.constant('hold' as const), a: index, b: index }),
  fc.record({ kind: fc.constant('release' as const), a: index, b: index }),
);
/** The caller hears of a yes only after another link was cut and connected again. */
const LATE_ANSWERS: [number, number, (Step | Trouble)[]][] = [
  [
    4,
    0,
    [
      { kind: 'pass', ms: 1 },
      { kind: 'register', a: 3, home: 0, name: 'v' },
      { kind: 'freeze', a: 3 },
      { kind: 'pass', ms: 5501 },
      { kind: 'cut', a: 1, b: 0 },
    ],
  ],
];
type Step = typeof requests extends fc.Arbitrary<infer T> ? T : never;
type Trouble = typeof splits | typeof freezes | typeof holes extends fc.Arbitrary<infer T> ? T : never;

interface Registered {
  readonly name: string;
  readonly node: FakeNode;
  readonly pid: Pid<unknown>;
}

class Story {
  readonly mesh: FakeMesh;
  readonly yes: Registered[] = [];
  /** Names that somebody freed or switched: nobody can be sure of them. */
  readonly touched = new Set<string>();
  readonly faults: string[] = [];
  /** Names that somebody wanted to register. */
  readonly wanted = new Set<string>();
  /** Registrations that have not been answered: at which nodes, and whose actors they are for. */
  readonly open = new Map<Promise<boolean>, readonly [at: FakeNode, home: FakeNode]>();
  /** Nodes that were frozen, or not heard by another one: no yes waits for them. */
  readonly #unsure = new Set<FakeNode>();
  readonly #actors: Registered[] = [];
  /** Names that one node asked another one to give to an actor there. */
  readonly #asks = new Map<string, Registered>();
  readonly #answers: Promise<void>[] = [];

  constructor(size: number, random: () => number) {
    this.mesh = new FakeMesh(size, random, {});
    this.mesh.onSend = (from, to, value) => this.#sent(from, to, value as readonly unknown[]);
    this.mesh.connectAll();
  }

  async play(step: Step | Trouble): Promise<void> {
    const { mesh } = this;
    const node = (number: number): FakeNode => mesh.nodes[number % mesh.nodes.length] as FakeNode;
    switch (step.kind) {
      case 'steps':
        for (let count = 0; count < step.count; count++) {
          mesh.step();
          await handed();
        }
        return;
      case 'pass':
        return mesh.pass(step.ms);
      case 'freeze':
        this.#unsure.add(node(step.a));
        return mesh.freeze(node(step.a));
      case 'thaw':
        return mesh.thaw(node(step.a));
      case 'register':
      case 'reregister':
        if (node(step.a).isFrozen || node(step.home).isFrozen) return;
        return this.#register(step.kind, step.name, node(step.a), node(step.home));
      case 'unregister':
        if (node(step.a).isFrozen) return;
        this.touched.add(step.name);
        this.#answers.push(
          node(step.a)
            .names.unregister(step.name)
            .then(() => {}),
        );
        return;
      case 'kill': {
        const actor = this.#actors[step.a];
        if (actor?.node.isFrozen === false) actor.node.runtime.sendExit(actor.pid, 'kill');
        return;
      }
      case 'crash':
        return this.#crash(node(step.a));
      default:
        if (step.kind === 'hold') this.#unsure.add(node(step.a)).add(node(step.b));
        if (node(step.a) !== node(step.b)) mesh[step.kind](node(step.a), node(step.b));
    }
  }

  async end(): Promise<void> {
    await this.mesh.settle();
    for (const node of this.mesh.nodes) {
      this.mesh.thaw(node);
      for (const other of this.mesh.nodes) if (other !== node) this.mesh.release(node, other);
    }
    this.mesh.connectAll();
    await this.mesh.settle();
    await this.mesh.settle();
    await Promise.race([
      Promise.all(this.#answers),
      this.mesh.settle().then(() => Promise.reject(new Error('a call was not answered'))),
    ]);
  }

  #register(kind: 'register' | 'reregister', wanted: string, at: FakeNode, home: FakeNode): void {
    const pid = home.actor();
    if (kind === 'reregister') this.touched.add(wanted);
    this.#actors.push({ name: wanted, node: home, pid });
    const answer = at.names[kind](wanted, at.pid(pid, home));
    this.wanted.add(wanted);
    this.open.set(answer, [at, home]);
    this.#answers.push(
      answer.then((isYes) => {
        this.open.delete(answer);
        if (!isYes) return;
        this.yes.push({ name: wanted, node: home, pid });
        if (at === home) this.#checkYes(wanted, home, pid);
      }),
    );
  }

  /** A node that was asked for a name of its actor says yes when it sends the answer. */
  #sent(from: FakeNode, to: FakeNode, message: readonly unknown[]): void {
    const key = (asker: FakeNode, asked: FakeNode): string => `${asker.name} ${asked.name} ${message[1]}`;
    if (message[0] === 'ask' && message[2] !== 'unregister')
      this.#asks.set(key(from, to), {
        name: message[3] as string,
        node: to,
        pid: to.pid(message[4] as Pid<never>, from) as Pid<unknown>,
      });
    const asked = message[0] === 'answer' && message[2] === 'yes' ? this.#asks.get(key(to, from)) : undefined;
    if (asked !== undefined) this.#checkYes(asked.name, asked.node, asked.pid);
  }

  #checkYes(wanted: string, home: FakeNode, pid: Pid<unknown>): void {
    if (!home.runtime.isAlive(pid) || this.touched.has(wanted) || this.#unsure.has(home)) return;
    for (const node of home.peers.keys()) {
      if (!this.#unsure.has(node) && node.peers.has(home) && node.seen(wanted) === undefined)
        this.faults.push(`${node.name} does not resolve ${wanted} of ${home.name}`);
    }
  }

  #crash(node: FakeNode): void {
    this.mesh.crash(node);
    node.names.close();
    for (const { node: home, pid } of this.#actors) if (home === node) node.runtime.sendExit(pid, 'kill');
    node.start({});
  }

  /** What each node shows, in one spelling. */
  shown(): string[] {
    return this.mesh.nodes.map((node) =>
      JSON.stringify(NAMES.map((wanted) => [wanted, node.seen(wanted) ?? null])),
    );
  }

  check(): void {
    expect(this.faults).toEqual([]);
    expect(new Set(this.shown()).size, this.shown().join('\n')).toBe(1);
    for (const node of this.mesh.nodes)
      for (const wanted of node.names.names()) {
        const pid = node.names.whereis<unknown>(wanted) as Pid<unknown>;
        if (pid.isLocal) expect(node.runtime.isAlive(pid), `${wanted} at ${node.name}`).toBe(true);
      }
    for (const { name: wanted, node, pid } of this.yes) {
      if (this.touched.has(wanted) || !node.runtime.isAlive(pid)) continue;
      expect(node.seen(wanted), `${wanted} of ${node.name}`).toBe(node.spelt(pid));
    }
  }
}

/** A story from its begin to its end, and then everybody has to agree. */
async function playOut(size: number, start: number, steps: readonly (Step | Trouble)[]): Promise<void> {
  const story = new Story(size, randomFrom(start));
  try {
    for (const step of steps) await story.play(step);
    await story.end();
    story.check();
  } finally {
    story.mesh.stop();
  }
}

describe('global names under random events', () => {
  it('Q1, Q5-Q14 agree everywhere after a heal, and lose no living owner', async () => {
    await checkAsync(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer(),
        fc.array(fc.oneof({ weight: 4, arbitrary: requests }, { weight: 1, arbitrary: splits }), {
          maxLength: 60,
        }),
        (size, start, steps) => playOut(size, start, steps as (Step | Trouble)[]),
      ),
      { numRuns: 400 },
    );
  });

  it('Q1 answers yes once a name while all are connected', async () => {
    await checkAsync(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer(),
        fc.array(fc.record({ a: index, home: index, name, steps: fc.nat({ max: 10 }) }), { maxLength: 30 }),
        async (size, start, claims) => {
          const story = new Story(size, randomFrom(start));
          // All have heard that they are connected; that they have global names, they have yet to tell each other.
          const { nodes } = story.mesh;
          for (const from of nodes) for (const to of nodes) if (from !== to) story.mesh.deliver(from, to);
          try {
            for (const { steps, ...claim } of claims) {
              await story.play({ kind: 'register', ...claim });
              await story.play({ kind: 'steps', count: steps });
            }
            await story.end();
            story.check();
            for (const one of NAMES) {
              const yes = story.yes.filter((each) => each.name === one).length;
              expect(yes, one).toBe(story.wanted.has(one) ? 1 : 0);
            }
          } finally {
            story.mesh.stop();
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('Q1, Q7 agree everywhere after freezes and black holes', async () => {
    await checkAsync(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer(),
        fc.array(
          fc.oneof(
            { weight: 8, arbitrary: requests },
            { weight: 3, arbitrary: freezes },
            { weight: 1, arbitrary: holes },
            { weight: 1, arbitrary: splits },
          ),
          { maxLength: 60 },
        ),
        (size, start, steps) => playOut(size, start, steps as (Step | Trouble)[]),
      ),
      { numRuns: 300, examples: LATE_ANSWERS },
    );
  });

  it('Q1 answers yes once a name, and in time, while some are frozen', async () => {
    await checkAsync(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer(),
        fc.array(
          fc.oneof(
            {
              weight: 6,
              arbitrary: fc.record({ kind: fc.constant('register' as const), a: index, home: index, name }),
            },
            {
              weight: 4,
              arbitrary: fc.record({ kind: fc.constant('steps' as const), count: fc.nat({ max: 12 }) }),
            },
            { weight: 3, arbitrary: freezes },
          ),
          { maxLength: 40 },
        ),
        async (size, start, steps) => {
          const story = new Story(size, randomFrom(start));
          const { mesh } = story;
          await mesh.settle();
          try {
            for (const step of steps) await story.play(step);
            // Whatever is frozen now: who is not has its answer after a while.
            await mesh.pass(LONGEST_WAIT);
            for (const nodes of story.open.values())
              expect(nodes.some(({ isFrozen }) => isFrozen)).toBe(true);
            await story.end();
            story.check();
            for (const one of NAMES) {
              const yes = story.yes.filter((each) => each.name === one).length;
              expect(yes, one).toBe(story.wanted.has(one) ? 1 : 0);
            }
          } finally {
            mesh.stop();
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
