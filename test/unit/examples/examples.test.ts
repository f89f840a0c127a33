import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { account, FROZEN_MS } from '../../../examples/bank-account/account.ts';
import { counter } from '../../../examples/counter-server/counter.ts';
import { countFile, countWords } from '../../../examples/file-pipeline/pipeline.ts';
import { jobs, pool } from '../../../examples/worker-pool/pool.ts';
import { call, callWith, cast } from '../../../ts/behaviour/index.ts';
import { whichChildren } from '../../../ts/supervisor/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { root } from '../../support/child.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

describe('the counter server', () => {
  it('counts, resets and tells', async () => {
    const pid = await counter.startWith(kit, { name: 'counter' }, 10);
    expect(await call(kit, pid, 'add', 5)).toBe(15);
    cast(kit, counter.named('counter'), 'reset');
    expect(await call(kit, pid, 'statistics')).toEqual({ count: 0, resets: 1 });
  });
});

describe('the bank account', () => {
  it('freezes after three refused withdrawals and opens again after a minute', async () => {
    const pid = await account.start(kit, 'Ada');
    await call(kit, pid, 'deposit', 100);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await call(kit, pid, 'withdraw', 200)).toEqual({ ok: false, reason: 'insufficient' });
    }
    expect(await call(kit, pid, 'withdraw', 1)).toEqual({ ok: false, reason: 'frozen' });
    await kit.advance(FROZEN_MS);
    expect(await call(kit, pid, 'withdraw', 1)).toEqual({ ok: true, balance: 99 });
  });

  it('lets who closes a frozen account wait until it is open, pays out and ends', async () => {
    const pid = await account.start(kit, 'Ada');
    const probe = await kit.probe();
    probe.watch(pid);
    await call(kit, pid, 'deposit', 100);
    for (let attempt = 0; attempt < 3; attempt++) await call(kit, pid, 'withdraw', 200);
    const closing = callWith(kit, { timeout: FROZEN_MS * 2 }, pid, 'close');
    await kit.settle();
    cast(kit, pid, 'release');
    expect(await closing).toBe(100);
    expect(await call(kit, pid, 'statement')).toMatchObject({
      state: 'closed',
      balance: 0,
      history: ['frozen', 'open again', 'closed'],
    });
    await probe.expectDown(pid, 'normal', { within: 1000 });
  });
});

describe('the worker pool', () => {
  const square = (input: number): number => {
    if (input % 5 === 0) throw new RangeError('too much');
    return input ** 2;
  };

  it('answers every job, those that crash their worker too, and gets its workers back', async () => {
    await pool.start(kit, 3, square);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, input) => call(kit, jobs, 'run', input)),
    );
    for (const [input, outcome] of outcomes.entries()) {
      if (input % 5 === 0)
        expect(outcome).toMatchObject({ ok: false, reason: { error: { name: 'RangeError' } } });
      else expect(outcome).toEqual({ ok: true, value: input ** 2 });
    }
    await kit.settle();
    expect(await call(kit, jobs, 'load')).toEqual({ idle: 3, busy: 0, waiting: 0 });
  });

  it('goes on with a new dispatcher, to whom all workers report', async () => {
    const pid = await pool.start(kit, 3, square);
    const [dispatcher] = await whichChildren(kit, pid);
    kit.runtime.sendExit(dispatcher?.pid as never, 'kill');
    await kit.settle();
    expect(await call(kit, jobs, 'load')).toEqual({ idle: 3, busy: 0, waiting: 0 });
    expect(await call(kit, jobs, 'run', 3)).toEqual({ ok: true, value: 9 });
  });
});

describe('the file pipeline', () => {
  /** Files are read in real time, pauses between tries are virtual. */
  async function count(path: string, fragility: number) {
    const counted = countFile(kit, path, fragility);
    let isOver = false;
    void counted.finally(() => (isOver = true)).catch(() => {});
    while (!isOver) await kit.advance(1);
    return counted;
  }

  it('counts the words of the README exactly although its counter keeps crashing', async () => {
    const path = join(root, 'README.md');
    const lines = (await readFile(path, 'utf8')).replace(/\n$/, '').split('\n');
    const perLine = lines.map(countWords);
    const result = await count(path, 10);
    expect(result.perLine).toEqual(perLine);
    expect(result.words).toBe(perLine.reduce((sum, words) => sum + words, 0));
    expect(result.crashes).toBe(Math.floor((lines.length - 1) / 9)); // each counter answers nine times
  });

  it('takes a file without a line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipeline-'));
    try {
      await writeFile(join(folder, 'empty'), '');
      expect(await count(join(folder, 'empty'), 10)).toEqual({ lines: 0, words: 0, perLine: [], crashes: 0 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
