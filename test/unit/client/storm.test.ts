// A server restarts: when its clients come back. Time and chance are the test's own, so every figure is exact.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Connector } from '../../../ts/client/connector.ts';

const CLIENTS = 2000;
/** What a server of so many says in its welcome: 2 ms for each. */
const SPREAD_MS = 4000;
const SLICE_MS = 100;

let isUp: boolean;
/** Attempts to connect since the server went, by slice. */
let slices: number[];
let since: number;

/** The time, and what is due at each ms. The clock of the test runner takes minutes for so many timers. */
let now: number;
const due = new Map<number, Set<() => void>>();

function at(run: () => void, ms: number): () => void {
  const when = now + Math.max(1, Math.ceil(ms));
  const runs = due.get(when) ?? new Set();
  due.set(when, runs.add(run));
  return () => void runs.delete(run);
}

function pass(ms: number): void {
  for (const end = now + ms; now < end; ) {
    now++;
    const runs = due.get(now) ?? [];
    due.delete(now);
    for (const run of runs) run();
  }
}

/** A socket that opens or fails in the next turn. */
class StormSocket extends EventTarget {
  binaryType = '';
  readyState = 0;

  constructor() {
    super();
    const slice = Math.floor((now - since) / SLICE_MS);
    slices[slice] = (slices[slice] ?? 0) + 1;
    all.add(this);
    at(() => {
      this.readyState = isUp ? 1 : 3;
      if (isUp) this.dispatchEvent(new Event('open'));
      else this.fail(1006);
    }, 0);
  }

  send(): void {}

  close(): void {
    this.readyState = 3;
    all.delete(this);
  }

  fail(code: number): void {
    all.delete(this);
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}
const all = new Set<StormSocket>();
let connectors: Connector[];

/** Numbers from a fixed seed. */
function seeded(): () => number {
  let seed = 20_240_601;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

beforeEach(() => {
  now = 1;
  due.clear();
  vi.stubGlobal('setTimeout', at);
  vi.stubGlobal('clearTimeout', (cancel?: () => void) => cancel?.());
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  isUp = true;
  slices = [];
  since = now;
  all.clear();
  const random = seeded();
  connectors = Array.from({ length: CLIENTS }, () => {
    const connector: Connector = new Connector(
      ['ws://x'],
      { WebSocket: StormSocket as never, random },
      {
        opened: () => connector.established(0, SPREAD_MS, () => {}),
        data: () => {},
        closed: () => {},
        denied: () => {},
        status: () => {},
      },
    );
    return connector;
  });
  pass(2);
  expect(open()).toBe(CLIENTS);
});
afterEach(() => {
  for (const connector of connectors) connector.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const open = (): number => connectors.filter(({ status }) => status === 'open').length;

/** All sockets end at once; what is counted begins now. */
function crash(code: number): void {
  slices = [];
  since = now;
  for (const socket of [...all]) socket.fail(code);
}
const most = (): number => Math.max(...Array.from(slices, (each) => each ?? 0));
const total = (): number => slices.reduce((sum, each) => sum + (each ?? 0), 0);

it('2 000 clients of a server that restarts at once spread their reconnects over the time that it named', () => {
  crash(1006);
  pass(SPREAD_MS + 2);
  expect(open()).toBe(CLIENTS);
  expect(total()).toBe(CLIENTS);
  // Even would be 50 in each of the 40 slices.
  expect(slices.length).toBeGreaterThanOrEqual(40);
  expect(most()).toBeLessThan(85);
});

it('of 2 000 clients of a server that is down for 3 s, at most a tenth reconnect at a time', () => {
  isUp = false;
  crash(1006);
  pass(3000);
  isUp = true;
  pass(30_000);
  expect(open()).toBe(CLIENTS);
  expect(most()).toBeLessThan(CLIENTS / 10);
  // Some three quarters failed at least once; nobody hammered.
  expect(total()).toBeLessThan(CLIENTS * 4);
});

it('clients that a draining server has closed one after the other wait at most the first bound', () => {
  crash(1012);
  pass(502);
  expect([open(), total()]).toEqual([CLIENTS, CLIENTS]);
});
