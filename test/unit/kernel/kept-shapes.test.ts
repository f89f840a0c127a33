// The objects that keep hidden classes alive have the hidden classes of the actors that run.
import { setFlagsFromString } from 'node:v8';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Self } from '../../../ts/actor/index.ts';
import { type Cell, cellOf } from '../../../ts/kernel/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

setFlagsFromString('--allow-natives-syntax');
// oxlint-disable-next-line typescript/no-implied-eval -- the only way to the syntax of V8's tests
const haveSameMap = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
  one: unknown,
  other: unknown,
) => boolean;

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** The control block of an actor that was linked, has received one message, and has two more in its mailbox. */
async function usedCell(spawn: (parent: Self) => Pid<string>): Promise<Cell> {
  let pid!: Pid<string>;
  kit.runtime.spawn(async (self: Self) => {
    pid = spawn(self);
    self.link(pid);
    await self.receive();
  });
  await kit.settle();
  for (const text of ['one', 'two', 'three']) kit.runtime.send(pid, text);
  await kit.settle();
  return cellOf(pid) as Cell;
}

const kinds: Readonly<Record<string, (parent: Self) => Pid<string>>> = {
  'a function': (parent) =>
    parent.spawn(async (self: Self<string>) => {
      await self.receive();
      await self.receive({ type: 'never' });
    }),
  'a handler': (parent) =>
    parent.spawnHandler<string, []>(() => ({ onMessage: () => new Promise(() => {}) })),
};

it.each(Object.entries(kinds))('an actor that is %s has the kept hidden classes', async (_, spawn) => {
  const [cell, mailbox] = kit.runtime.shapes as [Cell, object];
  const used = await usedCell(spawn);
  expect(used.mailbox?.size).toBe(2);
  expect(haveSameMap(used, cell)).toBe(true);
  expect(haveSameMap(used.mailbox, mailbox)).toBe(true);
  expect(haveSameMap(used.extra, cell.extra)).toBe(true);
  expect(haveSameMap(used.links(), cell.links())).toBe(true);
});

it('an object of another hidden class is told apart', () => {
  const [cell, mailbox] = kit.runtime.shapes;
  expect(haveSameMap(cell, mailbox)).toBe(false);
});
