import { expect, it, vi } from 'vitest';
import {
  childSpec,
  defineHandler,
  defineSupervisor,
  type Node,
  silentLogger,
  startNode,
} from '../../../ts/index.ts';
import { NodeWatch, type Selection, selectionOf } from '../../../ts/observe/node-watch.ts';

/** What one round of a watch shows. */
async function look(node: Node, selection: Selection): Promise<unknown> {
  const watch = new NodeWatch(node, selection, 1000);
  let stop = (): void => {};
  const shown = await new Promise((resolve) => {
    stop = watch.follow(resolve);
  });
  stop();
  return shown;
}

it('tells the viewer what is wrong with the name of a node, and shows nothing', async () => {
  const node = await startNode();
  const selection = selectionOf(new URLSearchParams({ node: 'a@b@c' }), node.name);
  const shown = await look(node, selection as NonNullable<typeof selection>);
  expect(shown).toEqual({
    node: 'a@b@c',
    table: 'actors',
    problem: expect.stringMatching(/^"a@b@c" is not a node name: /),
  });
  await node.stop();
});

it.each([
  ['actors', 50],
  ['names', 300],
] as const)('of 400 %s shows %i', async (table, most) => {
  const node = await startNode({ logger: silentLogger });
  const idle = defineHandler('idle', () => ({ onMessage() {} }));
  const children = Array.from({ length: 400 }, (_, at) => childSpec(`c${at}`, idle, { name: `c${at}` }));
  await defineSupervisor({ name: 'staff', children }).start(node);
  const shown = await look(node, { node: node.name, table, by: 'mailbox' });
  const { rows } = shown as { rows: unknown[] & { items?: unknown[] } };
  expect((rows.items ?? rows).length).toBe(most);
  await node.stop();
});

it('of 400 connections shows 300, and how many there are', async () => {
  const sessions = Array.from({ length: 400 }, (_, at) => ({ node: `n${at}@h:1` }));
  const view = { totals: async () => ({ mailbox: 0, turns: 0 }), sessions: async () => sessions };
  const node = { introspect: () => view } as unknown as Node;
  const shown = await look(node, { node: 'a@h:1', table: 'sessions', by: 'mailbox' });
  expect(shown).toMatchObject({ rows: { items: sessions.slice(0, 300), total: 400 } });
});

it.each([
  [{}, { node: 'root@h:1', table: 'actors', by: 'mailbox' }],
  [{ by: 'turns' }, { node: 'root@h:1', table: 'actors', by: 'turns' }],
  [
    { by: 'memory', table: 'names' },
    { node: 'root@h:1', table: 'names', by: 'memory' },
  ],
  [{ node: `${'n'.repeat(510)}@h` }, { node: `${'n'.repeat(510)}@h`, table: 'actors', by: 'mailbox' }],
  [{ node: `${'n'.repeat(511)}@h` }, undefined],
  [{ node: 'root' }, undefined],
  [{ table: 'toString' }, undefined],
  [{ by: 'pid' }, undefined],
])('of the parameters %j is selected %j', (parameters, selection) => {
  expect(selectionOf(new URLSearchParams(parameters as Record<string, string>), 'root@h:1')).toEqual(
    selection,
  );
});

it('asks a node once a round for all who look, and no more when nobody looks', async () => {
  vi.useFakeTimers();
  try {
    let asks = 0;
    const view = { totals: async () => void asks++, names: async () => [] };
    const node = { introspect: () => view } as unknown as Node;
    const watch = new NodeWatch(node, { node: 'a@h:1', table: 'names', by: 'mailbox' }, 1000);
    const shown = [0, 0, 0];
    const stops = shown.map((_, viewer) =>
      watch.follow(() => void (shown[viewer] = (shown[viewer] ?? 0) + 1)),
    );
    await vi.advanceTimersByTimeAsync(2000);
    expect([asks, shown]).toEqual([3, [3, 3, 3]]);
    for (const stop of stops) stop();
    await vi.advanceTimersByTimeAsync(100_000);
    expect([asks, watch.isUnused]).toEqual([3, true]);
  } finally {
    vi.useRealTimers();
  }
});
