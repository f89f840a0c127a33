import { expect, it } from 'vitest';
import { startNode } from '../../../ts/index.ts';
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
