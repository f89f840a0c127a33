// The client's connection in a page: the network goes and comes back, the tab sleeps, the server is silent.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../../ts/client/backoff.ts';
import { Connector } from '../../../ts/client/connector.ts';

/** A browser's WebSocket and page, and time, in the hands of a test. */
class FakePageSocket extends EventTarget {
  static readonly all: FakePageSocket[] = [];
  binaryType = '';
  readyState = 0;
  readonly sent: unknown[] = [];
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    FakePageSocket.all.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  hear(data: string): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  fail(code = 1006): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}

const page = new EventTarget() as EventTarget & { document?: EventTarget & { visibilityState: string } };
const doc = Object.assign(new EventTarget(), { visibilityState: 'visible' });
let connector: Connector;
let statuses: string[];
let beats: number;
const socket = (): FakePageSocket => FakePageSocket.all.at(-1) as FakePageSocket;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  vi.stubGlobal('document', doc);
  FakePageSocket.all.length = 0;
  statuses = [];
  beats = 0;
  connector = new Connector(
    ['ws://x'],
    { WebSocket: FakePageSocket as never, random: () => 1 },
    {
      opened: () => connector.established(10_000, 3000, () => void beats++),
      data: () => {},
      closed: () => {},
      denied: () => {},
      status: (status) => void statuses.push(status),
    },
  );
  await vi.advanceTimersByTimeAsync(0);
  socket().open();
});
afterEach(() => {
  connector.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a connection in a page', () => {
  it('waits a random time after a loss, up to the bound that the server set, and then longer and longer', async () => {
    socket().fail();
    await vi.advanceTimersByTimeAsync(2999);
    expect(FakePageSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakePageSocket.all).toHaveLength(2);
    expect(statuses).toEqual(['connecting', 'open', 'waiting', 'connecting']);
    for (const [attempt, wait] of [3000, 3000, 4000, 8000].entries()) {
      socket().fail();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(FakePageSocket.all).toHaveLength(attempt + 2);
      await vi.advanceTimersByTimeAsync(1);
      expect(FakePageSocket.all).toHaveLength(attempt + 3);
    }
  });

  it('does not wait when the network is back or the page becomes visible', async () => {
    socket().fail();
    page.dispatchEvent(new Event('online'));
    expect(FakePageSocket.all).toHaveLength(2);
    socket().fail();
    doc.visibilityState = 'hidden';
    doc.dispatchEvent(new Event('visibilitychange'));
    expect(FakePageSocket.all).toHaveLength(2);
    doc.visibilityState = 'visible';
    doc.dispatchEvent(new Event('visibilitychange'));
    expect(FakePageSocket.all).toHaveLength(3);
  });

  it('probes the server when the network is lost, and does not connect before it is back', async () => {
    socket().hear('x');
    page.dispatchEvent(new Event('offline'));
    expect(beats).toBe(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(connector.status).toBe('waiting');
    page.dispatchEvent(new Event('offline'));
    expect(FakePageSocket.all).toHaveLength(1);
    doc.visibilityState = 'hidden';
    page.dispatchEvent(new Event('online'));
    doc.visibilityState = 'visible';
    expect(FakePageSocket.all).toHaveLength(2);
  });

  it('probes a silent server after a sleep, and gives it up without an answer', async () => {
    socket().hear('x');
    await vi.advanceTimersByTimeAsync(11_000);
    expect(beats).toBe(1);
    doc.dispatchEvent(new Event('visibilitychange'));
    expect(beats).toBe(2);
    socket().hear('x');
    await vi.advanceTimersByTimeAsync(4000);
    expect(connector.status).toBe('open');
    page.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(connector.status).toBe('waiting');
  });

  it('probes a server that is silent for two and a half heartbeats, and then gives it up', async () => {
    socket().hear('x');
    await vi.advanceTimersByTimeAsync(25_000);
    expect(connector.status).toBe('open');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(connector.status).not.toBe('open');
  });

  it('gives up a silent server whose heartbeats come faster than a probe ends', async () => {
    connector.established(1000, 3000, () => void beats++);
    socket().hear('x');
    await vi.advanceTimersByTimeAsync(9000);
    expect(connector.status).not.toBe('open');
  });

  it('reads what arrived during a sleep before it gives a server up', async () => {
    socket().hear('x');
    page.dispatchEvent(new Event('online')); // the server has 5 s
    vi.setSystemTime(Date.now() + 60_000); // the page sleeps for a minute of them
    await vi.advanceTimersByTimeAsync(5000);
    expect(connector.status).toBe('open');
    socket().hear('what was in the socket');
    await vi.advanceTimersByTimeAsync(5000);
    expect(connector.status).toBe('open');
    page.dispatchEvent(new Event('online'));
    vi.setSystemTime(Date.now() + 60_000);
    await vi.advanceTimersByTimeAsync(9999);
    expect(connector.status).toBe('open');
    await vi.advanceTimersByTimeAsync(1); // nothing was in it
    expect(connector.status).not.toBe('open');
  });

  it.each([-3_600_000, 3_600_000])(
    'gives up a silent server although the clock jumps by %d ms',
    async (ms) => {
      socket().hear('x');
      vi.setSystemTime(Date.now() + ms);
      await vi.advanceTimersByTimeAsync(40_000);
      expect(statuses).toContain('waiting');
    },
  );

  it('tells how long it was away, or longer, although the clock is set back', async () => {
    expect([connector.awayMs(0), connector.awayMs(Date.now() - 5), connector.awayMs(Date.now() + 5)]).toEqual(
      [0, 5, 0],
    );
    expect(connector.awayMs(Date.now() + 3_600_000)).toBe(1e15); // set back before the state was read
    socket().hear('x');
    await vi.advanceTimersByTimeAsync(7000);
    expect(connector.awayMs(0)).toBe(7000);
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(connector.awayMs(0)).toBe(7000);
    vi.setSystemTime(Date.now() + 2 * 3_600_000); // a sleep in which the other clock stood still
    expect(connector.awayMs(0)).toBe(3_607_000);
  });

  it('waits longer and longer for a server that closes it soon after each welcome', async () => {
    for (const wait of [3000, 3000, 3000, 4000, 8000]) {
      socket().fail(1011);
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(connector.status).toBe('waiting');
      await vi.advanceTimersByTimeAsync(1);
      expect(connector.status).toBe('connecting');
      socket().open();
    }
    await vi.advanceTimersByTimeAsync(5000);
    socket().fail(1011);
    await vi.advanceTimersByTimeAsync(3000);
    expect(connector.status).toBe('connecting');
  });

  it('gives up a server that says something, but no welcome', async () => {
    socket().fail();
    await vi.advanceTimersByTimeAsync(3000);
    socket().hear('["drain",null]');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(statuses.at(-1)).toBe('waiting');
  });

  it('gives up a server that does not open', async () => {
    socket().fail();
    await vi.advanceTimersByTimeAsync(3000);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(statuses.at(-1)).toBe('waiting');
  });

  it('ignores events of a socket that it has given up', async () => {
    const old = socket();
    old.fail();
    old.fail();
    await vi.advanceTimersByTimeAsync(3000);
    expect(FakePageSocket.all).toHaveLength(2);
  });
});

it('waits of many clients are spread evenly over their bound', () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const waits = Array.from({ length: 2000 }, () => new Backoff({ random }).next(4000));
  const perSecond = [0, 1, 2, 3].map(
    (second) => waits.filter((ms) => Math.floor(ms / 1000) === second).length,
  );
  expect(Math.max(...perSecond)).toBeLessThan(600);
  expect(Math.min(...perSecond)).toBeGreaterThan(400);
  const backoff = new Backoff({ random: () => 1 });
  expect(Array.from({ length: 9 }, () => backoff.next(0))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});
