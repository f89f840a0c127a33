import { briefJson, printable } from './brief-reason.ts';
import { promiseOf } from './promise.ts';

/**
 * Where the runtime logs crashes and warnings. It has the shape of a pino logger, so that one can be passed as it is. What a logger
 * throws, or rejects with, is ignored.
 *
 * @example
 * await startNode({ logger: pino() });
 */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
}

/**
 * The default logger: warnings and errors on standard error, one line each, and the stack of a crash below its line. For crashes with
 * the same stack it prints at most 20 lines a second, each with how often it came.
 */
export const consoleLogger: Logger = {
  error: (facts, message) => print('error', facts, message),
  warn: (facts, message) => print('warn', facts, message),
  info: nothing,
  debug: nothing,
};

/** Logs nothing: the facts need not be prepared. */
function nothing(): void {}

/** Wraps a logger so that its failures end neither the actor that logs nor its supervisor (A4). */
export function guarded(logger: Logger): Logger {
  if (logger === silentLogger) return logger;
  const at =
    (level: keyof Logger): Logger['error'] =>
    (facts, message) => {
      try {
        const log = logger[level];
        if (log === nothing) return;
        const pending: unknown = log.call(
          logger,
          'reason' in facts ? { ...facts, reason: printable(facts.reason) } : facts,
          message,
        );
        promiseOf(pending)?.then(undefined, () => {});
      } catch {
        // The logger itself failed: there is no other place to report it.
      }
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** A logger that logs nothing: for tests. */
export const silentLogger: Logger = Object.freeze({
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
});

function print(level: string, facts: object, message: string): void {
  const below = stackBelow(facts);
  if (below !== undefined)
    console.error(`snowmesh ${level}: ${message} ${briefJson(facts, MAX_LINE_LENGTH)}${below}`);
}

/**
 * The stack of the facts' reason or error, on lines of its own, so that a terminal can link the user's file. A stack that was printed
 * within the last minute is only counted: a child that crashes repeatedly does not fill the screen. Undefined: the line must not be
 * printed, because this stack has reached its limit for this second.
 */
function stackBelow(facts: object): string | undefined {
  const { reason, err, event } = facts as Record<'reason' | 'err', { stack?: unknown } | null | undefined> & {
    event?: unknown;
  };
  const stack = (reason ?? err)?.stack;
  if (typeof stack !== 'string' || stack === '') return '';
  const lines = stack.slice(0, MAX_STACK_LENGTH).split('\n', MAX_STACK_LINES);
  const seen = countOf(lines.filter((one) => one.startsWith('    at ')).join(), event);
  if (seen === undefined) return lines.map((one) => `\n    ${one.replace(CONTROL, ' ').trim()}`).join('');
  if (seen.inSecond > MAX_LINES_PER_SECOND) return undefined;
  return seen.times === 1 ? ' (stack as above)' : ` (stack as above, ${seen.times} times within a minute)`;
}

/** How often an event had a recently printed stack. Times are in ms of `performance.now()`. */
interface Count {
  times: number;
  /** When the current second began. */
  second: number;
  /** How often it came in that second. */
  inSecond: number;
}

/** A recently printed stack: since when, and its count for each event. A crash, and the failed start that it is, are two events. */
interface Printed {
  readonly since: number;
  readonly counts: Map<unknown, Count>;
}

/** Recently printed stacks, by their frames; the least recently printed first. */
const printed = new Map<string, Printed>();
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 16;
/** Most lines in a second for one stack and event: a loop of crashes must not block the process with writes, nor fill a disk. */
const MAX_LINES_PER_SECOND = 20;

/** Counts a stack that was printed within the last minute. Undefined: it is to be printed, and is remembered from now on. */
function countOf(frames: string, event: unknown): Count | undefined {
  if (frames === '') return undefined;
  const now = performance.now();
  const entry = printed.get(frames);
  if (entry !== undefined && now - entry.since < REMEMBERED_MS) {
    const count = entry.counts.get(event) ?? { times: 0, second: now, inSecond: 0 };
    entry.counts.set(event, count);
    count.times++;
    if (now - count.second >= 1000) Object.assign(count, { second: now, inSecond: 1 });
    else count.inSecond++;
    return count;
  }
  printed.delete(frames);
  const [oldest] = printed.keys();
  if (printed.size >= MAX_REMEMBERED && oldest !== undefined) printed.delete(oldest);
  printed.set(frames, {
    since: now,
    counts: new Map([[event, { times: 1, second: now, inSecond: 1 }]]),
  });
  return undefined;
}

/** Control characters are removed: the reason may come from a peer, which must not control the terminal. */
const CONTROL = /\p{Cc}/gu;
const MAX_LINE_LENGTH = 8192;
const MAX_STACK_LENGTH = 8192;
const MAX_STACK_LINES = 20;
