import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, defineActor, type Self } from '../../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

const spec = defineActor('worker', () => {});
const NODE = 'far@127.0.0.1:1';

it.each([
  ['null', null, [], 'SNOW_ERR_NOT_SPAWNABLE', /^null cannot be spawned/],
  ['a number', 5, [], 'SNOW_ERR_NOT_SPAWNABLE', /^A value of type number cannot be spawned/],
  ['a function', () => {}, [], 'SNOW_ERR_NOT_SPAWNABLE', /^A function cannot be sent/],
  ['arguments that cannot be sent', spec, [() => {}], 'SNOW_ERR_UNSENDABLE', /function/],
  ['a node that is not there', spec, [], 'SNOW_ERR_SPAWN', /out of reach/],
] as const)('spawnOn rejects, and never throws, for %s', async (_name, what, args, code, message) => {
  const probe = await kit.probe();
  const { self } = probe as { self: Self };
  const spawned = self.spawnOn(NODE, what as never, args as never); // a throw would fail here
  await expect(spawned).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
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
