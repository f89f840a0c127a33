// How fast a client sends: against the rate limit of servers, with the clock in the hands of the test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pacer } from '../../../ts/client/pacer.ts';
import { DEFAULT_LIMITS } from '../../../ts/rooms/limits.ts';
import { RateLimit, rateOf } from '../../../ts/rooms/rate-limit.ts';

const RATE = rateOf(DEFAULT_LIMITS);
let written: (number | 'beat')[];
let pacer: Pacer;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  pacer = new Pacer(() => void written.push('beat'));
});
afterEach(() => {
  pacer.end();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Sends messages with the numbers `from` to `to`. */
function send(from: number, to: number): void {
  for (let number = from; number <= to; number++) pacer.send(() => void written.push(number), number);
}
const numbers = (): number[] => written.filter((each) => each !== 'beat');
const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('a client of a server that takes 100 messages per second, and 200 at once', () => {
  beforeEach(() => pacer.begin(RATE));

  it('sends what it may at once, and the rest at that rate, with at most one timer for each message', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const limit = new RateLimit(DEFAULT_LIMITS.messagesPerSecond);
    const state = { theoreticalArrival: 0 };
    expect(limit.take(state, performance.now())).toBe(true); // the hello
    let read = 0;
    let refused = 0;
    const readAll = (): void => {
      for (; read < written.length; read++) {
        if (!limit.take(state, performance.now())) refused++;
        const key = written[read] as number | 'beat';
        pacer.answered(key === 'beat' ? undefined : key);
      }
    };
    send(1, 1000);
    expect(numbers()).toEqual(oneTo(198)); // the hello is one, and one place is for a heartbeat
    readAll();
    expect(numbers()).toEqual(oneTo(198));
    for (let ms = 0; ms < 9000; ms++) {
      vi.advanceTimersByTime(1);
      readAll();
    }
    expect([numbers(), refused]).toEqual([oneTo(1000), 0]);
    expect(timers.mock.calls.length).toBeLessThanOrEqual(1000);
  });

  it('waits until the server has read what it sent, however long that takes', () => {
    send(1, 1000);
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual([...oneTo(199), 'beat']);
    pacer.answered();
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual([
      ...oneTo(199),
      'beat',
      ...Array.from({ length: 199 }, (_, at) => 200 + at),
      'beat',
    ]);
  });

  it('takes the acknowledgement of a message for that of all before it', () => {
    send(1, 199);
    pacer.answered(100);
    pacer.answered(50);
    vi.advanceTimersByTime(10_000);
    send(200, 400);
    expect(numbers()).toEqual(oneTo(299));
  });

  it('sends a heartbeat before what waits, and only one at a time', () => {
    send(1, 300);
    vi.advanceTimersByTime(60_000);
    pacer.beat();
    pacer.beat();
    expect(written).toEqual([...oneTo(199), 'beat']);
    pacer.answered();
    pacer.beat();
    expect(written).toHaveLength(200); // 200 were read at once: the next one has to wait
    vi.advanceTimersByTime(11);
    expect(written.slice(200)).toEqual(['beat']);
  });

  it('drops what waits when the connection ends, and begins anew', () => {
    send(1, 300);
    pacer.end();
    vi.advanceTimersByTime(60_000);
    expect(numbers()).toEqual(oneTo(198));
    pacer.begin(RATE);
    send(1, 10);
    expect(numbers()).toEqual([...oneTo(198), ...oneTo(10)]);
  });
});

it('a client sends all at once to a server that does not tell its rate', () => {
  pacer.begin(undefined);
  send(1, 1000);
  pacer.beat();
  pacer.beat();
  expect(written).toEqual([...oneTo(1000), 'beat', 'beat']);
});

it('a server tells a burst that its handlers can wait for', () => {
  const limits = (messagesPerSecond: number, waiting: number) => ({
    ...DEFAULT_LIMITS,
    messagesPerSecond,
    waiting,
  });
  expect(rateOf(limits(100, 256))).toEqual({ perSecond: 100, burst: 200 });
  expect(rateOf(limits(100, 10))).toEqual({ perSecond: 100, burst: 30 });
  expect(rateOf(limits(1, 1))).toEqual({ perSecond: 1, burst: 2 });
});
