import { SnowmeshError } from '../errors/index.ts';
import { isErrorType, partsOf } from './error-term.ts';
import { MAX_DEPTH, MAX_FIELDS, MAX_NAME_BYTES } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { isPlain, UNSENDABLE } from './sendable.ts';
import { Tagged } from './tagged.ts';
import { bytesOf, viewKind } from './view.ts';

/**
 * The error for a value that the fast path refused: walks it again to find the first path that cannot be sent.
 * O(size of the value), only on failure.
 */
export function unsendable(value: unknown): SnowmeshError {
  const found = search(value, '$', []);
  const path = short(found?.path ?? '$');
  const details = { path: found?.path ?? '$' };
  if (found?.what === TOO_DEEP) {
    return new SnowmeshError(
      'SNOW_ERR_TOO_DEEP',
      `The message is nested deeper than ${MAX_DEPTH} at ${path}.`,
      {
        details: { ...details, limit: MAX_DEPTH },
      },
    );
  }
  const what = found?.what ?? 'a value that changes while it is read';
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    `Cannot send ${what} at ${path}: ${found?.advice ?? 'send plain data instead.'}`,
    { details },
  );
}

/** The error text when a getter of a message sends another message: the first one is half written. */
export const SENT_IN_GETTER =
  'a message was sent from within a getter of a message: send plain data, without getters that send';

interface Finding {
  readonly path: string;
  readonly what: string;
  readonly advice?: string;
}

const TOO_DEEP = 'deep';

function search(value: unknown, path: string, above: object[]): Finding | undefined {
  if (typeof value === 'string')
    return value.isWellFormed() ? undefined : { path, what: 'a string with a lone surrogate' };
  if (typeof value === 'function') return { path, what: `a function (${value.name || 'anonymous'})` };
  if (typeof value === 'symbol') return { path, what: `a symbol (${String(value)})` };
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Pid.prototype || prototype === Ref.prototype) return undefined;
  if (above.includes(value)) return { path, what: 'a cycle' };
  if (above.length >= MAX_DEPTH && isContainer(value)) return { path, what: TOO_DEEP };
  above.push(value);
  const found = searchInside(value, path, above);
  above.pop();
  return found;
}

function searchInside(value: object, path: string, above: object[]): Finding | undefined {
  const what = faultOf(value);
  if (what !== undefined && value instanceof Promise)
    return { path, what: 'a promise', advice: 'did you forget await?' };
  if (what !== undefined) return isOfClass(value) ? { path, what, advice: adviceFor(value) } : { path, what };
  for (const [step, key, inner] of parts(value, path)) {
    const found =
      (key === undefined ? undefined : search(key, `${step} (key)`, above)) ?? search(inner, step, above);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether it is an instance of a class that users may have written: it has fields of its own that could be sent. */
function isOfClass(value: object): boolean {
  if (value instanceof Error || value instanceof Tagged || isPlain(value)) return false;
  return !ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Object]';
}

function adviceFor(value: object): string {
  if (hasPid(value)) return 'send its pid instead.';
  return `send plain data, or a copy of its fields that keeps its type: struct('${className(value)}', { … }).`;
}

/** Whether it stands for an actor, as `self` does. */
function hasPid(value: object): boolean {
  try {
    return (value as { pid?: unknown }).pid instanceof Pid;
  } catch {
    return false; // a getter of the user's class threw
  }
}

/** Why an object itself cannot be sent, apart from what it holds. */
function faultOf(value: object): string | undefined {
  if (value instanceof Error) return manyFields(partsOf(value).fields.map(([key]) => key));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Tagged.prototype) return faultOfTagged(value as Tagged);
  if (isPlain(value)) return Object.keys(value).some(isLong) ? LONG_NAME : undefined;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return faultOfBytes(value);
  const isKnown =
    prototype === Array.prototype ||
    prototype === Map.prototype ||
    prototype === Set.prototype ||
    prototype === Date.prototype;
  return isKnown ? undefined : `an instance of ${className(value)}`;
}

const LONG_NAME = `an object with a key of more than ${MAX_NAME_BYTES} bytes`;

function faultOfTagged({ type, fields }: Tagged): string | undefined {
  if (typeof type !== 'string') return 'a struct whose type is no string';
  if (!type.isWellFormed() || isLong(type)) return 'a struct whose type is too long or has a lone surrogate';
  if (isErrorType(type)) return `a struct that is called ${type}`;
  if (typeof fields !== 'object' || fields === null || !isPlain(fields))
    return 'a struct whose fields are no plain object';
  return manyFields(Object.keys(fields));
}

function faultOfBytes(value: ArrayBuffer | ArrayBufferView): string | undefined {
  if (!(value instanceof Uint8Array) && viewKind(value) === undefined)
    return `an instance of ${className(value)}`;
  try {
    bytesOf(value);
    return undefined;
  } catch (error) {
    if (error === UNSENDABLE) return 'a buffer that was transferred away';
    throw error;
  }
}

function manyFields(names: readonly string[]): string | undefined {
  if (names.length > MAX_FIELDS) return `more than ${MAX_FIELDS} fields`;
  return names.some(isLong) ? LONG_NAME : undefined;
}

function isLong(name: string): boolean {
  return name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES;
}

/** Whether an object counts for the depth: it can hold values, and may be empty. */
function isContainer(value: object): boolean {
  return !(ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date);
}

/** The parts of a value: path, the key if keys can be refused, and the value. */
function* parts(value: object, path: string): Generator<[string, unknown, unknown]> {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) yield [`${path}[${index}]`, undefined, value[index]];
  } else if (value instanceof Map) {
    for (const [key, inner] of value) yield [`${path}.get(${label(key)})`, key, inner];
  } else if (value instanceof Set) {
    for (const inner of value) yield [`${path}.has(${label(inner)})`, undefined, inner];
  } else if (value instanceof Error) {
    for (const [key, inner] of partsOf(value).fields) yield [step(path, key), key, inner];
  } else if (value instanceof Tagged) {
    yield* parts(value.fields, path);
  } else if (isPlain(value)) {
    for (const key of Object.keys(value))
      yield [step(path, key), key, (value as Record<string, unknown>)[key]];
  }
}

function step(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function className(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'a class';
}

function label(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' || typeof value === 'function' ? '…' : String(value);
}

function short(path: string): string {
  return path.length <= 120 ? path : `${path.slice(0, 60)}…${path.slice(-50)}`;
}
