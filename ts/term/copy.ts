import { MAX_DEPTH } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { errorFields, makeError, Tagged } from './tagged.ts';
import { isPlain, UNSENDABLE, unsendable } from './unsendable.ts';
import { bytesOf, makeView, viewKind } from './view.ts';

const frozen = new WeakSet<object>();

/**
 * Copies a message, so that sender and receiver share nothing (rule B8).
 *
 * Primitives, PIDs, references and values frozen by {@link freezeDeep} pass as they are. Takes exactly what can travel
 * to another node (rule B9). O(size of the value).
 *
 * Throws SNOW_ERR_UNSENDABLE (functions, symbols, class instances, cycles, lone surrogates), SNOW_ERR_TOO_DEEP.
 */
export function copyTerm<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    try {
      return copyObject(value, 0) as T;
    } catch (error) {
      throw error === UNSENDABLE || error instanceof RangeError ? unsendable(value) : error;
    }
  }
  if (
    typeof value === 'string'
      ? !value.isWellFormed()
      : typeof value === 'function' || typeof value === 'symbol'
  ) {
    throw unsendable(value);
  }
  return value;
}

/**
 * Freezes plain data in depth and remembers it: local sends then share it instead of copying.
 *
 * Throws SNOW_ERR_UNSENDABLE when it holds what cannot travel, or what cannot be frozen (Map, Set, Date, bytes).
 * @example
 * const config = freezeDeep({ limit: 10, names: ['a', 'b'] });
 */
export function freezeDeep<T extends object>(value: T): T {
  copyTerm(value);
  freeze(value, value);
  return value;
}

function freeze(value: unknown, root: object): void {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref) return;
  if (!Array.isArray(value) && !isPlain(value)) throw unsendable(root);
  for (const key of Object.keys(value)) freeze((value as Record<string, unknown>)[key], root);
  Object.freeze(value);
  frozen.add(value);
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'object') return value === null ? null : copyObject(value, depth);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw UNSENDABLE;
    return value;
  }
  if (typeof value === 'function' || typeof value === 'symbol') throw UNSENDABLE;
  return value;
}

function copyObject(value: object, depth: number): object {
  if (depth >= MAX_DEPTH && !(value instanceof Pid || value instanceof Ref)) throw UNSENDABLE;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyPlain(value as Record<string, unknown>, depth);
  if (prototype === Array.prototype) return copyArray(value as unknown[], depth);
  if (prototype === Pid.prototype || prototype === Ref.prototype) return value;
  return copyOther(value, prototype, depth);
}

function copyPlain(value: Record<string, unknown>, depth: number): object {
  if (Object.isFrozen(value) && frozen.has(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const inner = copy[key];
    if (typeof inner === 'number' || typeof inner === 'boolean' || inner === undefined) continue;
    if (typeof inner === 'object') {
      if (inner !== null) copy[key] = copyObject(inner, depth + 1);
    } else copyValue(inner, depth);
    if (!key.isWellFormed()) throw UNSENDABLE;
  }
  return copy;
}

function copyArray(value: unknown[], depth: number): unknown[] {
  if (Object.isFrozen(value) && frozen.has(value)) return value;
  const { length } = value;
  const copy = value.slice();
  for (let index = 0; index < length; index++) {
    const inner = value[index];
    if (typeof inner === 'number') continue;
    if (typeof inner === 'object') copy[index] = inner === null ? null : copyObject(inner, depth + 1);
    else copy[index] = copyValue(inner, depth);
  }
  return copy;
}

function copyOther(value: object, prototype: unknown, depth: number): object {
  const next = depth + 1;
  if (prototype === null) return copyPlain(value as Record<string, unknown>, depth);
  if (prototype === Map.prototype) {
    const copy = new Map<unknown, unknown>();
    for (const [key, inner] of value as Map<unknown, unknown>)
      copy.set(copyValue(key, next), copyValue(inner, next));
    return copy;
  }
  if (prototype === Set.prototype) {
    const copy = new Set<unknown>();
    for (const inner of value as Set<unknown>) copy.add(copyValue(inner, next));
    return copy;
  }
  if (prototype === Date.prototype) return new Date((value as Date).getTime());
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return copyBytes(value);
  if (value instanceof Error) {
    const fields = errorFields(value).map(
      ([key, inner]) => [copyValue(key, next) as string, copyValue(inner, next)] as const,
    );
    return makeError(copyValue(String(value.name), next) as string, fields);
  }
  if (value instanceof Tagged) {
    if (typeof value.type !== 'string' || !isPlain(value.fields)) throw UNSENDABLE;
    copyValue(value.type, next);
    return new Tagged(value.type, copyPlain(value.fields as Record<string, unknown>, depth));
  }
  throw UNSENDABLE;
}

function copyBytes(value: ArrayBuffer | ArrayBufferView): object {
  if (ArrayBuffer.isView(value) && !(value.buffer instanceof ArrayBuffer)) throw UNSENDABLE;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  const kind = viewKind(value);
  if (kind === undefined) throw UNSENDABLE;
  return makeView(kind, new Uint8Array(bytesOf(value)).buffer);
}
