// Work on very many entries, a step in each turn of the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StepQueue, type Work } from '../../../ts/peer/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { turns } from '../../support/deadline.ts';

const STEP = 1024;

let kit: TestRuntime;
let queue: StepQueue;
let done: string[];
beforeEach(() => {
  kit = startTestRuntime();
  queue = new StepQueue(kit.runtime);
  done = [];
});
afterEach(() => kit.stop());

/** Work on so many entries, of which each counts as `size`. */
function* work(name: string, entries: number, size = 1): Work & Generator<number> {
  for (let at = 0; at < entries; at++) {
    done.push(name);
    yield size;
  }
}

/** How many entries each turn handled, until a turn handles none. */
async function perTurn(): Promise<number[]> {
  const counts: number[] = [];
  for (let before = done.length; ; before = done.length) {
    await nextTurn();
    if (done.length === before) return counts;
    counts.push(done.length - before);
  }
}

it('P6 a step of the work is done at once, and one in each turn of the event loop', async () => {
  queue.begin('a', work('a', 3 * STEP + 1));
  expect(done).toHaveLength(STEP);
  expect(await perTurn()).toEqual([STEP, STEP, 1]);
});

it('P6 an entry that stands for many makes the step shorter', async () => {
  queue.begin('a', work('a', 10, STEP / 4));
  expect(done).toHaveLength(4);
  expect(await perTurn()).toEqual([4, 2]);
});

it('P6 nodes have their turn one after the other', async () => {
  queue.begin('a', work('a', 2 * STEP));
  queue.begin('b', work('b', STEP + 1));
  queue.begin('c', work('c', 1));
  expect(done).toHaveLength(STEP);
  await turns();
  expect(done).toEqual([
    ...new Array<string>(2 * STEP).fill('a'),
    ...new Array<string>(STEP + 1).fill('b'),
    'c',
  ]);
});

it('P6 one step is done in a turn of the event loop, for however many nodes', async () => {
  for (const node of ['a', 'b', 'c', 'd']) queue.begin(node, work(node, 2 * STEP - 1));
  expect(Math.max(...(await perTurn()))).toBe(STEP);
  expect(done).toHaveLength(4 * (2 * STEP - 1));
});

it('P7 further work for a node ends what it left; without entries it does not', async () => {
  queue.begin('a', work('first', 3 * STEP));
  queue.begin('a', work('none', 0));
  expect(done).toHaveLength(STEP);
  queue.begin('a', work('second', 3 * STEP));
  expect(done.filter((name) => name === 'first')).toHaveLength(3 * STEP);
  expect(done.length).toBeLessThanOrEqual(4 * STEP + 1);
  await turns();
  expect(done).toHaveLength(6 * STEP);
});

it('ends at once what is left, or leaves it, when its owner says so', async () => {
  queue.begin('a', work('a', 3 * STEP));
  queue.begin('b', work('b', 1));
  queue.endAll();
  expect(done).toHaveLength(3 * STEP + 1);
  queue.begin('a', work('a', 3 * STEP));
  queue.close();
  await turns();
  expect(done).toHaveLength(4 * STEP + 1);
});

it('P6 what a step calls ends the work of other nodes at once; its own goes on', async () => {
  function* ending(): Generator<number> {
    yield* work('a', STEP + 1);
    queue.endAll();
    yield* work('a', STEP);
  }
  queue.begin('a', ending());
  queue.begin('b', work('b', 2 * STEP));
  await nextTurn();
  expect(done.filter((name) => name === 'b')).toHaveLength(2 * STEP);
  await turns();
  expect(done).toHaveLength(4 * STEP + 1);
  expect(kit.logs).toEqual([]);
});

it('does nothing more when the node has stopped', async () => {
  queue.begin('a', work('a', 3 * STEP));
  kit.stop();
  await turns();
  expect(done).toHaveLength(STEP);
});

it('logs an error, and goes on with the next node', async () => {
  function* failing(): Generator<number> {
    yield* work('a', STEP);
    throw new Error('on purpose');
  }
  queue.begin('a', failing());
  queue.begin('b', work('b', 2));
  await turns();
  expect(done.filter((name) => name === 'b')).toHaveLength(2);
  expect(kit.logs.map(({ facts }) => facts['event'])).toEqual(['callback_failed']);
});
