import { describe, expect, it } from 'vitest';
import { type Contestant, holdContest, nodeContestant } from '../../../benches/contest.ts';
import { QUICK } from '../../../benches/harness.ts';
import { type Answer, serve } from '../../../benches/serve.ts';

/** Writes what it is asked to do into `log`, and fails in the round `failsIn`. */
function contestant(name: string, log: string[], failsIn = 99, others: readonly number[] = []): Contestant {
  let rounds = 0;
  return {
    name,
    others,
    ready() {
      log.push(`${name} ready`);
      return failsIn === 0 ? Promise.reject(new Error('no start')) : Promise.resolve(name);
    },
    round() {
      rounds += 1;
      log.push(`${name} ${rounds}`);
      if (rounds === failsIn) return Promise.reject(new Error('no more'));
      return Promise.resolve({ rate: { value: rounds, unit: 'msg/s' } });
    },
    stop() {
      log.push(`${name} stop`);
      return Promise.resolve();
    },
  };
}

describe('a contest', () => {
  it('readies all, gives each a round in turn and takes all down', async () => {
    const log: string[] = [];
    const { results, failures } = await holdContest(
      'local/x',
      () => [contestant('us', log), contestant('them', log)],
      { rounds: 2, processes: 1 },
    );
    expect(log).toEqual([
      'us ready',
      'them ready',
      'us 1',
      'them 1',
      'us 2',
      'them 2',
      'us stop',
      'them stop',
    ]);
    expect(results).toMatchObject([
      { suite: 'us', case: 'local/x', rounds: [1, 2], inTurns: true },
      { suite: 'them', rounds: [1, 2] },
    ]);
    expect(failures).toEqual([]);
  });

  it('starts new processes for each part of the rounds', async () => {
    const log: string[] = [];
    const { results } = await holdContest('local/x', () => [contestant('us', log), contestant('them', log)], {
      rounds: 3,
      processes: 2,
    });
    const heat = ['us ready', 'them ready', 'us 1', 'them 1', 'us 2', 'them 2', 'us stop', 'them stop'];
    expect(log).toEqual([...heat, ...heat]);
    expect(results).toMatchObject([
      { suite: 'us', rounds: [1, 2, 1, 2], processes: 2 },
      { suite: 'them', rounds: [1, 2, 1, 2], processes: 2 },
    ]);
  });

  it('holds a round again whose core was busy with another hardware thread, twice at most', async () => {
    const log: string[] = [];
    const speeds = [1000, 500, 980, 500, 510, 520];
    const us = contestant('us', log);
    const paced: Contestant = {
      ...us,
      get speed() {
        return speeds[log.length - 2]; // the first line is that it is ready
      },
    };
    const { results, notes } = await holdContest('local/x', () => [paced], { rounds: 3, processes: 1 });
    expect(results).toMatchObject([{ suite: 'us', rounds: [1, 3, 6] }]);
    expect(notes).toEqual([
      'in 1 of 3 rounds the core was busy with another hardware thread, also when repeated',
    ]);
  });

  it('does not start one again that failed, and drops its figures', async () => {
    const log: string[] = [];
    let heat = 0;
    const { results, failures } = await holdContest(
      'local/x',
      () => {
        heat += 1;
        return [contestant('us', log), contestant('weak', log, heat === 2 ? 1 : 99)];
      },
      { rounds: 3, processes: 3 },
    );
    expect(results.map(({ suite, rounds }) => [suite, rounds.length])).toEqual([['us', 3]]);
    expect(failures).toEqual([{ name: 'weak', why: 'no more' }]);
    expect(log.filter((line) => line === 'weak ready')).toHaveLength(2);
    expect(log.filter((line) => line === 'weak stop')).toHaveLength(2);
  });

  it('continues without those that fail, and names them', async () => {
    const log: string[] = [];
    const { results, failures } = await holdContest(
      'local/x',
      () => [contestant('late', log, 0), contestant('us', log), contestant('weak', log, 2)],
      { rounds: 3, processes: 1 },
    );
    expect(results.map(({ suite, rounds }) => [suite, rounds.length])).toEqual([['us', 3]]);
    expect(failures).toEqual([
      { name: 'late', why: 'no start' },
      { name: 'weak', why: 'no more' },
    ]);
    expect(log.filter((line) => line.endsWith('stop'))).toHaveLength(3);
  });

  it('names a process that ended before it answered, with its complaint', async () => {
    const none = { name: 'local/none', about: '', open: () => ({ round: () => ({}) }) };
    const { results, failures } = await holdContest(none.name, () => [nodeContestant(none, QUICK)], QUICK);
    expect(results).toEqual([]);
    expect(failures).toMatchObject([
      { name: 'snowmesh', why: expect.stringMatching(/^it ended with 1: .*Error/s) },
    ]);
  });

  it('says when something else was running', async () => {
    const { notes } = await holdContest('local/x', () => [contestant('us', [], 99, [0.1, 0.5, 0.6])], QUICK);
    expect(notes).toEqual(['something else was running in the rounds of us (0.50 cores)']);
    const cluster = await holdContest('cluster/x', () => [contestant('us', [], 99, [0.5])], QUICK);
    expect(cluster.notes).toEqual([]);
  });
});

describe('a contestant', () => {
  it('throws its first round away, then runs one for each order, and takes the case down', async () => {
    const log: string[] = [];
    const said: Answer[] = [];
    const running = {
      round: () => {
        log.push('round');
        return { rate: { value: log.length, unit: 'msg/s' } };
      },
      stop: () => void log.push('stop'),
    };
    await serve(
      () => ({ suite: 'us', running }),
      QUICK,
      orders(2),
      (answer) => said.push(answer),
    );
    expect(log).toEqual(['round', 'round', 'round', 'stop']);
    expect(said).toMatchObject([
      { ready: { suite: 'us' } },
      { round: { rate: { value: 2 } } },
      { round: { rate: { value: 3 } } },
    ]);
  });
});

async function* orders(count: number): AsyncGenerator<string> {
  for (let n = 0; n < count; n++) yield await Promise.resolve('round');
}
