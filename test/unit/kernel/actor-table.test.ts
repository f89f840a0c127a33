import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ActorTable, setNextSerial } from '../../../ts/kernel/actor-table.ts';
import { Pid } from '../../../ts/term/index.ts';

const PAGE = 256;

interface Row {
  readonly pid: Pid;
}

let table: ActorTable<Row>;
beforeEach(() => {
  setNextSerial(1);
  table = new ActorTable(0);
});
afterEach(() => setNextSerial(1_000_000));

function add(): number {
  const local = table.nextId();
  table.add(local, { pid: new Pid(0, local) });
  return local;
}

/** The pages that the table holds, by their number. */
function pages(): [number, object][] {
  return [...(table as unknown as { pages: Map<number, object> }).pages];
}

describe('the table of actors', () => {
  it('keeps its page when one actor follows another', () => {
    table.remove(add());
    const [first] = pages();
    for (let n = 0; n < 100; n++) {
      table.remove(add());
      expect(pages()).toEqual([first]);
      expect(pages()[0]?.[1]).toBe(first?.[1]);
    }
    expect(table.size).toBe(0);
  });

  it('holds at most one page without actors', () => {
    const all = Array.from({ length: 5 * PAGE }, add);
    const order = [...all.keys()].sort((one, other) => ((one * 7919) % 1283) - ((other * 7919) % 1283));
    for (const index of order) {
      table.remove(all[index] as number);
      all[index] = 0;
      const used = new Set(all.filter((local) => local > 0).map((local) => Math.floor(local / PAGE)));
      expect(pages().length).toBeLessThanOrEqual(used.size + 1);
      for (const number of used) expect(pages().some(([held]) => held === number)).toBe(true);
    }
    expect(pages()).toHaveLength(1);
  });

  it('finds the actors of a page that was empty, and not those of a dropped one', () => {
    const early = add();
    table.remove(early);
    setNextSerial(early + 1);
    const again = add(); // in the page that was kept
    expect(table.get(again)?.pid.local).toBe(again);
    setNextSerial(10 * PAGE);
    const far = add();
    table.remove(far);
    expect(table.get(again)?.pid.local).toBe(again);
    table.remove(again); // the page of `far` is dropped
    expect(table.get(far)).toBeUndefined();
    setNextSerial(far);
    const local = add();
    expect(table.get(local)?.pid.local).toBe(local);
    expect([...table].map(({ pid }) => pid.local)).toEqual([local]);
    expect([...table.after(0)].map(({ pid }) => pid.local)).toEqual([local]);
  });
});
