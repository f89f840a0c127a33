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

/** The default: warnings and errors as one line each on standard error. */
export const consoleLogger: Logger = {
  error: (facts, message) => console.error(line('error', facts, message)),
  warn: (facts, message) => console.error(line('warn', facts, message)),
  info: () => {},
  debug: () => {},
};

/** A logger that says nothing. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };

function line(level: string, facts: object, message: string): string {
  let text: string;
  try {
    text = JSON.stringify(facts, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
  } catch {
    text = '{}';
  }
  return `snowmesh ${level}: ${message} ${text}`;
}
