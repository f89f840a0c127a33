import { SnowmeshError } from '../errors/index.ts';
import { MAX_DEPTH } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { isPlain, UNSENDABLE } from './verdict.ts';

/** What is frozen, and how many levels it has. */
const known = new WeakMap<object, number>();
/** Before the first value is frozen there is no look-up. */
let isInUse = false;

/**
 * Whether {@link freezeDeep} froze this, and with it all that is inside. Throws UNSENDABLE when it is, but is too deep for a place
 * `depth` levels down.
 */
export function isFrozenDeep(value: object, depth: number): boolean {
  if (!isInUse) return false;
  const levels = known.get(value);
  if (levels === undefined) return false;
  if (depth + levels > MAX_DEPTH) throw UNSENDABLE;
  return true;
}

/** Freezes a value that was found to be sendable, and remembers it with everything inside. Returns its levels. O(size of the value). */
export function freezeInside(value: unknown, path: string): number {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref) return 0;
  const before = known.get(value);
  if (before !== undefined) return before;
  const fault = faultOf(value);
  if (fault !== undefined) {
    throw new SnowmeshError(
      'SNOW_ERR_UNSENDABLE',
      `Cannot freeze ${fault} at ${path}: freeze plain objects and arrays.`,
      {
        details: { path },
      },
    );
  }
  let inside = 0;
  for (const key of Object.keys(value)) {
    const step = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    inside = Math.max(inside, freezeInside((value as Record<string, unknown>)[key], step));
  }
  Object.freeze(value);
  isInUse = true;
  known.set(value, inside + 1);
  return inside + 1;
}

/** What would let code tell the shared value from a copy, or change it. */
function faultOf(value: object): string | undefined {
  const isArray = Array.isArray(value);
  if (!isArray && !isPlain(value)) return 'an object that can change inside';
  if (Object.getPrototypeOf(value) === null) return 'an object without a prototype';
  const keys = Object.keys(value);
  if (isArray && keys.length !== value.length) return 'an array with holes or with properties';
  if (Reflect.ownKeys(value).length !== keys.length + (isArray ? 1 : 0))
    return 'an object with hidden properties';
  for (const key of keys)
    if (Object.getOwnPropertyDescriptor(value, key)?.get !== undefined) return 'an object with a getter';
  return undefined;
}
