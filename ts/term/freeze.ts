import { SnowmeshError } from '../errors/index.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { isPlain } from './verdict.ts';

const known = new WeakSet<object>();
/** Nobody pays for a look-up before the first value is frozen. */
let isInUse = false;

/** Whether {@link freezeDeep} froze this, and with it all that is inside. */
export function isFrozenDeep(value: object): boolean {
  return isInUse && known.has(value);
}

/** Freezes a value that was found to be sendable, and remembers it with everything inside. O(size of the value). */
export function freezeInside(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref) return;
  if (known.has(value)) return;
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
  for (const key of Object.keys(value)) {
    const step = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    freezeInside((value as Record<string, unknown>)[key], step);
  }
  Object.freeze(value);
  isInUse = true;
  known.add(value);
}

/** What would let somebody tell the shared value from a copy, or change it. */
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
