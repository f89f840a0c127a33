// Random claims, switches, unregistrations, deaths, crashes, splits, freezes and black holes, with every event delivered in a
// random order; then all is well again and everything is delivered. Always:
//   - every call is answered (Q1)
//   - all nodes show the same names, each with one living actor (Q1, Q5, Q7, Q10, Q13, Q14)
//   - an actor whose registration was answered with yes still has its name, unless it died, its node crashed, or
//     somebody freed or switched the name: a split alone takes no live name away (Q10)
//   - when the actor's node says yes, every node that is connected to it and was never frozen resolves the name (Q1); a
//     caller on another node hears of that yes later, and links may have been cut and connected again by then
//   - an actor is told that it lost a name, or killed for it, unless a switch took the name from it; then it is not (Q4, Q7)
//   - while no link is cut, of simultaneous claims exactly one is answered with yes (Q1), also when nodes are frozen, and
//     then within a bounded time
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ANSWER_MS, MAX_ASKED_AGAIN, MAX_PAUSE_MS } from '../../ts/global/limits.ts';
import type { Pid } from '../../ts/term/index.ts';
import { turns } from '../support/deadline.ts';
import { checkAsync, randomFrom } from '../support/seed.ts';
import { FakeMesh, type FakeNode, handed } from '../unit/global/fake-mesh.ts';

/** Tables of lost nodes are removed, and those of this node sent, an entry in each turn of the event loop, so that everything can happen meanwhile. */
vi.mock('../../ts/peer/limits.ts', async (original) => ({
  ...(await original<object>()),
  ENTRIES_PER_STEP: 1,
  WRITTEN_PER_STEP: 1,
}));
vi.mock('../../ts/global/limits.ts', async (original) => ({ ...(await original<object>()), PART: 1 }));

const NAMES = ['v', 'w', 'x', 'y', 'z'];
/** A node that is asked when a round of pings has just begun has that and five more to answer. Unit: ms. */
const LONGEST_WAIT = (ANSWER_MS * 6) / 5;
/** All the pauses before a voter is asked again for the last time, rounded up. */
const ASKED_AGAIN_MS = MAX_ASKED_AGAIN * MAX_PAUSE_MS;
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat({ max: 3 }) }) },
);
const freezes = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('freeze' as const), a: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('thaw' as const), a: index }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 2 * ANSWER_MS }) }),
  },
);
/**
 * Switches of one name between three nodes that lose each other, and deaths of those that have just got it. Often all that
 * follows from a step is delivered before the next: else a cut hits a node that does not know yet what it is about.
 */
const switches = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: index.map((a) => ({ kind: 'reregister' as const, a, home: a, name: 'v' })) },
    { weight: 1, arbitrary: index.map((a) => ({ kind: 'register' as const, a, home: a, name: 'v' })) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('reregister' as const),
        a: index,
        home: index,
        name: fc.constant('v'),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'killLast' as const }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), a: index, b: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('connect' as const), a: index, b: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold' as const), a: index, b: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), a: index }) },
  ),
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('steps' as const), count: fc.nat({ max: 20 }) }) },
  ),
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
/** One node does not hear of a switch, and the new owner dies: the third node must not forget the old one. */
const UNHEARD_SWITCHES: [number, SwitchStep[]][] = [
  [
    0,
    [
      [{ kind: 'reregister', a: 1, home: 1, name: 'v' }, { kind: 'settle' }],
      [{ kind: 'cut', a: 0, b: 1 }, { kind: 'settle' }],
      [{ kind: 'reregister', a: 0, home: 0, name: 'v' }, { kind: 'settle' }],
      [{ kind: 'killLast' }, { kind: 'settle' }],
    ],
  ],
  [
    0,
    [
      [{ kind: 'reregister', a: 1, home: 1, name: 'v' }, { kind: 'settle' }],
      [
        { kind: 'reregister', a: 0, home: 0, name: 'v' },
        { kind: 'steps', count: 0 },
      ],
      [{ kind: 'cut', a: 0, b: 1 }, { kind: 'settle' }],
      [{ kind: 'killLast' }, { kind: 'settle' }],
    ],
  ],
];
type SwitchStep = Of<typeof switches>;
type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Step = Of<typeof requests>;
type Trouble = Of<typeof splits> | Of<typeof freezes> | Of<typeof holes> | Of<typeof switches>[number];

interface Registered {
  readonly name: string;
  readonly node: FakeNode;
  readonly pid: Pid<unknown>;
  readonly kind: 'register' | 'reregister';
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
  /** Claims that switch a name, by claimant and number: the actors from which they take it, as their voters see it. */
  readonly #switches = new Map<string, { readonly name: string; readonly from: Set<string> }>();
  /** The actors that a voter knew under the name when it voted, by claim and voter. */
  readonly #voted = new Map<string, readonly string[]>();
  /** Actors from which a switch took the name, by the actor that has it from then on. */
  readonly #switched = new Map<string, ReadonlySet<string>>();
  /** Names that somebody freed. */
  readonly #freed = new Set<string>();
  readonly #answers: Promise<unknown>[] = [];

