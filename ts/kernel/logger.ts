import { briefJson, printable } from './brief-reason.ts';
import { isPromise } from './promise.ts';

/** Where the runtime reports crashes; the shape of pino, so that a pino logger can be passed as it is. */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
}

/** Facts of a crash report: never a payload. */
export interface CrashFacts {
  readonly event: 'actor_crash';
  readonly actor: string;
  readonly name: string;
  readonly reason: unknown;
  /** Tag of the message it handled last, when it had one. */
  readonly lastMessage: string | undefined;
  /** Parent first. */
  readonly ancestors: readonly string[];
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

/** One whose failures harm nobody: neither the actor that logs nor its supervisor (A4). */
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

/** The stack of the facts' reason, in lines of its own, where an editor's terminal finds the user's file in it. */
function stackBelow(facts: object): string {
  const { reason } = facts as { reason?: { stack?: unknown } | null };
  const stack = reason?.stack;
  if (typeof stack !== 'string' || stack === '') return '';
  const lines = stack.slice(0, LONGEST_STACK).split('\n', MOST_STACK_LINES);
  return lines.map((one) => `\n    ${one.replace(CONTROL, ' ').trim()}`).join('');
}

/** The reason may come from a peer: it must not send control sequences to the terminal. */
const CONTROL = /\p{Cc}/gu;
const LONGEST_LINE = 8192;
const LONGEST_STACK = 8192;
const MOST_STACK_LINES = 20;
