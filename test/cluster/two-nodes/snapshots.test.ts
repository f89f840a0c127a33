// Two operating-system processes connect while one of them has very many groups and global names, and changes them meanwhile.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

/** Who is connected to whom is what these tests decide: nodes are not to find each other by themselves. */
const EXPLICIT = { mesh: 'explicit' } as const;
const COUNT = 20_000;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const pair = (): Promise<[ClusterNode, ClusterNode]> =>
  cluster.nodes({ name: 'a', ...EXPLICIT }, { name: 'b', ...EXPLICIT }) as Promise<
    [ClusterNode, ClusterNode]
  >;
const connect = (bench: Workbench, peer: string): Promise<boolean> => bench.node.connect(peer);
/** Changes something in each turn of the event loop, from the connection on. */
const changes = (bench: Workbench, count: number): void => {
  bench.node.on('nodeup', () => {
    let turn = 0;
    const next = (): void => {
      bench.box['change'](turn++);
      if (turn < count) setImmediate(next);
      else bench.box['isDone'] = true;
    };
    setImmediate(next);
  });
};

it('P6, R1, R4 very many groups come with what changes meanwhile, each change once and in order', async () => {
  const [a, b] = await pair();
  await a.run((bench) => {
    const { GroupJoin, GroupLeave } = bench.snow;
    const groups = (bench.box['groups'] = bench.snow.startGroups(bench.node));
    /** The members of each group, as an actor that monitors all groups is told of them. */
    const told = new Map<string, string[]>();
    bench.box['told'] = told;
    bench.box['wrong'] = [];
    const watcher = bench.node.spawnHandler(() => ({
      onMessage(event: unknown) {
        if (!(event instanceof GroupJoin || event instanceof GroupLeave)) return;
        const members = told.get(event.group) ?? [];
        for (const pid of event.pids.map(String)) {
          if (event instanceof GroupJoin) members.push(pid);
          else if (members.includes(pid)) members.splice(members.indexOf(pid), 1);
          else bench.box['wrong'].push([event.group, pid]);
        }
        if (members.length === 0) told.delete(event.group);
        else told.set(event.group, members);
      },
    }));
    groups.monitorAll(watcher);
  });
  await b.run((bench, many) => {
    const groups = (bench.box['groups'] = bench.snow.startGroups(bench.node));
    const actor = (): import('../../../ts/index.ts').Pid<unknown> =>
      bench.node.spawnHandler(() => ({ onMessage() {} }));
    const [first, second] = [actor(), actor()];
    for (let at = 0; at < many; at++) groups.join(`g${at}`, first);
    bench.box['change'] = (turn: number) => {
      // From both ends and the middle: groups that were told, and groups that were not.
      for (const at of [turn, many - 1 - turn, (many >> 1) + turn]) {
        if (turn % 3 === 0) groups.join(`g${at}`, second);
        if (turn % 3 === 1) groups.leave(`g${at}`, first);
        if (turn % 3 === 2) for (const change of ['leave', 'join'] as const) groups[change](`g${at}`, first);
      }
      groups.join(`new ${turn}`, second);
      groups.join('large', [first, second]);
    };
  }, COUNT);
  await b.run(changes, 300);
  expect(await a.run(connect, b.name)).toBe(true);
  await until('all changes are made', () => b.run((bench) => bench.box['isDone'] === true));
  await b.run((bench) =>
    bench.box['groups'].join(
      'last',
      bench.node.spawnHandler(() => ({ onMessage() {} })),
    ),
  );
  await until('the last change is seen', () => a.run((bench) => bench.box['told'].has('last')));
  const shown = (bench: Workbench): unknown =>
    bench.box['groups']
      .which()
      .sort()
      .map((group: string) => [group, bench.box['groups'].members(group).length]);
  const seen = await a.run(shown);
  expect(seen).toEqual(await b.run(shown));
  const told = await a.run((bench) =>
    [...bench.box['told']]
      .map(([group, members]) => [group, members.length])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  expect(told).toEqual(seen);
  expect(await a.run((bench) => bench.box['wrong'])).toEqual([]);
});

it('P6, Q1, Q5 very many global names come with what changes meanwhile, and no name that ended', async () => {
  const [a, b] = await pair();
  await a.run((bench) => void (bench.box['names'] = bench.snow.startGlobalNames(bench.node)));
  await b.run(async (bench, many) => {
    const names = (bench.box['names'] = bench.snow.startGlobalNames(bench.node));
    const actor = (): import('../../../ts/index.ts').Pid<unknown> =>
      bench.node.spawnHandler(() => ({ onMessage() {} }));
    const [first, second] = [actor(), actor()];
    for (let at = 0; at < many; at += 1000)
      await Promise.all(Array.from({ length: 1000 }, (_, more) => names.register(`n${at + more}`, first)));
    const answers: Promise<boolean>[] = (bench.box['answers'] = []);
    bench.box['change'] = (turn: number) => {
      for (const at of [turn, many - 1 - turn, (many >> 1) + turn])
        answers.push(turn % 2 === 0 ? names.unregister(`n${at}`) : names.reregister(`n${at}`, second));
      answers.push(names.register(`new ${turn}`, second));
    };
  }, COUNT);
  await b.run(changes, 100);
  expect(await a.run(connect, b.name)).toBe(true);
  await until('all changes are made', () => b.run((bench) => bench.box['isDone'] === true));
  // A yes means that the other node knows.
  const answers = await b.run((bench) => Promise.all(bench.box['answers']));
  expect(answers).toEqual(new Array(400).fill(true));
  await a.run((bench) => bench.box['names'].sync());
  const shown = (bench: Workbench): unknown =>
    bench.box['names']
      .names()
      .sort()
      .map((name: string) => [name, bench.box['names'].whereis(name).local]);
  const seen = (await a.run(shown)) as unknown[];
  expect(seen).toEqual(await b.run(shown));
  expect(seen).toHaveLength(COUNT + 100 - 150);
});
