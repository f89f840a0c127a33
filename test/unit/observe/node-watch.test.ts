import { expect, it } from 'vitest';
import { childSpec, defineHandler, defineSupervisor, silentLogger, startNode } from '../../../ts/index.ts';
import { NodeWatch, selectionOf } from '../../../ts/observe/node-watch.ts';

it('tells the viewer what is wrong with the name of a node, and shows nothing', async () => {
  const node = await startNode();
  const selection = selectionOf(new URLSearchParams({ node: 'a@b@c' }), node.name);
  const watch = new NodeWatch(node, selection as NonNullable<typeof selection>, 500);
  let stop = (): void => {};
  const shown = await new Promise((resolve) => {
    stop = watch.follow(resolve);
  });
  stop();
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
  const watch = new NodeWatch(node, { node: node.name, table, by: 'mailbox' }, 1000);
  const shown = await new Promise<{ rows?: unknown }>((resolve) => {
    const leave = watch.follow((rows) => {
      leave();
      resolve(rows);
    });
  });
  const rows = shown.rows as unknown[] & { items?: unknown[] };
  expect((rows.items ?? rows).length).toBe(most);
  await node.stop();
});
