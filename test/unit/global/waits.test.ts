// What global names wait for: a pause before a node is asked again, and the answers of several nodes.
import { beforeEach, describe, expect, it } from 'vitest';
import { FIRST_PAUSE_MS, MAX_ASKED_AGAIN, MAX_PAUSE_MS } from '../../../ts/global/limits.ts';
import { Member } from '../../../ts/global/member.ts';
import { MemberWaits } from '../../../ts/global/member-waits.ts';
import { RetryPauses } from '../../../ts/global/retry-pauses.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';

let over: string[];
beforeEach(() => void (over = []));
const end = (name: string) => () => void over.push(name);

describe('Q1 a pause', () => {
  let clock: VirtualClock;
  let pauses: RetryPauses;
  beforeEach(() => {
    clock = new VirtualClock();
    pauses = new RetryPauses(clock);
  });
  const pass = (ms: number): void => {
    const until = clock.now() + ms;
    while (clock.step(until));
    clock.skip(until - clock.now());
  };

  it('is twice as long as the one before, up to a limit, and ends once', () => {
    for (let asked = 0; asked < MAX_ASKED_AGAIN; asked++) {
      over = [];
      expect(pauses.begin(asked, end('pause'))).toBe(true);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** asked, MAX_PAUSE_MS);
      pass(pauseMs - 1);
      expect(over).toEqual([]);
      pass(1);
      expect(over).toEqual(['pause']);
    }
    pass(10 * MAX_PAUSE_MS);
    pauses.close();
    expect(over).toEqual(['pause']);
  });

  it('is the last after so many', () => {
    expect(pauses.begin(MAX_ASKED_AGAIN, end('pause'))).toBe(false);
    pass(10 * MAX_PAUSE_MS);
    expect(over).toEqual([]);
  });

  it('ends at once, and once, when the names are closed', () => {
    for (const name of ['a', 'b']) pauses.begin(0, end(name));
    pauses.close();
    expect(over).toEqual(['a', 'b']);
    pass(10 * MAX_PAUSE_MS);
    pauses.close();
    expect(over).toEqual(['a', 'b']);
  });
});

describe('Q1, Q5 a wait for several members', () => {
  const member = (number: number): Member =>
    new Member({
      node: `n${number}@fake:1`,
      nc: 256 + number,
      hidden: false,
      connection: number,
      incarnation: 1n,
    });
  const [a, b, c] = [member(1), member(2), member(3)];
  let waits: MemberWaits;
  beforeEach(() => void (waits = new MemberWaits()));

  it('ends with the last answer, and at once when nobody is to answer', () => {
    waits.begin(1, [], end('nobody'));
    expect([over, waits.size]).toEqual([['nobody'], 0]);
    waits.begin(2, [a, b], end('both'));
    waits.arrived(2, a);
    waits.arrived(2, a);
    waits.arrived(2, c);
    waits.arrived(3, b);
    expect([over, waits.size]).toEqual([['nobody'], 1]);
    waits.arrived(2, b);
    waits.arrived(2, b);
    expect([over, waits.size]).toEqual([['nobody', 'both'], 0]);
  });

  it('has those that are added, as long as it lasts', () => {
    waits.begin(1, [a], end('one'));
    waits.add(1, b);
    waits.add(2, b);
    waits.arrived(1, a);
    expect(over).toEqual([]);
    waits.arrived(1, b);
    waits.add(1, c);
    expect([over, waits.size]).toEqual([['one'], 0]);
  });

  it('does not wait for a member that is lost', () => {
    waits.begin(1, [a], end('one'));
    waits.begin(2, [a, b], end('two'));
    waits.begin(3, [b], end('three'));
    waits.release(a);
    expect([over, waits.size]).toEqual([['one'], 2]);
    waits.release(b);
    expect([over, waits.size]).toEqual([['one', 'two', 'three'], 0]);
  });

  it('ends with all others, once, when the names are closed', () => {
    for (const [id, name] of ['one', 'two'].entries()) waits.begin(id, [a, b], end(name));
    waits.close();
    waits.arrived(0, a);
    waits.release(b);
    waits.close();
    expect([over, waits.size]).toEqual([['one', 'two'], 0]);
  });
});
