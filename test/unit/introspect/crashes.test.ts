// The crashes that a node remembers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Node, type Pid, silentLogger, startNode } from '../../../ts/index.ts';
import { CrashLog, MAX_CRASHES, MAX_REASON, MAX_STACK } from '../../../ts/introspect/crash-log.ts';
import { until } from '../../support/deadline.ts';

let node: Node;
beforeEach(async () => void (node = await startNode({ logger: silentLogger })));
afterEach(() => node.stop());

/** Spawns an actor that crashes, and waits for its end. */
async function crash(label: string, error: unknown): Promise<Pid> {
  const named = {
    async [label]() {
      throw error;
    },
  };
  const pid = node.spawn(named[label] as () => Promise<void>) as Pid;
  await until('its end', () => !node.isAlive(pid));
  return pid;
}

describe('a node remembers crashes', () => {
  it('W6 with their label, reason and stack, counted when they repeat', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
    const first = await crash('clerk', new TypeError('out of paper'));
    await crash('boss', 'no error');
    const last = await crash('clerk', new TypeError('out of paper'));
    expect(first).not.toBe(last);
    now.mockRestore();
    const view = node.introspect();
    const { items, total, next } = await view.crashes();
    expect([total, next]).toEqual([2, undefined]);
    expect(items).toMatchObject([
      { id: 2, label: 'boss', reason: 'thrown: "no error"', times: 1 },
      { id: 3, label: 'clerk', reason: 'TypeError: out of paper', times: 2, pid: last },
    ]);
    expect(items[1]?.stack).toMatch(/^at .*crashes\.test/);
    expect(items[1]?.at).toBe(1_700_000_000_000);
    expect((await view.overview()).crashes).toBe(3);
    expect((await view.crashes({ after: 2 })).items).toMatchObject([{ id: 3 }]);
    expect(await view.crashes({ limit: 1 })).toMatchObject({ items: [{ id: 2 }], total: 2, next: 2 });
  });

  it('W6 of its own actors only, and none of an actor that ends by itself', async () => {
    const other = await startNode({ logger: silentLogger });
    await crash('clerk', new Error('here'));
    const pid = node.spawn(async (self) => self.exit('shutdown'));
    await until('its end', () => !node.isAlive(pid));
    expect((await node.introspect().crashes()).items.map(({ reason }) => reason)).toEqual(['Error: here']);
    expect((await other.introspect().crashes()).items).toEqual([]);
    await other.stop();
  });

  it('W6 whether or not others listen to the channel of crashes', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): void => void heard.push(message);
    subscribe('snowmesh:actor:crash', listener);
    await crash('clerk', new Error('one'));
    unsubscribe('snowmesh:actor:crash', listener);
    await crash('clerk', new Error('two'));
    expect(heard).toHaveLength(1);
    expect((await node.introspect().overview()).crashes).toBe(2);
  });
});

describe('what is remembered has bounds', () => {
  const pid = {} as Pid;

  it('W6 at most so many different ones: the one that happened longest ago is forgotten', () => {
    const log = new CrashLog();
    for (let number = 0; number < 10_000; number++) {
      log.note(pid, 'clerk', { error: { name: 'Error', message: `number ${number}` }, stack: '' }, number);
      log.note(pid, 'steady', 'again', number);
    }
    const { items, total, next } = log.page({ limit: 1000 });
    expect([items.length, total, next, log.count]).toEqual([MAX_CRASHES, MAX_CRASHES, undefined, 20_000]);
    expect(items.at(-1)).toMatchObject({ label: 'steady', times: 10_000, at: 9999 });
    expect(items[0]?.reason).toBe(`Error: number ${10_000 - MAX_CRASHES + 1}`);
  });

  it('W6 in characters, whatever was thrown, and the stack of a crash that repeats is read once', () => {
    const log = new CrashLog();
    let reads = 0;
    const hostile = {
      error: { name: 'x'.repeat(1e6), message: 'y'.repeat(1e6) },
      get stack() {
        reads++;
        return `Error\n${'    at z\n'.repeat(1e6)}`;
      },
    };
    for (let count = 0; count < 100; count++) log.note(pid, 'l'.repeat(1e6), hostile, 0);
    log.note(pid, 'big', 2n ** 8_000_000n, 0);
    log.note(pid, 'deep', { toJSON: () => { throw new Error('no'); } }, 0); // biome-ignore format: one thing
    expect(reads).toBe(1);
    for (const { label, reason, stack } of log.page({}).items) {
      expect(label.length).toBeLessThanOrEqual(128);
      expect(reason.length).toBeLessThanOrEqual(MAX_REASON);
      expect(stack.length).toBeLessThanOrEqual(MAX_STACK);
    }
  });
});
