import { briefJson, printable } from './brief-reason.ts';
import { isPromise } from './promise.ts';

/** Where the runtime reports crashes; the shape of pino, so that a pino logger can be passed as it is. */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
}

/**
 * The default: warnings and errors on standard error, one line each, and the stack of a crash below its line. Of crashes with the
 * same stack it prints at most 20 lines a second, with how many there were.
 *
 * @example
 * await startNode({ logger: pino() }); // or console, or anything else with these four methods
 */
export const consoleLogger: Logger = {
  error: (facts, message) => print('error', facts, message),
  warn: (facts, message) => print('warn', facts, message),
  info: () => {},
  debug: () => {},
};

/** A logger whose failures end neither the actor that logs nor its supervisor (A4). */
export function guarded(logger: Logger): Logger {
  const at =
    (level: keyof Logger): Logger['error'] =>
    (facts, message) => {
      try {
        const pending: unknown = logger[level](
          'reason' in facts ? { ...facts, reason: printable(facts.reason) } : facts,
          message,
        );
        if (isPromise(pending)) pending.then(undefined, () => {});
      } catch {
        // The logger itself failed: there is no other place to report it.
      }
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** A logger that says nothing. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };

function print(level: string, facts: object, message: string): void {
  const below = stackBelow(facts);
  if (below !== undefined)
    console.error(`snowmesh ${level}: ${message} ${briefJson(facts, LONGEST_LINE)}${below}`);
}

/**
 * The stack of the facts' reason or error, in lines of its own, where an editor's terminal finds the user's file in it. One that was printed
 * within the last minute is only counted: a child that crashes again and again does not fill the screen. Undefined: the line is not
 * to be printed, since this stack had its lines of this second.
 */
function stackBelow(facts: object): string | undefined {
  const { reason, err } = facts as Record<'reason' | 'err', { stack?: unknown } | null | undefined>;
  const stack = (reason ?? err)?.stack;
  if (typeof stack !== 'string' || stack === '') return '';
  const lines = stack.slice(0, LONGEST_STACK).split('\n', MOST_STACK_LINES);
  const entry = seenAgain(lines.filter((one) => one.startsWith('    at ')).join());
  if (entry === undefined) return lines.map((one) => `\n    ${one.replace(CONTROL, ' ').trim()}`).join('');
  if (++entry.inSecond > MOST_A_SECOND) return undefined;
  return ` (stack as above, ${entry.times} times within a minute)`;
}

/** A stack that was printed lately. Times are those of `performance.now()`. */
interface Printed {
  readonly since: number;
  /** How often it came since then. */
  times: number;
  second: number;
  /** How often it came in that second. */
  inSecond: number;
}

/** By the frames; the least lately printed first. */
const printed = new Map<string, Printed>();
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 16;
/** Lines a second for one stack: a loop of crashes must not hold up the process with writing, nor fill a disk. */
const MOST_A_SECOND = 20;

/** Counts a stack that came within the last minute; undefined: it did not, and is remembered from now on. */
function seenAgain(frames: string): Printed | undefined {
  if (frames === '') return undefined;
  const now = performance.now();
  const entry = printed.get(frames);
  if (entry !== undefined && now - entry.since < REMEMBERED_MS) {
    entry.times++;
    if (now - entry.second < 1000) return entry;
    entry.second = now;
    entry.inSecond = 0;
    return entry;
  }
  printed.delete(frames);
  const [oldest] = printed.keys();
  if (printed.size >= MOST_REMEMBERED && oldest !== undefined) printed.delete(oldest);
  printed.set(frames, { since: now, times: 1, second: now, inSecond: 1 });
  return undefined;
}

/** The reason may come from a peer: it must not send control sequences to the terminal. */
const CONTROL = /\p{Cc}/gu;
const LONGEST_LINE = 8192;
const LONGEST_STACK = 8192;
const MOST_STACK_LINES = 20;
