import { checkOptionNames, givenText, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';

/** The options that servers and state machines have in common. */
interface Definition {
  readonly name: string;
  readonly init: unknown;
}

/**
 * Checks a definition: unknown options, a missing name or init, handlers that are not functions.
 *
 * @throws SNOW_ERR_BAD_OPTION naming the definition and the fault.
 */
export function checkDefinition<T extends Definition>(what: string, options: T, known: OptionNames<T>): void {
  checkOptionNames(what, options, known);
  const { name, init } = options;
  if (typeof name !== 'string' || name === '')
    throw bad(`${what} needs a name that is a string and not empty`);
  if (typeof init !== 'function') throw bad(`${what} of "${name}" needs an init function`);
  const where = `${what} of "${name}"`;
  const { calls, casts, ...rest } = options as OptionalParts;
  const { info, onContinue, onTimeout, terminate, timeout } = rest;
  checkHandlers(where, { calls, casts });
  checkCallbacks(where, { info, onContinue, onTimeout, terminate });
  checkTimeoutOption(where, timeout);
}

interface OptionalParts {
  readonly calls?: object;
  readonly casts?: object;
  readonly info?: unknown;
  readonly onContinue?: unknown;
  readonly onTimeout?: unknown;
  readonly terminate?: unknown;
  readonly timeout?: unknown;
}

/**
 * Checks that every callback that was given is a function.
 *
 * @throws SNOW_ERR_BAD_OPTION naming the callback.
 */
export function checkCallbacks(where: string, callbacks: Readonly<Record<string, unknown>>): void {
  for (const [name, given] of Object.entries(callbacks)) {
    if (given !== undefined && typeof given !== 'function')
      throw bad(`${where}: ${name} is ${kindOf(given)}; it must be a function`);
  }
}

/**
 * Checks a timeout: ms from 0 to 2^53 - 1, or Infinity.
 *
 * @throws SNOW_ERR_BAD_OPTION.
 */
export function checkTimeoutOption(where: string, ms: unknown): void {
  if (ms === undefined || ms === Number.POSITIVE_INFINITY) return;
  if (typeof ms === 'number' && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return;
  throw bad(`${where}: timeout is ${givenText(ms)}; it must be ms from 0 to 2^53 - 1, or Infinity`);
}

/**
 * Checks that all handlers are functions.
 *
 * @throws SNOW_ERR_BAD_OPTION naming the handler.
 */
export function checkHandlers(where: string, maps: Readonly<Record<string, object | undefined>>): void {
  for (const [kind, handlers] of Object.entries(maps)) {
    if (
      handlers !== undefined &&
      (typeof handlers !== 'object' || handlers === null || handlers instanceof Promise)
    )
      throw bad(`${where}: ${kind} is ${kindOf(handlers)}; it must be an object of functions`);
    for (const [tag, handler] of Object.entries(handlers ?? {})) {
      if (typeof handler !== 'function')
        throw bad(`${where}: ${kind}.${tag} is ${kindOf(handler)}; it must be a function`);
    }
  }
}

function bad(sentence: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', sentence);
}
