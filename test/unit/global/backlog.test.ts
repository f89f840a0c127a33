// More registrations than may be under way at once, and their end.
import { expect, it } from 'vitest';
import { MAX_IN_FLIGHT } from '../../../ts/global/limits.ts';
import { joined, kill, mesh } from './stage.ts';

const MANY = 50_000;

it.each(['the actor dies', 'the names are closed', 'its node is lost'])(
  'Q1, Q5 every registration is answered when %s, however many wait for their turn',
  async (what) => {
    const [a, b] = await joined(2);
    if (a === undefined || b === undefined) throw new Error('two nodes are there');
    const isFar = what === 'its node is lost';
    const pid = isFar ? a.pid(b.actor(), b) : a.actor();
    mesh.freeze(b);
    let answered = 0;
    for (let count = 0; count < MAX_IN_FLIGHT + MANY; count++)
      void a.names.register(`n${count}`, pid).then(
        (yes) => (answered += yes ? 0 : 1),
        () => answered++,
      );
    if (isFar) mesh.cut(a, b);
    else if (what === 'the actor dies') kill(a, pid as never);
    else a.names.close();
    while (mesh.deliver(b, a));
    await new Promise(setImmediate);
    expect(answered).toBe(MAX_IN_FLIGHT + MANY);
    expect(a.kit.logs).toEqual([]);
  },
);

it('Q1 requests that wait for their turn are answered when the names are closed', async () => {
  const [a, b] = await joined(2);
  if (a === undefined || b === undefined) throw new Error('two nodes are there');
  const pid = a.pid(b.actor(), b);
  mesh.freeze(b);
  let answered = 0;
  for (let count = 0; count < MAX_IN_FLIGHT + 10; count++)
    void a.names.register(`n${count}`, pid).catch(() => answered++);
  a.names.close();
  await new Promise(setImmediate);
  expect(answered).toBe(MAX_IN_FLIGHT + 10);
});
