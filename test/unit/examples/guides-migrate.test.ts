// Runs what the pages docs/guides/migrate-*.md show, but for that of socket.io, which test/unit/rooms runs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as snowmesh from '../../../ts/index.ts';
import { startNode } from '../../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { GUIDES, runGuide, textOf } from './guide-programs.ts';

describe.each(GUIDES.filter((guide) => guide.startsWith('migrate-')))('%s', (guide) => {
  it('has a table of names', () => {
    expect(textOf(guide).match(/^\|---\|---\|$/gm)?.length).toBeGreaterThan(0);
  });
});

describe('from BullMQ', () => {
  type Add = (data: unknown, delay: number) => Promise<string>;
  let kit: TestRuntime;
  let begun: string[];
  let outcomes: ((data: string) => unknown)[];
  beforeEach(() => {
    kit = startTestRuntime();
    [begun, outcomes] = [[], []];
  });
  afterEach(() => kit.stop());

  async function startMail(): Promise<{ add: Add; result: Promise<string> }> {
    const deliver = (data: { to: string }): unknown => {
      begun.push(data.to);
      return outcomes.shift()?.(data.to) ?? `sent to ${data.to}`;
    };
    const around = { startNode: () => kit, deliver };
    const mail = await runGuide<{ add: Add; result: Promise<string> }>(
      'migrate-bullmq',
      ['mail'],
      around,
      'add, result',
    );
    mail.result.catch(() => {}); // most tests end before it is done
    return mail;
  }

  it('does a job after its delay, and answers with its result', async () => {
    const { result } = await startMail();
    await kit.advance(4999);
    expect(begun).toEqual([]);
    await kit.advance(1);
    expect(await result).toBe('sent to ann@example.org');
  });

  it('tries three times, with growing pauses', async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    const { add } = await startMail();
    outcomes = [fail, fail, fail];
    const failed = add({ to: 'bob' }, 0);
    await kit.settle();
    for (const [index, pause] of [1000, 2000].entries()) {
      await kit.advance(pause - 1);
      expect(begun).toHaveLength(index + 1);
      await kit.advance(1);
      expect(begun).toHaveLength(index + 2);
    }
    expect(await failed).toBe('failed');
  });

  it('does four at once', async () => {
    const { add } = await startMail();
    const ends: (() => void)[] = [];
    outcomes = Array.from({ length: 5 }, () => () => new Promise<void>((resolve) => ends.push(resolve)));
    const all = ['a', 'b', 'c', 'd', 'e'].map((to) => add({ to }, 0));
    await kit.advance(1);
    expect(begun.join('')).toBe('abcd');
    ends[0]?.();
    await kit.settle();
    expect(begun.join('')).toBe('abcde');
    for (const end of ends) end();
    await Promise.all(all);
  });
});

describe('from moleculer', () => {
  it('calls an action, and its event reaches the other service', async () => {
    const welcomed: unknown[] = [];
    const save = (name: string): unknown => ({ name, id: 1 });
    let isWelcome = (): void => {};
    const welcome = new Promise<void>((resolve) => {
      isWelcome = resolve;
    });
    const { node, user, callService } = await runGuide<{
      node: snowmesh.Node;
      user: unknown;
      callService(...args: unknown[]): Promise<unknown>;
    }>(
      'migrate-moleculer',
      ['services'],
      {
        options: {},
        save,
        welcome: (given: unknown) => {
          welcomed.push(given);
          isWelcome();
        },
      },
      'node, user, callService',
    );
    try {
      expect(user).toEqual({ name: 'ann', id: 1 });
      await welcome;
      expect(welcomed).toEqual([user]);
      expect(() => callService('nothing', 'create')).toThrow('no service nothing');
    } finally {
      await node.stop();
    }
  });
});

describe('from other actors', () => {
  it('nact: counts', async () => {
    const { node, count } = await runGuide<{ node: snowmesh.Node; count: number }>(
      'migrate-actors',
      ['counter'],
      { startNode },
      'node, count',
    );
    await node.stop();
    expect(count).toBe(2);
  });

  it('XState: an actor owns a machine, which stops with it', async () => {
    const seen: unknown[] = [];
    /** The part of XState's interface that the program uses. */
    const createActor = (states: readonly string[]): unknown => {
      let at = 0;
      const actor = {
        start: () => actor,
        stop: () => void seen.push('stopped'),
        send: ({ type }: { type: string }) => void (at += type === 'NEXT' ? 1 : 0),
        getSnapshot: () => ({ value: states[at] }),
      };
      return actor;
    };
    const { node, value } = await runGuide<{ node: snowmesh.Node; value: string }>(
      'migrate-actors',
      ['owned'],
      { createActor, machine: ['red', 'green'] },
      'node, value',
    );
    expect(value).toBe('green');
    expect(seen).toEqual([]);
    await node.stop();
    expect(seen).toEqual(['stopped']);
  });
});
