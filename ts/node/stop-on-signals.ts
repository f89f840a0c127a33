// On SIGTERM or SIGINT: stops the nodes of the process, then ends the process.
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { loadNative, type Native } from '../../bindings/index.ts';
import { checkTimeout, type Logger } from '../actor/index.ts';
import { checkFunction, checkOptionNames, type OptionNames } from '../errors/index.ts';

/** The options of `node.stopOnSignals`. */
export interface StopOnSignalsOptions {
  /** ms for `before` and the supervision trees together; default 10 000. Infinity: no limit. */
  readonly timeout?: number | undefined;
  /** ms after `timeout` until the process ends in any case. Default 5000. */
  readonly grace?: number | undefined;
  /** Runs first, while the node still works: to stop accepting work, to disconnect clients. What it throws is logged. */
  readonly before?: (() => unknown) | undefined;
}

const OPTIONS: OptionNames<StopOnSignalsOptions> = { timeout: true, grace: true, before: true };
const TIMEOUT_MS = 10_000;
const GRACE_MS = 5000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];
/** The longest time of a timer of Node.js; a longer one fires at once. Here it means that there is no limit. Unit: ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The native core ends the process this much later than JavaScript would. Unit: ms. */
const NATIVE_LATER_MS = 1000;

/** A node. */
interface Stoppable {
  readonly logger: Logger;
  stop(options: { readonly timeout: number }): Promise<void>;
}

interface Entry {
  readonly node: Stoppable;
  readonly timeout: number;
  readonly grace: number;
  readonly before: (() => unknown) | undefined;
}

/** The nodes of this process that stop on signals. */
const entries = new Set<Entry>();
let isStopping = false;

/** See `Node.stopOnSignals`. Returns a function that undoes it. Throws SNOW_ERR_NATIVE_FAULT, and has no effect then. */
export function stopOnSignals(node: Stoppable, options: StopOnSignalsOptions): () => void {
  checkOptionNames('stopOnSignals', options, OPTIONS);
  const { timeout: ofTrees = TIMEOUT_MS, grace: behind = GRACE_MS } = options;
  const timeout = checkTimeout(ofTrees);
  const grace = checkTimeout(behind);
  const { before } = options;
  if (before !== undefined) checkFunction('stopOnSignals', before);
  if (!isMainThread) {
    const why = 'signals reach the main thread only: `stopOnSignals` has no effect in a worker thread';
    node.logger.warn({ event: 'stop_on_signals' }, `${why}; have the main thread tell it to stop its node`);
    return () => {};
  }
  const entry: Entry = { node, timeout, grace, before };
  if (entries.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  for (const each of entries) if (each.node === node) entries.delete(each);
  entries.add(entry);
  try {
    arm();
  } catch (error) {
    release(entry);
    throw error;
  }
  return () => release(entry);
}

/** Undoes `stopOnSignals` for a node that was stopped in another way. */
export function stoppedWithoutSignal(node: Stoppable): void {
  for (const entry of entries) if (entry.node === node) release(entry);
}

function release(entry: Entry): void {
  if (isStopping || !entries.delete(entry)) return;
  if (entries.size > 0) return arm();
  native()?.disarmSignalWatchdog();
  for (const signal of SIGNALS) process.removeListener(signal, onSignal);
}

/** Has the native core end the process after a signal when the time of all nodes is over and JavaScript has not done it. */
function arm(): void {
  native()?.armSignalWatchdog(
    SIGNALS.map((signal) => constants.signals[signal]),
    lastMs() + NATIVE_LATER_MS,
  );
}

function lastMs(): number {
  return Math.max(...[...entries].map(({ timeout, grace }) => timeout + grace));
}

function onSignal(signal: Signal): void {
  const code = 128 + constants.signals[signal];
  if (isStopping) {
    say('a second signal: the process ends at once', { signal });
    process.exit(code);
  }
  isStopping = true;
  say('a signal: the process ends in order', { signal });
  const ms = lastMs();
  if (ms <= MAX_TIMER_MS) {
    setTimeout(() => {
      say('the process did not end in order in time, and ends now', { signal, ms });
      process.exit(code);
    }, ms);
  }
  void Promise.allSettled([...entries].map(stop)).then(() => process.exit());
}

async function stop({ node, timeout, before }: Entry): Promise<void> {
  const end = performance.now() + timeout;
  if (before !== undefined) await inTime(before, timeout, node);
  await node.stop({ timeout: Math.max(0, end - performance.now()) });
}

/** Waits for `before`, but not longer than `ms`. */
async function inTime(before: () => unknown, ms: number, { logger }: Stoppable): Promise<void> {
  const failed = (err: unknown): void =>
    logger.error({ event: 'stop_on_signals', err }, '`before` of stopOnSignals failed; the stop goes on');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    if (ms <= MAX_TIMER_MS) timer = setTimeout(resolve, ms);
  });
  const work = (async () => void (await before()))().catch(failed);
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function say(text: string, facts: object): void {
  for (const { node } of entries) node.logger.warn({ event: 'stop_on_signals', ...facts }, text);
}

/** Undefined where there is no native core: then only JavaScript ends the process. */
function native(): Native | undefined {
  try {
    return loadNative();
  } catch {
    return undefined;
  }
}
