import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';

/** What servers and state machines have in common. */
interface Definition {
  readonly name: string;
  readonly init: unknown;
}

/**
 * Refuses a definition that could never work: options that do not exist, no name, no init, handlers that are no functions.
 *
 * @throws SNOW_ERR_BAD_OPTION saying of which definition, and what.
 */
export function checkDefinition<T extends Definition>(what: string, options: T, known: OptionNames<T>): void {
  checkOptionNames(what, options, known);
  const { name, init } = options;
  if (typeof name !== 'string' || name === '')
    throw bad(`${what} needs a name that is a string and not empty`);
  if (typeof init !== 'function') throw bad(`${what} of "${name}" needs an init function`);
  const { calls, casts } = options as { calls?: object; casts?: object };
  checkHandlers(`${what} of "${name}"`, { calls, casts });
}

/**
 * Refuses handlers that are no functions.
 *
 * @throws SNOW_ERR_BAD_OPTION naming the handler.
 */
export function checkHandlers(where: string, maps: Readonly<Record<string, object | undefined>>): void {
  for (const [kind, handlers] of Object.entries(maps)) {
    for (const [tag, handler] of Object.entries(handlers ?? {})) {
      if (typeof handler !== 'function') throw bad(`${where}: ${kind}.${tag} is no function`);
    }
  }
}

function bad(sentence: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', sentence);
}
