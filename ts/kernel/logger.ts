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
 * The default: warnings and errors on standard error, one line each, and the stack of a crash below its line.
 *
 * @example
 * await startNode({ logger: pino() }); // or console, or anything else with these four methods
 */
export const consoleLogger: Logger = {
  error: (facts, message) => console.error(line('error', facts, message)),
  warn: (facts, message) => console.error(line('warn', facts, message)),
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

function line(level: string, facts: object, message: string): string {
  return `snowmesh ${level}: ${message} ${briefJson(facts, LONGEST_LINE)}${stackBelow(facts)}`;
}

/**
 * The stack of the facts' reason, in lines of its own, where an editor's terminal finds the user's file in it. One that was printed
 * within the last minute is only counted: a child that crashes again and again does not fill the screen.
 */
function stackBelow(facts: object): string {
  const { reason } = facts as { reason?: { stack?: unknown } | null };
  const stack = reason?.stack;
  if (typeof stack !== 'string' || stack === '') return '';
  const lines = stack.slice(0, LONGEST_STACK).split('\n', MOST_STACK_LINES);
  const times = timesPrinted(lines.filter((one) => one.startsWith('    at ')).join());
  if (times > 1) return ` (stack as above, ${times} times within a minute)`;
  return lines.map((one) => `\n    ${one.replace(CONTROL, ' ').trim()}`).join('');
}

/** Stacks printed lately, by their frames; the least lately printed first. */
const printed = new Map<string, { times: number; readonly since: number }>();
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 16;

/** How often a stack came within the last minute, with this time. */
function timesPrinted(frames: string): number {
  if (frames === '') return 1;
  const now = performance.now();
  const entry = printed.get(frames);
  if (entry !== undefined && now - entry.since < REMEMBERED_MS) return ++entry.times;
  printed.delete(frames);
  const [oldest] = printed.keys();
  if (printed.size >= MOST_REMEMBERED && oldest !== undefined) printed.delete(oldest);
  printed.set(frames, { times: 1, since: now });
  return 1;
}

/** The reason may come from a peer: it must not send control sequences to the terminal. */
const CONTROL = /\p{Cc}/gu;
const LONGEST_LINE = 8192;
const LONGEST_STACK = 8192;
const MOST_STACK_LINES = 20;
