// How much time a process that stops on signals gives itself, on a clock that the test moves. What it does is in test/cluster/one-node/signals.test.ts.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../ts/index.ts';

/** What the native core was told: the signals, and after how many ms it ends the process. */
const watchdog = vi.hoisted((): { armed: [signals: readonly number[], ms: number][]; refusal?: Error } => ({
  armed: [],
}));
vi.mock('../../../bindings/index.ts', async (actual) => ({
  ...(await actual<object>()),
  loadNative: () => ({
    armSignalWatchdog: (signals: readonly number[], ms: number) => {
      if (watchdog.refusal !== undefined) throw watchdog.refusal;
      watchdog.armed.push([signals, ms]);
    },
    disarmSignalWatchdog: () => {},
  }),
}));

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Listener = (signal: string) => void;
const listeners = (signal: NodeJS.Signals): Listener[] => process.listeners(signal) as Listener[];
const others = new Set(SIGNALS.flatMap(listeners));
/** The process receives a signal; whoever else listens, such as the test runner, does not. */
function receive(signal: (typeof SIGNALS)[number]): void {
  for (const listener of listeners(signal)) if (!others.has(listener)) listener(signal);
}

const ended = vi.fn<(code?: number) => void>();
let stopOnSignals: typeof import('../../../ts/node/stop-on-signals.ts').stopOnSignals;
beforeEach(async () => {
  vi.resetModules(); // a process has one first signal
  ({ stopOnSignals } = await import('../../../ts/node/stop-on-signals.ts'));
  vi.spyOn(process, 'exit').mockImplementation(ended as never);
  vi.useFakeTimers();
});
afterEach(() => {
  for (const signal of SIGNALS)
    for (const listener of listeners(signal))
      if (!others.has(listener)) process.removeListener(signal, listener);
  vi.useRealTimers();
  vi.restoreAllMocks();
  ended.mockReset();
  watchdog.armed = [];
  delete watchdog.refusal;
});

/** A node whose trees never end; the times it got for them. */
function endless(): { node: Parameters<typeof stopOnSignals>[0]; times: number[] } {
  const times: number[] = [];
  const stop = ({ timeout }: { timeout: number }): Promise<void> => {
    times.push(timeout);
    return new Promise(() => {});
  };
  return { node: { logger: silentLogger, stop }, times };
}

it('by default 10 s for `before` and the trees, 5 s more for the process, and one more for the native core', async () => {
  const { node, times } = endless();
  stopOnSignals(node, { before: () => new Promise(() => {}) });
  expect(watchdog.armed).toEqual([[[15, 2], 16_000]]);
  receive('SIGTERM');
  await vi.advanceTimersByTimeAsync(9999);
  expect(times).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(times).toEqual([0]);
  await vi.advanceTimersByTimeAsync(4999);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ended.mock.calls).toEqual([[143]]);
});

it('in a worker thread, which gets no signals, it changes nothing but says so', async () => {
  vi.resetModules();
  vi.doMock('node:worker_threads', async (actual) => ({ ...(await actual<object>()), isMainThread: false }));
  const inWorker = (await import('../../../ts/node/stop-on-signals.ts')).stopOnSignals;
  vi.doUnmock('node:worker_threads');
  const main = endless();
  stopOnSignals(main.node, { timeout: 60_000 });
  const warn = vi.fn();
  const { node } = endless();
  const undo = inWorker({ ...node, logger: { ...silentLogger, warn } }, { timeout: 0, grace: 0 });
  undo();
  expect(watchdog.armed).toEqual([[[15, 2], 66_000]]);
  expect(SIGNALS.map((signal) => listeners(signal).filter((each) => !others.has(each)).length)).toEqual([
    1, 1,
  ]);
  expect(warn.mock.calls).toEqual([
    [{ event: 'stop_on_signals' }, expect.stringContaining('no effect in a worker thread')],
  ]);
});

it('the trees get what `before` leaves of the time', async () => {
  const { node, times } = endless();
  stopOnSignals(node, { timeout: 6000, before: () => new Promise((resolve) => setTimeout(resolve, 4000)) });
  receive('SIGINT');
  await vi.advanceTimersByTimeAsync(4000);
  expect(times).toEqual([2000]);
});

it('several nodes stop at the same time, and the process waits for the one with the most time', async () => {
  const [one, other] = [endless(), endless()];
  stopOnSignals(one.node, { timeout: 1000, grace: 100 });
  stopOnSignals(other.node, { timeout: 3000, grace: 200 });
  expect(watchdog.armed.at(-1)?.[1]).toBe(4200);
  receive('SIGTERM');
  await vi.advanceTimersByTimeAsync(0);
  expect([one.times, other.times]).toEqual([[1000], [3000]]);
  await vi.advanceTimersByTimeAsync(3199);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ended.mock.calls).toEqual([[143]]);
});

it('throws what the native core throws, and leaves no signal handler then', () => {
  watchdog.refusal = new Error('no thread');
  expect(() => stopOnSignals(endless().node, {})).toThrow('no thread');
  expect(SIGNALS.flatMap(listeners).filter((listener) => !others.has(listener))).toEqual([]);
});

it('told again for the same node it has the new times, and one signal is one', async () => {
  const { node, times } = endless();
  stopOnSignals(node, { timeout: 1000 });
  const undo = stopOnSignals(node, { timeout: 3000, grace: 200 });
  expect(watchdog.armed.at(-1)?.[1]).toBe(4200);
  receive('SIGTERM');
  await vi.advanceTimersByTimeAsync(3199);
  expect(times).toEqual([3000]);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ended.mock.calls).toEqual([[143]]);
  undo(); // does nothing any more
});

it('told again for the same node, and undone, it leaves no signal handler', () => {
  const { node } = endless();
  const first = stopOnSignals(node, {});
  const second = stopOnSignals(node, {});
  first(); // what the second has replaced
  expect(SIGNALS.flatMap(listeners).filter((listener) => !others.has(listener))).toHaveLength(2);
  second();
  expect(SIGNALS.flatMap(listeners).filter((listener) => !others.has(listener))).toEqual([]);
});
