// Callbacks of other code at the death of an actor: they run once, and nothing that is over leaves one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineHandler, type RemoteSpawn, type Self, SpawnStatus } from '../../../ts/actor/index.ts';
import { type Cell, cellOf } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const FAR = 'far@host:1';
const spec = defineHandler('child', () => ({ onMessage() {} }));

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

const idle = async (): Promise<Cell> => {
  const { pid } = await kit.probe();
  return cellOf(pid as Pid) as Cell;
};

/** Callbacks that wait for the death of an actor. */
function waiting({ extra }: Cell): number {
  const callbacks = extra?.deathCallbacks ?? [];
  return typeof callbacks === 'function' ? 1 : [...callbacks].length;
}

it.each([1, 2, 3])(
  'run once, the oldest first, without those that were taken back: one of %i',
  async (count) => {
    for (let gone = 0; gone < count; gone++) {
      const cell = await idle();
      const ran: unknown[] = [];
      const takeBack = Array.from({ length: count }, (_, index) =>
        cell.onDeath((pid, reason) => void ran.push([index, pid, reason])),
      );
      takeBack[gone]?.();
      takeBack[gone]?.();
      kit.runtime.sendExit(cell.pid, 'kill');
      for (const again of takeBack) again();
      const left = [...takeBack.keys()].filter((index) => index !== gone);
      expect(ran).toEqual(left.map((index) => [index, cell.pid, 'killed']));
    }
  },
);

it('leave out one that another takes back meanwhile', async () => {
  const cell = await idle();
  const ran: string[] = [];
  cell.onDeath(() => takeBack());
  const takeBack = cell.onDeath(() => ran.push('second'));
  cell.onDeath(() => ran.push('third'));
  kit.runtime.sendExit(cell.pid, 'kill');
  expect(ran).toEqual(['third']);
});

describe('none is left', () => {
  it('of a sendWait that got its room', async () => {
    const limit = { mailbox: { max: 1, policy: 'block' } } as const;
    const reader = kit.runtime.spawnWith(limit, async (self: Self<number>) => {
      await self.sleep(100);
      for (;;) await self.receive();
    });
    const { self } = await kit.probe();
    const cell = cellOf(self.pid as Pid) as Cell;
    for (let n = 0; n < 10; n++) void self.sendWait(reader, n);
    await kit.settle();
    expect(waiting(cell)).toBe(9);
    await kit.advance(100);
    expect(waiting(cell)).toBe(0);
    expect(kit.runtime.deadLetters.total).toBe(0);
  });

  it('of a spawn on another node that was answered', async () => {
    const orders: RemoteSpawn[] = [];
    kit.runtime.remote = {
      ...kit.runtime.remote,
      spawn: (order) => void orders.push(order),
      nodeOf: () => FAR,
    };
    const { self } = await kit.probe();
    const cell = cellOf(self.pid as Pid) as Cell;
    const spawned = [1, 2, 3].map(() => self.spawnOn(FAR, spec, []));
    expect(waiting(cell)).toBe(3);
    for (const { request } of orders)
      kit.runtime.spawns.replied(cell.pid.local, request, SpawnStatus.ok, new Pid(PEER, 9), null);
    await Promise.all(spawned);
    expect(waiting(cell)).toBe(0);
  });

  it('of a start for another node, but the one that counts the child, once its starter knows of it', async () => {
    kit.runtime.remote = { ...kit.runtime.remote, spawnReply: () => {} };
    kit.runtime.expose(spec);
    const from = new Pid(PEER, 7);
    const request = new Ref(PEER, 7, 1);
    const term = [[], 'child', null];
    kit.runtime.inboundSpawns.order({ from, request, monitor: request, flags: 4, function: 'child', term });
    await kit.settle();
    const cell = cellOf(kit.runtime.whereis('child') as Pid) as Cell;
    expect(waiting(cell)).toBe(2);
    kit.runtime.inboundSpawns.confirmed(from, cell.pid.local);
    expect(waiting(cell)).toBe(1);
  });
});
