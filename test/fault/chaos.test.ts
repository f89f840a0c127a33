// Nodes that are killed, frozen, cut off and slowed down at random while they do everything at once; what the rules
// promise is checked all along, and again when all is well. SNOWMESH_CHAOS_ROUNDS says how often each kind of trouble is made.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, startBehind } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';
import type { Proxy } from '../support/proxy.ts';
import { isPortOf } from '../support/socket-owner.ts';
import type { Workload } from './workload.ts';

const ROUNDS = Number(process.env['SNOWMESH_CHAOS_ROUNDS'] ?? 1);
const NODES = 4;
const OPTIONS = { mesh: 'full', tickMs: 200, downMs: 1000, handshakeMs: 3000 } as const;
/** How much the heap of a node may grow between the first third and the end, in bytes: what the collector leaves. */
const HEAP_GROWTH = 4_000_000;

interface Place {
  readonly local: string;
  readonly proxy: Proxy;
  name: string;
  node: ClusterNode;
}

let cluster: Cluster;
let places: Place[];
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const faults: string[] = [];
const story: string[] = [];

beforeEach(async () => {
  cluster = new Cluster();
  faults.length = 0;
  story.length = 0;
  places = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const local = `n${index}`;
      const { node, proxy } = await cluster.behindProxy({ name: local, ...OPTIONS });
      return { local, proxy, node, name: node.name };
    }),
  );
});
afterEach(() => cluster.stop());

const pick = <T>(all: readonly T[]): T => all[Math.floor(cluster.random() * all.length)] as T;
const pause = (least: number, most: number): Promise<void> =>
  sleep(least + cluster.random() * (most - least));

const everywhere = <T>(step: (bench: Workbench) => T | Promise<T>): Promise<Awaited<T>[]> =>
  Promise.all(places.map(({ node }) => node.run(step)));

/** Gives a node its workload, and a first peer. */
async function employ({ node }: Place): Promise<void> {
  await node.run(
    async (bench, nodes, seed) => {
      const { startWorkload } = (await bench.load('../fault/workload')) as typeof import('./workload.ts');
      bench.box['work'] = startWorkload(bench, { nodes, seed });
      for (const peer of nodes) void bench.node.connect(peer);
    },
    places.map(({ name }) => name),
    Math.floor(cluster.random() * 2 ** 31),
  );
}

/** Collects what went wrong so far on a node that can answer. */
async function inspect({ node, local }: Place): Promise<void> {
  const found = await node.run((bench) => {
    const { faults: own } = bench.box['work'] as Workload;
    const failures = bench
      .seen('log')
      .filter(([, level]) => level === 'error')
      .slice(0, 10)
      .map((entry) => JSON.stringify(entry).slice(0, 1000));
    bench.events.length = 0;
    return [...own.splice(0), ...failures];
  });
  faults.push(...found);
  if (node.output() !== '') faults.push(`${local} wrote: ${node.output().slice(-2000)}`);
}

/** What can happen. Each takes a while, and leaves everything as it was before. */
const TROUBLES: Record<string, () => Promise<void>> = {
  async kill() {
    const place = pick(places.slice(1)); // the first one lives long, so that its memory can be compared
    await inspect(place);
    await place.node.kill();
    await pause(0, 500);
    place.node = await cluster.process();
    await startBehind(place.node, place.proxy, { name: place.local, ...OPTIONS });
    await employ(place);
  },
  async freeze() {
    const { node } = pick(places);
    node.freeze();
    await pause(50, 3000);
    node.thaw();
  },
  async cut() {
    for (const { proxy } of places) if (cluster.random() < 0.5) proxy.cut();
  },
  /** Who of these can be reached only by the others, or by nobody when it hits all. */
  async partition() {
    const some = cluster.random() < 0.3 ? places : places.filter(() => cluster.random() < 0.6);
    for (const { proxy } of some) proxy.partition();
    await pause(100, 2500);
    for (const { proxy } of some) proxy.heal();
  },
  /** Two see two: each half is whole, and hears nothing of the other one. */
  async halves() {
    const [first, ...rest] = places as [Place, ...Place[]];
    const second = pick(rest);
    const halves = [[first, second], rest.filter((place) => place !== second)] as const;
    await keepApart(...halves);
    await untilAgreed('each half sees itself only', seesWhom, (all) =>
      all.every((seen) => halves.some((half) => same(seen, namesOf(half)))),
    );
    await pause(500, 3000);
    for (const { proxy } of places) proxy.heal();
    await untilAgreed('every node sees all others again (L1)', seesWhom, (all) =>
      all.every((seen) => same(seen, namesOf(places))),
    );
  },
  async blackhole() {
    const { proxy } = pick(places);
    proxy.blackhole();
    await pause(100, 3000);
    proxy.heal();
  },
  async delay() {
    const { proxy } = pick(places);
    proxy.delay(1 + Math.floor(cluster.random() * 60));
    await pause(100, 1500);
    proxy.delay(0);
  },
  async disconnect() {
    const [from, to] = [pick(places), pick(places)];
    await from.node.run((bench, peer) => bench.node.disconnect(peer), to.name);
    await from.node.run((bench, peer) => void bench.node.connect(peer), to.name);
  },
};

