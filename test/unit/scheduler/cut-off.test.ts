// Where an item whose turn was cut off is in the queue.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Queued, Scheduler } from '../../../ts/scheduler/scheduler.ts';

/** What an item does in a turn. `cut`: the budget ends in it; `all`: it ends with the budget, but is not cut off. */
type Turn = 'cut' | 'all' | 'done' | Item;

class Item implements Queued<Item> {
  nextInQueue: Item | null = null;
  readonly name: string;
  readonly turns: Turn[];

  constructor(name: string, ...turns: Turn[]) {
    this.name = name;
    this.turns = turns;
  }
}

let scheduler: Scheduler<Item>;
/** The turns, and `|` for the end of each slice. */
let log: string[];

beforeEach(() => {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now); // slices end by turns alone
  const seen: string[] = []; // a scheduler of an earlier test may still end its slice
  log = seen;
  scheduler = new Scheduler<Item>(run, () => void seen.push('|'));
});
afterEach(() => vi.restoreAllMocks());

function run(item: Item): boolean {
  log.push(item.name);
  const turn = item.turns.shift();
  if (turn instanceof Item) scheduler.enqueue(turn);
  if (turn === 'cut' || turn === 'all') while (scheduler.spend());
  if (turn === 'cut') scheduler.enqueueUnfinished(item);
  return false;
}

/** The turns of the items, in this order in the queue at first. */
async function turnsOf(...items: Item[]): Promise<string> {
  for (const item of items) scheduler.enqueue(item);
  do await new Promise(setImmediate);
  while (scheduler.hasWork);
  return log.join('');
}

describe('P6 an item whose turn was cut off', () => {
  it('is first for four slices, then last, then first again', async () => {
    const late = new Item('c');
    const long = new Item('a', 'cut', 'cut', 'cut', 'cut', 'cut', 'done');
    expect(await turnsOf(long, new Item('b', late))).toBe('a|a|a|a|ba|ac|');
  });

  it('is first when other items were cut off in the slices before', async () => {
    const items = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => new Item(name, 'cut', 'done'));
    expect(await turnsOf(...items, new Item('z'))).toBe('a|ab|bc|cd|de|ef|fz|');
  });

  it('is first when it was not cut off in the slice before', async () => {
    const long = new Item('a', 'cut', 'cut', 'cut', 'done', 'cut', 'done');
    const again = new Item('b', long);
    const all = new Item('c', 'all');
    expect(await turnsOf(long, again, all, new Item('d'), new Item('e', new Item('f')))).toBe(
      'a|a|a|abc|dea|af|',
    );
  });

  it('is not lost when an item comes later, also when it was the only one', async () => {
    const only = new Item('a', 'cut', 'done');
    scheduler.enqueue(only);
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    expect(log.join('')).toBe('a|');
    expect(await turnsOf(new Item('b'), new Item('c'))).toBe('a|abc|');
  });
});
