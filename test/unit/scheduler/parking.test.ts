// An actor with a long mailbox continues in microtasks without the queue. The pump then waits for it, and the others must not wait longer.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Runtime, type Self, silentLogger } from '../../../ts/actor/index.ts';
import { call } from '../../../ts/behaviour/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { type Queued, Scheduler, TURNS_PER_SLICE } from '../../../ts/scheduler/scheduler.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { deferred } from '../../support/deadline.ts';

const BACKLOG = 500;

afterEach(() => vi.restoreAllMocks());

/** Slices then end by turns alone. */
function stopTheClock(): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now);
}

/** What an actor does after its backlog. */
type Then = (self: Self<number>, other: Pid) => unknown;

/** An actor that takes its backlog and then does what it is given, and another actor that is queued meanwhile. */
async function beside(then: Then): Promise<{ events: string[] }> {
  stopTheClock();
  const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
  const events: string[] = [];
  const over = deferred();
  const reader = runtime.spawn(async (self: Self<number>) => {
    for (let n = 0; n < BACKLOG; n++) await self.receive();
    events.push('reader waits');
    await then(self, other);
  });
  const other: Pid = runtime.spawnHandler(() => ({
    onMessage() {
      events.push('other');
      over.resolve();
    },
  }));
  await new Promise(setImmediate); // both have begun
  setImmediate(() => events.push('event loop'));
  for (let n = 0; n < BACKLOG; n++) runtime.send(reader, n);
  runtime.send(other, 'go' as never);
  await over.promise;
  runtime.stop();
  return { events };
}

describe('P6 beside an actor that takes a long backlog', () => {
  it.each<[string, Then]>([
    ['for any message', (self) => self.receive()],
    ['for one that matches', (self) => self.receive('never')],
    ['with a timeout', (self) => self.receive(undefined, { timeout: 60_000 })],
    ['for an answer', (self, other) => call(self, other as never, 'question' as never)],
  ])('another runs as soon as it waits %s, before the event loop', async (_how, then) => {
    const { events } = await beside(then);
    expect(events.slice(0, 2)).toEqual(['reader waits', 'other']);
  });

  it('another runs when it awaits something that the runtime does not know', async () => {
    const { events } = await beside(() => new Promise(() => {}));
    expect(events.slice(0, 2)).toEqual(['reader waits', 'event loop']);
    expect(events.at(-1)).toBe('other');
  });

  it('another runs when it ends', async () => {
    const { events } = await beside(() => undefined);
    expect(events.at(-1)).toBe('other');
  });
});

class Item implements Queued<Item> {
  nextInQueue: Item | null = null;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

describe('the pump of code that continues without the queue', () => {
  let events: string[];
  let scheduler: Scheduler<Item>;
  beforeEach(() => {
    stopTheClock();
    const seen: string[] = []; // a scheduler of an earlier test may still end its slice
    events = seen;
    scheduler = new Scheduler<Item>(
      ({ name }) => {
        seen.push(name);
        scheduler.waits(); // as an actor that receives in its first turn
        return false;
      },
      () => void seen.push('slice end'),
    );
  });

  /** Continues for `turns` microtasks. */
  async function goOn(turns: number): Promise<void> {
    for (let turn = 0; turn < turns && scheduler.tryContinue(); turn++) await Promise.resolve();
  }

  async function microtasks(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) await Promise.resolve();
  }

  it('does not run meanwhile, and runs when the code waits', async () => {
    scheduler.enqueue(new Item('other'));
    await goOn(1000);
    await microtasks(10);
    expect(events).toEqual([]);
    scheduler.waits();
    await microtasks(2);
    expect(events).toEqual(['other', 'slice end']);
  });

  it('does not stay parked for an item that comes later', async () => {
    scheduler.enqueue(new Item('other'));
    await goOn(1000);
    scheduler.enqueue(new Item('later'));
    await microtasks(3);
    expect(events).toEqual(['other', 'later', 'slice end']);
  });

  it('is not parked by code that continues for some turns only, however often', async () => {
    scheduler.enqueue(new Item('first'));
    await goOn(100); // the event loop is asked for a new budget
    scheduler.waits();
    await microtasks(3);
    for (let round = 0; round < 10; round++) {
      events.length = 0;
      scheduler.enqueue(new Item('other'));
      await goOn(4);
      await microtasks(3);
      expect(events).toEqual(['other', 'slice end']);
    }
  });

  it('calls `onSliceEnd` when the budget is spent, before the items of the next slice', async () => {
    scheduler.enqueue(new Item('other'));
    await goOn(TURNS_PER_SLICE + 1);
    scheduler.enqueueUnfinished(new Item('cut off'));
    await microtasks(2);
    expect(events).toEqual(['slice end']);
    await new Promise(setImmediate);
    expect(events.slice(1, 3)).toEqual(['cut off', 'other']);
  });

  it('is not started by items that come after the budget was spent: the event loop starts it', async () => {
    scheduler.enqueue(new Item('first'));
    await goOn(TURNS_PER_SLICE + 1);
    scheduler.waits();
    await microtasks(3);
    for (let round = 0; round < 10; round++) {
      scheduler.enqueue(new Item('later'));
      await microtasks(3);
    }
    expect(events).toEqual(['slice end']);
    await new Promise(setImmediate);
    expect(events).toEqual(['slice end', 'first', ...Array.from({ length: 10 }, () => 'later'), 'slice end']);
  });

  it.each([12, 1000])(
    'is started once by the event loop when nothing else does, after %i turns',
    async (turns) => {
      scheduler.enqueue(new Item('other'));
      await goOn(turns);
      await new Promise(setImmediate);
      await microtasks(3);
      expect(events).toEqual(['other', 'slice end']);
    },
  );
});
