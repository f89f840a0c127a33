// Random joins, leaves, deaths, splits and rejoins with every event delivered in a random order; then all links heal and everything
// is delivered. Always:
//   - every node shows the same members, as often as they joined, and they are those that the owners know (R1, R2, R4)
//   - a group without members is nowhere (R3)
//   - the members a monitor began with, changed by the events it got, are the members there are (no gap, no double)
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { GroupJoin, GroupLeave, type Groups, startGroups } from '../../ts/groups/index.ts';
import type { Pid } from '../../ts/term/index.ts';
import { turns } from '../support/deadline.ts';
import { checkAsync, randomFrom } from '../support/seed.ts';
import { FakeMesh, type FakeNode } from '../unit/global/fake-mesh.ts';

/** Tables of lost nodes are removed, and those of this node sent, an entry in each turn of the event loop, so that everything can happen meanwhile. */
vi.mock('../../ts/peer/limits.ts', async (original) => ({
  ...(await original<object>()),
  ENTRIES_PER_STEP: 1,
  WRITTEN_PER_STEP: 1,
}));
vi.mock('../../ts/groups/limits.ts', async (original) => ({ ...(await original<object>()), PART: 1 }));

const GROUPS = ['g', 'h', 'i'];
const index = fc.nat({ max: 3 });
const group = fc.constantFrom(...GROUPS);
const member = fc.record({ a: index, actor: fc.nat({ max: 2 }), group });
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: member.map((of) => ({ kind: 'join' as const, ...of })) },
    { weight: 3, arbitrary: member.map((of) => ({ kind: 'leave' as const, ...of })) },
    { weight: 1, arbitrary: member.map((of) => ({ kind: 'kill' as const, ...of })) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), a: index, b: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('connect' as const), a: index, b: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), a: index }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('steps' as const), count: fc.nat({ max: 10 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat({ max: 3 }) }) },
  ),
  { maxLength: 60 },
);
type Step = typeof steps extends fc.Arbitrary<(infer T)[]> ? T : never;

/** What a monitor of one group made of what it got. */
interface Watch {
  readonly node: FakeNode;
  readonly group: string;
  readonly seen: Map<string, number>;
}

class Story {
  readonly mesh: FakeMesh;
  readonly groups: Groups[];
  readonly watches: Watch[] = [];
  readonly #actors: Pid<unknown>[][];

  constructor(random: () => number) {
    this.mesh = new FakeMesh(4, random);
    this.groups = this.mesh.nodes.map((node) => startGroups(node));
    this.#actors = this.mesh.nodes.map((node) => [node.actor(), node.actor(), node.actor()]);
    this.mesh.connectAll();
  }

  async play(step: Step): Promise<void> {
    const { mesh } = this;
    const node = mesh.nodes[('a' in step ? step.a : 0) as number] as FakeNode;
    if (step.kind === 'steps') for (let count = 0; count < step.count; count++) mesh.step();
    else if (step.kind === 'turns') await turns(step.count);
    else if (step.kind === 'restart') this.#restart(step.a);
    else if (step.kind === 'cut' || step.kind === 'connect') {
      if (step.a !== step.b) mesh[step.kind](node, mesh.nodes[step.b] as FakeNode);
    } else this.#change(step.kind, step.a, step.actor, step.group);
  }

  /** Starts a monitor on a node for each group. */
  watch(at: number): void {
    const node = this.mesh.nodes[at] as FakeNode;
    for (const name of GROUPS) {
      const seen = new Map<string, number>();
      const count = (pids: readonly Pid[], by: number): void => {
        for (const pid of pids) {
          const now = (seen.get(node.spelt(pid)) ?? 0) + by;
          if (now < 0) throw new Error(`${node.spelt(pid)} left ${name} and was not in it`);
          if (now === 0) seen.delete(node.spelt(pid));
          else seen.set(node.spelt(pid), now);
        }
      };
      const pid = node.runtime.spawnHandler(() => ({
        onMessage(message: unknown) {
          if (message instanceof GroupJoin) count(message.pids, 1);
          if (message instanceof GroupLeave) count(message.pids, -1);
        },
      }));
      count((this.groups[at] as Groups).monitor(name, pid).members, 1);
      this.watches.push({ node, group: name, seen });
    }
  }

  /** What a node shows, the same spelling everywhere. */
  shown(at: number): Record<string, string[]> {
    const node = this.mesh.nodes[at] as FakeNode;
    const groups = this.groups[at] as Groups;
    return Object.fromEntries(
      groups
        .which()
        .sort()
        .map((name) => [
          name,
          groups
            .members(name)
            .map((pid) => node.spelt(pid))
            .sort(),
        ]),
    );
  }

  /** What the owners know of their own. */
  owned(): Record<string, string[]> {
    const all: Record<string, string[]> = {};
    for (const name of GROUPS) {
      const members = this.groups.flatMap((each, at) =>
        each.localMembers(name).map((pid) => (this.mesh.nodes[at] as FakeNode).spelt(pid)),
      );
      if (members.length > 0) all[name] = members.sort();
    }
    return all;
  }

  #change(kind: 'join' | 'leave' | 'kill', at: number, actor: number, name: string): void {
    const [node, actors] = [this.mesh.nodes[at] as FakeNode, this.#actors[at] as Pid<unknown>[]];
    const pid = actors[actor] as Pid<unknown>;
    if (kind === 'join') this.groups[at]?.join(name, pid);
    else if (kind === 'leave') this.groups[at]?.leave(name, pid);
    else {
      node.runtime.sendExit(pid, 'kill');
      actors[actor] = node.actor();
    }
  }

  /** Its monitors end with it; those of other nodes hear of the leaves. */
  #restart(at: number): void {
    const node = this.mesh.nodes[at] as FakeNode;
    this.groups[at]?.close();
    this.groups[at] = startGroups(node);
    for (const watch of this.watches.filter((each) => each.node === node))
      this.watches.splice(this.watches.indexOf(watch), 1);
  }
}

it('R1, R2, R3, R4 all nodes end up with the same members, whatever happened', {
  timeout: 60_000,
}, async () => {
  await checkAsync(
    fc.asyncProperty(steps, fc.nat(), index, async (all, seed, watcher) => {
      const story = new Story(randomFrom(seed));
      try {
        story.watch(watcher);
        for (const [number, step] of all.entries()) {
          if (number === all.length >> 1) story.watch((watcher + 1) % 4);
          await story.play(step);
        }
        await story.mesh.settle();
        story.mesh.connectAll();
        await story.mesh.settle();
        for (const at of story.groups.keys()) expect(story.shown(at)).toEqual(story.owned());
        await turns(20); // the last entries of lost nodes are removed
        await story.mesh.settle();
        for (const at of story.groups.keys()) expect(story.shown(at)).toEqual(story.owned());
        for (const { group: name, seen } of story.watches) {
          const listed = [...seen].flatMap(([pid, count]) => new Array<string>(count).fill(pid)).sort();
          expect(listed).toEqual(story.owned()[name] ?? []);
        }
      } finally {
        story.mesh.stop();
      }
    }),
    { numRuns: 200 },
  );
});
