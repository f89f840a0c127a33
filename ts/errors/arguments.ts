// What plain JavaScript hands over by mistake, refused where it is handed over: later it would be a TypeError inside an actor,
// or a wait without an end.
import { SnowmeshError } from './snowmesh-error.ts';

/** What a value is, in a sentence that refuses it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object')
    return typeof (value as { then?: unknown }).then === 'function'
      ? 'a promise (did you forget await?)'
      : 'an object';
  return typeof value === 'string' ? `the string ${JSON.stringify(value.slice(0, 40))}` : `a ${typeof value}`;
}

/** The error that says that `what` needs `wanted`. */
export function badArgument(what: string, wanted: string, given: unknown): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_ARGUMENT', `${what} needs ${wanted}, not ${kindOf(given)}.`);
}

/** Refuses what is no function. Throws SNOW_ERR_BAD_ARGUMENT. */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function') throw badArgument(what, 'a function', given);
}

/** Refuses what is no array. Throws SNOW_ERR_BAD_ARGUMENT. */
export function checkArray(what: string, given: unknown): void {
  if (!Array.isArray(given)) throw badArgument(what, 'an array', given);
}

/** Refuses the tag of a call or cast that is no string. Throws SNOW_ERR_BAD_ARGUMENT. */
export function checkTag(what: string, given: unknown): void {
  if (typeof given !== 'string') throw badArgument(what, 'a tag that is a string', given);
}

/** Refuses an option that was given and is neither true nor false. Throws SNOW_ERR_BAD_OPTION. */
export function checkFlag(what: string, option: string, given: unknown): void {
  if (given === undefined || typeof given === 'boolean') return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} of ${what} is ${kindOf(given)}; it must be true or false`,
  );
}

/** Refuses an option that was given and is no AbortSignal. Throws SNOW_ERR_BAD_OPTION. */
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
 * Refuses what cannot be the name of a node, in a destination or as the place of a start. A look, not the whole check: it runs in each send.
 *
 * @throws SNOW_ERR_NODE_NAME.
 */
export function checkNodeText(node: string): void {
  if (node.indexOf('@') > 0) return;
  const why = `${JSON.stringify(node.slice(0, 60))} is not a node name: it is name@host or name@host:port`;
  throw new SnowmeshError('SNOW_ERR_NODE_NAME', why);
}
