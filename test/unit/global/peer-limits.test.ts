// What one peer may make a node remember of global names: what goes beyond is refused, and other peers are not.
import { expect, it, vi } from 'vitest';
import type { Pid } from '../../../ts/term/index.ts';
import type { FakeNode } from './fake-mesh.ts';
import { apart, mesh } from './stage.ts';

vi.mock('../../../ts/global/limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_CLAIMS_PER_NODE: 3,
  MAX_IN_FLIGHT: 2,
}));

const MAX_NAMES = 5;

/** A node with global names, and two peers that say what a test lets them say. `heard`: what each was told of that kind. */
async function meet() {
  const [a, hostile, other] = apart(3) as [FakeNode, FakeNode, FakeNode];
  a.start({ maxNamesPerNode: MAX_NAMES });
  const messages: [FakeNode, readonly unknown[]][] = [];
  for (const node of [hostile, other]) {
    node.listener = {
      up: (peer) => {
        mesh.send(node, peer, ['hello', 1]);
        mesh.send(node, peer, ['sync', []]);
      },
      message: (_peer, message) => void messages.push([node, message as readonly unknown[]]),
      down: () => {},
    };
  }
  mesh.connectAll();
  await mesh.settle();
  const say = async (node: FakeNode, all: readonly unknown[][]): Promise<void> => {
    for (const message of all) mesh.send(node, node.peers.get(a) as never, message);
    await mesh.settle();
  };
  const heard = (node: FakeNode, kind: string): unknown[][] =>
    messages.filter(([to, message]) => to === node && message[0] === kind).map(([, message]) => [...message]);
  return { a, hostile, other, say, heard };
}

const ids = [1, 2, 3, 4, 5];

it('P7 the claims of one peer that are under way are limited: one that is over makes room', async () => {
  const { hostile, other, say, heard } = await meet();
  const verdicts = (node: FakeNode): unknown[] => heard(node, 'vote').map(([, id, verdict]) => [id, verdict]);
  await say(
    hostile,
    ids.map((id) => ['claim', id, `x${id}`, id, false]),
  );
  expect(verdicts(hostile)).toEqual([
    [1, 'yes'],
    [2, 'yes'],
    [3, 'yes'],
    [4, 'full'],
    [5, 'full'],
  ]);
  await say(other, [['claim', 1, 'y', 1, false]]);
  expect(verdicts(other)).toEqual([[1, 'yes']]);
  await say(hostile, [
    ['abort', 1],
    ['claim', 6, 'x6', 6, false],
  ]);
  expect(verdicts(hostile).at(-1)).toEqual([6, 'yes']);
});

it('P7 the names of one peer and its claims under way are limited together', async () => {
  const { a, hostile, say, heard } = await meet();
  const own = hostile.actor();
  await say(hostile, [['sync', ids.slice(0, MAX_NAMES - 1).map((id) => [`x${id}`, own, id, []])]]);
  expect(a.names.names()).toHaveLength(MAX_NAMES - 1);
  await say(
    hostile,
    [8, 9].map((id) => ['claim', id, `y${id}`, id, false]),
  );
  expect(heard(hostile, 'vote').map(([, id, verdict]) => [id, verdict])).toEqual([
    [8, 'yes'],
    [9, 'full'],
  ]);
});

it('P7 the requests of one peer that are under way are limited: one that is over makes room', async () => {
  const { a, hostile, other, say, heard } = await meet();
  const pids = ids.map(() => a.actor());
  const ask = (node: FakeNode, id: number, pid: Pid<never>): unknown[] => [
    'ask',
    id,
    'register',
    `${node.name} ${id}`,
    node.pid(pid, a),
  ];
  // The other peer does not vote, so they stay under way.
  await say(
    hostile,
    ids.map((id, index) => ask(hostile, id, pids[index] as Pid<never>)),
  );
  const answers = (node: FakeNode): unknown[] =>
    heard(node, 'answer').map(([, id, outcome]) => [id, outcome]);
  expect(answers(hostile)).toEqual([
    [4, 'full'],
    [5, 'full'],
  ]);
  await say(other, [ask(other, 1, pids[0] as Pid<never>)]);
  expect(answers(other)).toEqual([]);
  for (const node of [hostile, other]) {
    const [, claim] = heard(node, 'claim')[0] as [string, number];
    await say(node, [['vote', claim, 'yes', 10, []]]);
  }
  for (const node of [hostile, other]) {
    const [, commit] = heard(node, 'commit')[0] as [string, number];
    await say(node, [['ack', commit]]);
  }
  expect(answers(hostile).at(-1)).toEqual([1, 'yes']);
  await say(hostile, [ask(hostile, 6, pids[4] as Pid<never>)]);
  expect(answers(hostile)).toHaveLength(3);
});

