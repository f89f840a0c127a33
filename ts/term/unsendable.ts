import { SnowmeshError } from '../errors/index.ts';
import { MAX_DEPTH } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { errorFields, Tagged } from './tagged.ts';
import { viewKind } from './view.ts';

/** @internal Thrown by the fast paths; the slow walk below then finds out what and where. */
export const UNSENDABLE: unique symbol = Symbol('unsendable');

/**
 * The error for a value that the fast path refused: walks it again and names the first path that cannot travel.
 * O(size of the value), only on failure.
 */
export function unsendable(value: unknown): SnowmeshError {
  const found = search(value, '$', []);
  if (found?.what === 'deep') {
    return new SnowmeshError(
      'SNOW_ERR_TOO_DEEP',
      `The message is nested deeper than ${MAX_DEPTH} at ${short(found.path)}.`,
      {
        details: { path: found.path, limit: MAX_DEPTH },
      },
    );
  }
  const what = found?.what ?? 'a value that changes while it is read';
  const path = found?.path ?? '$';
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    `Cannot send ${what} at ${short(path)}: send plain data instead.`,
    {
      details: { path },
    },
  );
}

interface Finding {
  readonly path: string;
  readonly what: string;
}

function search(value: unknown, path: string, above: object[]): Finding | undefined {
  if (typeof value === 'string')
    return value.isWellFormed() ? undefined : { path, what: 'a string with a lone surrogate' };
  if (typeof value === 'function') return { path, what: `a function (${value.name || 'anonymous'})` };
  if (typeof value === 'symbol') return { path, what: `a symbol (${String(value)})` };
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Pid || value instanceof Ref) return undefined;
  if (above.includes(value)) return { path, what: 'a cycle' };
  if (above.length >= MAX_DEPTH) return { path, what: 'deep' };
  above.push(value);
  const found = searchInside(value, path, above);
  above.pop();
  return found;
}

function searchInside(value: object, path: string, above: object[]): Finding | undefined {
  for (const [step, key, inner] of parts(value, path)) {
    const found =
      (key === undefined ? undefined : search(key, `${step} (key)`, above)) ?? search(inner, step, above);
    if (found !== undefined) return found;
  }
  return isKnown(value) ? undefined : { path, what: `an instance of ${className(value)}` };
}

/** The places inside a value: path, key when keys can be refused, and value. */
function* parts(value: object, path: string): Generator<[string, unknown, unknown]> {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) yield [`${path}[${index}]`, undefined, value[index]];
  } else if (value instanceof Map) {
    for (const [key, inner] of value) yield [`${path}.get(${label(key)})`, key, inner];
  } else if (value instanceof Set) {
    for (const inner of value) yield [`${path}.has(${label(inner)})`, undefined, inner];
  } else if (value instanceof Error) {
    for (const [key, inner] of errorFields(value)) yield [`${path}.${key}`, key, inner];
  } else if (value instanceof Tagged) {
    yield [`${path}.type`, undefined, value.type];
    yield* parts(value.fields, path);
  } else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      const step = /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
      yield [step, key, (value as Record<string, unknown>)[key]];
    }
  }
}

function isKnown(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype || prototype === Map.prototype || prototype === Set.prototype)
    return true;
  if (prototype === Date.prototype) return true;
  if (value instanceof Error || value instanceof Tagged || isPlain(value)) return true;
  if (ArrayBuffer.isView(value)) {
    if (!(value.buffer instanceof ArrayBuffer)) return false;
    return value instanceof Uint8Array || viewKind(value) !== undefined;
  }
  return value instanceof ArrayBuffer && viewKind(value) !== undefined;
}

/** Whether an object is plain data: its prototype is Object's, or none. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function className(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'a class';
}

function label(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? '…' : String(value);
}

function short(path: string): string {
  return path.length <= 120 ? path : `${path.slice(0, 60)}…${path.slice(-50)}`;
}
