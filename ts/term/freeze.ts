import { types } from 'node:util';
import { SnowmeshError } from '../errors/index.ts';
import { MAX_DEPTH } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { isPlain, UNSENDABLE } from './sendable.ts';

/** The frozen objects, each with its number of levels. */
const known = new WeakMap<object, number>();
/** Whether any value was frozen: no look-up is needed before. */
let isInUse = false;

/**
 * Whether {@link freezeDeep} froze this value and everything inside. Throws UNSENDABLE when it did, but the value is too deep for a
 * position `depth` levels down.
 */
export function isFrozenDeep(value: object, depth: number): boolean {
  if (!isInUse) return false;
  const levels = known.get(value);
  if (levels === undefined) return false;
  if (depth + levels > MAX_DEPTH) throw UNSENDABLE;
  return true;
}

/** Freezes a sendable value and everything inside. Returns its number of levels. O(size of the value). */
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

/** Why an object cannot be shared: code could change it, or distinguish it from a copy. */
function faultOf(value: object): string | undefined {
  if (types.isProxy(value)) return 'a Proxy'; // its traps would run in its receivers
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
