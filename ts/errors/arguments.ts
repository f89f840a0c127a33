// What plain JavaScript hands over by mistake, refused where it is handed over: later it would be a TypeError inside an actor,
// or a wait without an end.
import { types } from 'node:util';
import { SnowmeshError } from './snowmesh-error.ts';

/** What a value is, for the text of an error. It calls no code of the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object')
    return types.isPromise(value) ? 'a promise (did you forget await?)' : 'an object';
  return typeof value === 'string' ? `the string ${JSON.stringify(value.slice(0, 40))}` : `a ${typeof value}`;
}

/** A value that was given where another was wanted, for the text of an error. It calls no code of the value. */
export function givenText(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? kindOf(value) : String(value);
}

/** A name that was given, for the text of an error: as text, or what kind of value it is. */
export function nameText(name: unknown): string {
  return typeof name === 'string' ? JSON.stringify(name) : kindOf(name);
}

/** The error that says that `what` needs `wanted`. */
export function badArgument(what: string, wanted: string, given: unknown): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_ARGUMENT', `${what} needs ${wanted}, not ${kindOf(given)}.`);
}

/** The error that says that an option is not what it must be. */
export function badOption(name: string, given: unknown, wanted: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${name} is ${givenText(given)}; it must be ${wanted}`,
  );
}

/** Throws SNOW_ERR_BAD_ARGUMENT unless `given` is a function. */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function') throw badArgument(what, 'a function', given);
}

/** Throws SNOW_ERR_BAD_ARGUMENT unless `given` is an array. */
export function checkArray(what: string, given: unknown): void {
  if (!Array.isArray(given)) throw badArgument(what, 'an array', given);
}

/** Throws SNOW_ERR_BAD_ARGUMENT unless `given`, the tag of a call or cast, is a string. */
export function checkTag(what: string, given: unknown): void {
  if (typeof given !== 'string') throw badArgument(what, 'a tag that is a string', given);
}

/** Throws SNOW_ERR_BAD_OPTION unless an option is absent, true or false. */
export function checkFlag(what: string, option: string, given: unknown): void {
  if (given === undefined || typeof given === 'boolean') return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} of ${what} is ${kindOf(given)}; it must be true or false`,
  );
}

/** Throws SNOW_ERR_BAD_OPTION unless an option is absent or an AbortSignal. */
export function checkSignal(what: string, given: unknown): void {
  if (
    given === undefined ||
    typeof (given as { addEventListener?: unknown } | null)?.addEventListener === 'function'
  )
    return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option signal of ${what} is ${kindOf(given)}; it must be an AbortSignal`,
  );
}

/**
 * Throws unless the text, a destination or the place of a start, can be the name of a node. It runs in each send, so it checks no more than the @.
 *
 * @throws SNOW_ERR_NODE_NAME.
 */
export function checkNodeText(node: string): void {
  if (node.indexOf('@') > 0) return;
  const why = `${JSON.stringify(node.slice(0, 60))} is not a node name: it is name@host or name@host:port`;
  throw new SnowmeshError('SNOW_ERR_NODE_NAME', why);
}