/** Lets connections be within each half only: whoever dials is told by its process. */
async function keepApart(...halves: readonly (readonly Place[])[]): Promise<void> {
  for (const half of halves) {
    const own = half.map(({ node }) => node.child.pid);
    for (const { proxy } of half) await proxy.admitOnly((port) => isPortOf(own, port));
  }
}

const seesWhom = (bench: Workbench): string[] => [...bench.node.nodes(), bench.node.name].sort();
const namesOf = (some: readonly Place[]): string[] => some.map(({ name }) => name).sort();

/** All kinds of trouble in some order, then all in another one. */
function* troubles(): Generator<string> {
  for (let round = 0; round < ROUNDS; round++) {
    const left = Object.keys(TROUBLES).filter((kind) => kind !== 'halves' || process.platform === 'linux');
    while (left.length > 0) yield left.splice(Math.floor(cluster.random() * left.length), 1)[0] as string;
  }
}

/** Bytes in use at the node that is never killed. */
const heap = (): Promise<number> =>
  (places[0] as Place).node.run(async (bench) => {
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await bench.turns(2);
    }
    return process.memoryUsage().heapUsed;
  });

async function makeTrouble(): Promise<number> {
  const kinds = [...troubles()];
  let firstThird: number | undefined;
  for (const [index, kind] of kinds.entries()) {
    if (faults.length > 0) break;
    story.push(`${index}: ${kind}`);
    await TROUBLES[kind]?.();
    await pause(50, 900);
    await Promise.all(places.map(inspect));
    if (index >= kinds.length / 3) firstThird ??= await heap();
  }
  return firstThird ?? heap();
}

/** Waits until all nodes say what they have to; what they said last stands in the failure. */
async function untilAgreed<T>(
  what: string,
  step: (bench: Workbench) => T | Promise<T>,
  isGood: (all: Awaited<T>[]) => boolean,
): Promise<void> {
  let last: Awaited<T>[] | undefined;
  try {
    await until(what, async () => isGood((last = await everywhere(step))), 60_000);
  } catch (error) {
    await Promise.all(places.map(inspect));
    const told = [...faults, ...story, JSON.stringify(last)].join('\n');
    throw new Error(`${(error as Error).message}\n${told}`, { cause: error });
  }
}

describe('a cluster in trouble', () => {
  it('B4, C13, D4, G5, L5, Q7, R4 keeps every promise, and nothing is left over', {
    timeout: (ROUNDS * 60 + 300) * 1000,
  }, async () => {
    for (const place of places) await employ(place);
    const untilWhole = (): Promise<void> =>
      untilAgreed('every node sees all others (L1)', seesWhom, (all) =>
        all.every((seen) => same(seen, namesOf(places))),
      );
    await untilWhole();
    const before = await makeTrouble();
    await untilWhole();
    await untilAgreed(
      'every loop, call, spawn and registration comes to an end (G5, N3, Q1)',
      (bench) => (bench.box['work'] as Workload).settle(),
      () => true,
    );
    await untilAgreed(
      'every name has one owner, the same for all, and every owner its name (Q1, Q7)',
      (bench) => {
        const { crowd } = bench.box['work'] as Workload;
        return { known: crowd.namesKnown(), held: crowd.namesHeld() };
      },
      (all) => {
        const held = all.flatMap((one) => Object.entries(one.held)).sort();
        return all.every(({ known }) => same(Object.entries(known).sort(), held));
      },
    );
    await untilAgreed(
      'all see the same members, which are those of all nodes (R4)',
      (bench) => {
        const { crowd } = bench.box['work'] as Workload;
        return { all: crowd.members('members'), own: crowd.members('localMembers') };
      },
      (all) =>
        Object.keys(all[0]?.all ?? {}).every((group) => {
          const union = all.flatMap(({ own }) => own[group] ?? []).sort();
          return all.every((one) => same(one.all[group], union));
        }),
    );
    await untilAgreed(
      'parents and children agree who is linked (C13, C15)',
      (bench) => ({
        self: `${bench.node.name} ${bench.node.incarnation}`,
        name: bench.node.name,
        ...(bench.box['work'] as Workload).family.books(),
      }),
      (all) =>
        all.every(
          ({ self, mine, here }) =>
            all.every((other) => same(mine[other.name] ?? [], other.here[self] ?? [])) &&
            Object.keys(here).every((parent) => all.some((other) => other.self === parent)),
        ),
    );
    const after = await heap();
    await everywhere((bench) => (bench.box['work'] as Workload).finish());
    await untilAgreed(
      'nothing is left over (D9, G5, N6)',
      (bench) => (bench.box['work'] as Workload).leftovers(),
      (all) => all.every((left) => same(left, {})),
    );
    await Promise.all(places.map(inspect));
    const counts = await everywhere((bench) => (bench.box['work'] as Workload).counts);
    if (process.env['SNOWMESH_CHAOS_STORY'] !== undefined)
      console.log(story.join('\n'), counts, before, after);
    expect(faults, story.join('\n')).toEqual([]);
    expect(after - before).toBeLessThan(HEAP_GROWTH);
    for (const did of ['sent', 'received', 'DOWN', 'EXIT', 'spawned', 'registered', 'joins', 'outcomes'])
      expect(counts[0]?.[did], did).toBeGreaterThan(0);
  });
});
