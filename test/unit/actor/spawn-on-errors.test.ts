import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, defineActor, type Self } from '../../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

const spec = defineActor('worker', () => {});
const NODE = 'far@127.0.0.1:1';

it.each([
  ['null', null, [], 'SNOW_ERR_NOT_SPAWNABLE', /not null\.$/],
  ['a number', 5, [], 'SNOW_ERR_NOT_SPAWNABLE', /not a number\.$/],
  ['a function', () => {}, [], 'SNOW_ERR_NOT_SPAWNABLE', /^A function cannot be sent/],
  ['arguments that cannot be sent', spec, [() => {}], 'SNOW_ERR_UNSENDABLE', /function/],
  ['a node that is not there', spec, [], 'SNOW_ERR_SPAWN', /out of reach/],
] as const)('spawnOn rejects, and never throws, for %s', async (_name, what, args, code, message) => {
  const probe = await kit.probe();
  const { self } = probe as { self: Self };
  const spawned = self.spawnOn(NODE, what as never, args as never); // a throw would fail here
  await expect(spawned).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

it('spawnOn rejects for a text that cannot be the name of a node', async () => {
  const { self } = (await kit.probe()) as { self: Self };
  await expect(self.spawnOn('no node', spec, [])).rejects.toMatchObject({ code: 'SNOW_ERR_NODE_NAME' });
});

it.each([
  ['send', (self: Self) => self.send({ name: 'x', node: NODE }, (() => {}) as never)],
  ['call', (self: Self) => call(self, { name: 'x', node: NODE }, 'tag', () => {})],
] as const)(
  '%s throws at once for what cannot be sent, also to a node that is not there',
  async (_, order) => {
    const { self } = (await kit.probe()) as { self: Self };
    expect(() => order(self)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
  },
);

it.each([
  ['undefined', undefined, 'undefined'],
  ['a long string', 'x'.repeat(100_000), `the string "${'x'.repeat(40)}"`],
  ['an object', { name: 'worker' }, 'an object'],
  ['an import that was not awaited', Promise.resolve(spec), 'a promise (did you forget await?)'],
])('what cannot be spawned is named in the error: %s', async (_, what, named) => {
  const { self } = (await kit.probe()) as { self: Self };
  const error = (wanted: string) =>
    expect.objectContaining({
      code: 'SNOW_ERR_NOT_SPAWNABLE',
      message: expect.stringContaining(`Only ${wanted}, not ${named}.`),
    });
  expect(() => self.spawn(what as never)).toThrow(error('an actor function or a spec is spawned'));
  expect(() => kit.runtime.spawner.expose(what as never)).toThrow(error('a spec is exposed'));
  await expect(self.spawnOn(NODE, what as never, [])).rejects.toEqual(
    error('a spec that is exposed on the other node is spawned there'),
  );
});
