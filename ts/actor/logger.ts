/** Where the runtime reports crashes: the shape of pino, so a pino logger fits as it is. */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
}

/** What a crash report carries: never a payload. */
export interface CrashFacts {
  readonly actor: string;
  readonly label: string;
  readonly reason: string;
  readonly lastMessage: string | undefined;
  readonly ancestors: readonly string[];
}

/** Writes warnings and errors to the console, one line each. */
export const consoleLogger: Logger = {
  error: (facts, message) => console.error(`snowmesh: ${message}`, facts),
  warn: (facts, message) => console.warn(`snowmesh: ${message}`, facts),
  info: () => {},
  debug: () => {},
};

/** Says nothing. */
export const silentLogger: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