  constructor(size: number, random: () => number) {
    this.mesh = new FakeMesh(size, random, {});
    this.mesh.onSend = (from, to, value) => this.#sent(from, to, value as readonly unknown[]);
    this.mesh.onDeliver = (from, to, value) => this.#delivered(from, to, value as readonly unknown[]);
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
      case 'turns':
        return turns(step.count);
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
        this.#freed.add(step.name);
        this.#answers.push(Promise.allSettled([node(step.a).names.unregister(step.name)]));
        return;
      case 'settle':
        return mesh.settle();
      case 'kill':
      case 'killLast': {
        const actor = step.kind === 'kill' ? this.#actors[step.a] : this.#actors.at(-1);
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
    // A voter that refused a name is asked again after pauses.
    await this.mesh.pass(ASKED_AGAIN_MS);
    await Promise.race([
      Promise.all(this.#answers),
      this.mesh.settle().then(() => Promise.reject(new Error('a call was not answered'))),
    ]);
  }

  #register(kind: 'register' | 'reregister', wanted: string, at: FakeNode, home: FakeNode): void {
    const pid = home.actor();
    if (kind === 'reregister') this.touched.add(wanted);
    this.#actors.push({ name: wanted, node: home, pid, kind });
    // Its yes is told in a later turn: a node that connects meanwhile is not one that it was given for.
    const isAlone = home.peers.size === 0;
    // A crash of the node that asked ends its calls with an error.
    const answer = at.names[kind](wanted, at.pid(pid, home)).catch(() => false);
    this.wanted.add(wanted);
    this.open.set(answer, [at, home]);
    this.#answers.push(
      answer.then((isYes) => {
        this.open.delete(answer);
        if (!isYes) return;
        this.yes.push({ name: wanted, node: home, pid, kind });
        if (at === home && !isAlone) this.#checkYes(wanted, home, pid);
      }),
    );
  }

  /** Follows what the nodes agree on: who is asked for which name, and from whom a switch takes it. */
  #sent(from: FakeNode, to: FakeNode, message: readonly unknown[]): void {
    const [kind, id] = message;
    const key = (claimant: FakeNode): string => `${claimant.number} ${id}`;
    const pid = (value: unknown, node: FakeNode): Pid<unknown> =>
      node.pid(value as Pid<never>, from) as Pid<unknown>;
    switch (kind) {
      case 'ask': {
        const asked = { name: message[3] as string, node: to, pid: pid(message[4], to) };
        if (message[2] === 'register' || message[2] === 'reregister')
          this.#asks.set(`${key(from)} ${to.number}`, { ...asked, kind: message[2] });
        return;
      }
      case 'answer': {
        const asked = message[2] === 'yes' ? this.#asks.get(`${key(to)} ${from.number}`) : undefined;
        if (asked !== undefined) this.#checkYes(asked.name, asked.node, asked.pid);
        return;
      }
      case 'claim':
        if (message[4] === true && !this.#switches.has(key(from)))
          this.#switches.set(key(from), { name: message[2] as string, from: new Set() });
        return;
      case 'vote': {
        if (message[2] !== 'yes') return;
        const known = (message[4] as [unknown, number][]).map(([each]) => from.spelt(pid(each, from)));
        const shown = from.seen(this.#switches.get(key(to))?.name ?? '') ?? '';
        return void this.#voted.set(`${key(to)} ${from.number}`, [...known, shown]);
      }
      case 'commit': {
        const claim = this.#switches.get(key(from));
        const [seen, winner] = [from.seen(message[2] as string), from.spelt(pid(message[3], from))];
        // A later peer is told when the new owner shows its own entry already.
        if (seen !== undefined && seen !== winner) claim?.from.add(seen);
        if (claim !== undefined) this.#switched.set(winner, claim.from);
        return;
      }
      case 'lost': {
        const [loser, winner] = [from.spelt(pid(message[2], from)), message[4]];
        if (winner !== null && this.#switched.get(from.spelt(pid(winner, from)))?.has(loser))
          this.faults.push(`${loser} is told that it lost ${message[1]}, which a switch took from it`);
      }
    }
  }

  /** What a voter saw when it voted counts once the claimant has the vote. */
  #delivered(from: FakeNode, to: FakeNode, [kind, id, verdict]: readonly unknown[]): void {
    const claim = kind === 'vote' && verdict === 'yes' ? this.#switches.get(`${to.number} ${id}`) : undefined;
    for (const entry of this.#voted.get(`${to.number} ${id} ${from.number}`) ?? []) claim?.from.add(entry);
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
    for (const actor of this.yes) this.#checkLoss(actor);
  }

  /** An actor that lives and has lost its name lost it to a switch: in a conflict it would have been killed. */
  #checkLoss({ name: wanted, node, pid }: Registered): void {
    const own = node.spelt(pid);
    if (this.#freed.has(wanted) || !node.runtime.isAlive(pid) || node.seen(wanted) === own) return;
    const isSwitched =
      [...this.#switched.values()].some((from) => from.has(own)) ||
      // Between actors of one node no vote tells of it, and nobody may be left to hear the yes.
      this.#actors.some(
        (other) => other.name === wanted && other.node === node && other.kind === 'reregister',
      );
    if (!isSwitched) this.faults.push(`${own} lost ${wanted} without a word`);
    expect(this.faults).toEqual([]);
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

  it('Q4, Q7 agree everywhere after switches that some did not hear of', async () => {
    await checkAsync(
      fc.asyncProperty(fc.integer(), fc.array(switches, { maxLength: 12 }), (start, steps) =>
        playOut(3, start, steps.flat()),
      ),
      { numRuns: 400, examples: UNHEARD_SWITCHES },
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