it('P7 the names of one peer are limited, however it tells of them', async () => {
  const { a, hostile, other, say } = await meet();
  const seen = (): string[] => a.names.names().toSorted();
  const entry = (node: FakeNode, name: string, stamp: number): unknown[] => [name, node.actor(), stamp, []];
  await say(hostile, [['sync', [1, 2, 3, 4].map((stamp) => entry(hostile, `x${stamp}`, stamp))]]);
  await say(hostile, [['sync', [5, 6, 7].map((stamp) => entry(hostile, `x${stamp}`, stamp))]]);
  await say(hostile, [['commit', 1, 'x8', hostile.actor(), 8, null]]);
  expect(seen()).toEqual(['x1', 'x2', 'x3', 'x4', 'x5']);
  await say(other, [['sync', [entry(other, 'y', 9)]]]);
  await say(hostile, [
    ['drop', 0, 'x1', 1],
    ['sync', [entry(hostile, 'x9', 10)]],
  ]);
  expect(seen()).toEqual(['x2', 'x3', 'x4', 'x5', 'x9', 'y']);
});

it('P7 the requests of a peer that wait for their turn end with its session, and when it leaves', async () => {
  const { a, hostile, other, say, heard } = await meet();
  const pids = ids.map(() => a.actor());
  const ask = (id: number): unknown[] => [
    'ask',
    id,
    'register',
    `x${id}`,
    hostile.pid(pids[id] as Pid<never>, a),
  ];
  const claims = (): unknown[] => heard(other, 'claim').map(([, , name]) => name);
  await say(hostile, [ask(0), ask(1), ask(2)]);
  expect(claims()).toEqual(['x0', 'x1']);
  await say(hostile, [['bye'], ['hello', 1], ask(3), ask(4)]);
  // The one that waited counts no longer.
  expect(heard(hostile, 'answer').map(([, id, outcome]) => [id, outcome])).toEqual([[4, 'full']]);
  void a.names.register('mine', a.actor());
  mesh.cut(a, hostile);
  await mesh.settle();
  const [, id] = heard(other, 'claim')[0] as [string, number];
  await say(other, [
    ['vote', id, 'yes', 10, []],
    ['ack', id],
  ]);
  expect(claims()).toEqual(['x0', 'x1', 'mine']);
});

it('P7 the names of one peer remember a limited number of replaced entries, and one that ends makes room', async () => {
  const { hostile, other, say, heard } = await meet();
  const own = hostile.actor();
  const olds = [1, 2, 3, 4].map((id) => [hostile.pid(hostile.actor(), hostile), id]);
  const sync = (name: string, stamp: number): Promise<void> =>
    say(hostile, [['sync', [[name, own, stamp, olds]]]]);
  let claims = 0;
  /** How many entries a name remembers: a voter names them to one that claims it. */
  const remembered = async (name: string): Promise<number> => {
    await say(other, [['claim', ++claims, name, claims, false]]);
    const [, , verdict, , known] = heard(other, 'vote').at(-1) as unknown[];
    expect(verdict).toBe('taken');
    return (known as unknown[]).length - 1; // without its own entry
  };
  await sync('x', 10);
  await sync('y', 11);
  expect([await remembered('x'), await remembered('y')]).toEqual([4, MAX_NAMES - 4]);
  await sync('x', 12); // in place of the one before
  expect(await remembered('x')).toBe(4);
  await say(hostile, [['drop', 0, 'x', 12]]);
  await sync('y', 13);
  expect(await remembered('y')).toBe(4);
});
