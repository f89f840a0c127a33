// Isolation of local messages: the hottest path of all, as every local send takes it.
import { ByteBlocks } from './byte-blocks.ts';
import type { ByteCopies } from './byte-copies.ts';
import { type Field, isErrorType, makeError, partsOf } from './error-term.ts';
import { freezeInside, isFrozenDeep } from './freeze.ts';
import { isPrototypePolluted, KeyTrie } from './key-trie.ts';
import { MAX_DEPTH, MAX_FIELDS, MAX_NAME_BYTES } from './limits.ts';
import { canGenerate, literal, quote, setOwn, WARM_UP } from './literal.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { isPlain, UNSENDABLE } from './sendable.ts';
import { Tagged } from './tagged.ts';
import { unsendable } from './unsendable.ts';
import { bytesOf, makeView, viewKind } from './view.ts';

type Plain = Record<string, unknown>;
type Copier = (value: Plain, depth: number) => object;

/** How objects with certain keys are copied: key by key at first, by generated code once they are frequent. */
class CopyPlan {
  copier: Copier | undefined = undefined;
  uses = 0;
}

/** Nodes of the trie of key lists. */
const MAX_NODES = 8192;
/** Objects that a full trie did not take before it is emptied. */
const MAX_MISSES = 4096;

let plans = new KeyTrie<CopyPlan>(MAX_NODES);
let misses = 0;

/**
 * Copies a message, so that sender and receiver share nothing (rule B8).
 *
 * Primitives, PIDs, references and values frozen by {@link freezeDeep} are not copied. Accepts exactly what can be sent
 * to another node, and returns exactly what would arrive there (rule B9): own enumerable properties with string keys, getters
 * read once, holes in arrays as undefined, objects without a prototype as plain ones, a Buffer as Uint8Array, errors of
 * a user's class as errors with that name. O(size of the value).
 *
 * Throws SNOW_ERR_UNSENDABLE (functions, symbols, class instances, cycles, lone surrogates) and
 * SNOW_ERR_TOO_DEEP, both naming the path.
 */
export function copyTerm<T>(value: T): T {
  if (typeof value === 'number') return value;
  try {
    return copyValue(value, 0) as T;
  } catch (error) {
    throw error === UNSENDABLE ? unsendable(value) : error;
  }
}

const blocks = new ByteBlocks();
/** Source of byte arrays while one of many copies is made. */
let copies: ByteCopies | undefined;

/**
 * Copies a result of {@link copyTerm} or of a decoder for one more receiver. Does not check again that it is sendable.
 * O(size of the value).
 *
 * @param from Makes the copies of short byte arrays, for all receivers of this value.
 */
export function copyAgain(value: unknown, from: ByteCopies): unknown {
  if (typeof value !== 'object' || value === null) return value;
  copies = from;
  try {
    return copyChecked(value);
  } finally {
    copies = undefined;
  }
}

function copyChecked(value: object): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Array.prototype) return copyObject(value, 0);
  if (isFrozenDeep(value, 0)) return value;
  const copy = (value as unknown[]).slice();
  for (let index = 0; index < copy.length; index++) {
    const inner = copy[index];
    if (typeof inner === 'object' && inner !== null) copy[index] = copyChecked(inner);
  }
  return copy;
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    throw UNSENDABLE;
  }
  if (typeof value === 'object') return value === null ? null : copyObject(value, depth);
  if (typeof value === 'function' || typeof value === 'symbol') throw UNSENDABLE;
  return value;
}

/** Reading the prototype of an unknown object is expensive. It comes last: by then V8 knows the shape, and it is almost free. */
function copyObject(value: object, depth: number): object {
  if (value instanceof Pid || value instanceof Ref) return value;
  if (Array.isArray(value)) return copyArray(value, depth);
  if (ArrayBuffer.isView(value)) return copyBytes(value); // its keys are its bytes
  return copyKeyed(value as Plain, depth);
}

/** Copies a plain object, or one of a class that can be sent: its keys are read first, then its prototype. */
function copyKeyed(value: Plain, depth: number): object {
  if (depth >= MAX_DEPTH) return copyDeepest(value, depth);
  if (isFrozenDeep(value, depth)) return value;
  let node = plans.root;
  for (const key in value) {
    const { recent } = node;
    const next = recent.key === key ? recent : plans.step(node, key);
    if (next === undefined) return copyUnplanned(value, depth);
    node = next;
  }
  let plan = node.value;
  if (plan === undefined) {
    if (!plans.has(node)) return copyUnplanned(value, depth);
    plan = new CopyPlan();
    node.value = plan;
  }
  const { copier } = plan;
  if (copier !== undefined) return copier(value, depth + 1);
  if (isPrototypePolluted()) return copyAny(value, depth);
  if (++plan.uses > WARM_UP && canGenerate()) plan.copier = generate(node.keys(), value);
  return copyAny(value, depth);
}

/**
 * Generates code for one list of keys. It reads the values first: then V8 knows the object's hidden class, and with it the prototype,
 * and needs no look-up. For each key, the type of value that it held so far is tried first.
 */
function generate(keys: readonly string[], example: Plain): Copier {
  const names = new Map(keys.map((key, index) => [quote(key), `k${index}`]));
  const reads = [...names].map(([key, name]) => `${name}=v[${key}]`);
  const copied = literal(keys, (key) =>
    shortcut(names.get(key) as string, example[JSON.parse(key) as string]),
  );
  const code = `'use strict';return function(v,d){
    ${reads.length === 0 ? '' : `const ${reads.join(',')};`}
    const p=G(v);
    if(p!==O&&p!==null)return other(v,p,d-1);
    return ${copied};
  };`;
  const make = new Function('copy', 'other', 'Pid', 'G', 'O', code);
  return make(copyValue, copyOther, Pid, Object.getPrototypeOf, Object.prototype) as Copier;
}

/** The expression that copies the value called `name`, quickest for values like the one seen. */
function shortcut(name: string, seen: unknown): string {
  if (typeof seen === 'number' || typeof seen === 'boolean')
    return `typeof ${name}==='${typeof seen}'?${name}:copy(${name},d)`;
  if (typeof seen === 'string')
    return `typeof ${name}==='string'&&${name}.isWellFormed()?${name}:copy(${name},d)`;
  if (seen instanceof Pid) return `${name} instanceof Pid?${name}:copy(${name},d)`;
  return `copy(${name},d)`;
}

/** Copies objects with many keys, or with keys that are data. */
function copyUnplanned(value: Plain, depth: number): object {
  if (++misses > MAX_MISSES) {
    misses = 0;
    plans = new KeyTrie<CopyPlan>(MAX_NODES);
  }
  return copyAny(value, depth);
}

/** At the greatest depth, empty containers are still accepted. */
function copyDeepest(value: Plain, depth: number): object {
  if (isPlain(value)) throw UNSENDABLE;
  return copyOther(value, Object.getPrototypeOf(value), depth);
}

/** Without generated code. */
function copyAny(value: Plain, depth: number): object {
  return isPlain(value) ? copyKeys(value, depth) : copyOther(value, Object.getPrototypeOf(value), depth);
}

function copyKeys(value: Plain, depth: number): Plain {
  const copy: Plain = {};
  for (const key of Object.keys(value)) {
    checkName(key);
    setOwn(copy, key, copyValue(value[key], depth + 1));
  }
  return copy;
}

/** Short arrays as literals, which have just the room they need. */
function copyArray(value: unknown[], depth: number): unknown[] {
  if (depth >= MAX_DEPTH) throw UNSENDABLE;
  const { length } = value;
  if (Object.getPrototypeOf(value) !== Array.prototype) throw UNSENDABLE;
  if (isFrozenDeep(value, depth)) return value;
  const next = depth + 1;
  switch (length) {
    case 0:
      return [];
    case 1:
      return [copyValue(value[0], next)];
    case 2:
      return [copyValue(value[0], next), copyValue(value[1], next)];
    case 3:
      return [copyValue(value[0], next), copyValue(value[1], next), copyValue(value[2], next)];
    case 4:
      return [
        copyValue(value[0], next),
        copyValue(value[1], next),
        copyValue(value[2], next),
        copyValue(value[3], next),
      ];
    default:
      return copyLong(value, length, next);
  }
}

/** `slice` copies all elements at once; elements that are not numbers are then copied in place. */
function copyLong(value: unknown[], length: number, depth: number): unknown[] {
  const copy = value.slice();
  for (let index = 0; index < length; index++) {
    const inner = copy[index];
    if (typeof inner !== 'number') copy[index] = copyValue(inner, depth);
  }
  return copy;
}

function copyOther(value: object, prototype: unknown, depth: number): object {
  if (prototype === Date.prototype) return new Date((value as Date).getTime());
  if (value instanceof ArrayBuffer) return copyBytes(value);
  if (depth >= MAX_DEPTH) throw UNSENDABLE;
  const next = depth + 1;
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
  if (value instanceof Error) return copyError(value, next);
  if (prototype === Tagged.prototype) return copyTagged(value as Tagged, depth);
  throw UNSENDABLE;
}

function copyError(error: Error, depth: number): Error {
  const { type, fields } = partsOf(error);
  if (fields.length > MAX_FIELDS) throw UNSENDABLE;
  const copies = fields.map(([key, value]): Field => {
    checkName(key);
    return [key, copyValue(value, depth)];
  });
  return makeError(type, copies);
}

function copyTagged({ type, fields }: Tagged, depth: number): Tagged {
  if (typeof type !== 'string' || isErrorType(type)) throw UNSENDABLE;
  if (typeof fields !== 'object' || fields === null || !isPlain(fields)) throw UNSENDABLE;
  if (Object.keys(fields).length > MAX_FIELDS) throw UNSENDABLE;
  checkName(type);
  return new Tagged(type, isFrozenDeep(fields, depth) ? fields : copyKeys(fields, depth));
}

function copyBytes(value: ArrayBuffer | ArrayBufferView): object {
  const isBytes = value instanceof Uint8Array;
  // Reading `buffer` of short bytes costs more than the copy. An empty array may have a detached buffer.
  if (isBytes && value.length > 0) return copies === undefined ? blocks.copy(value) : copies.of(value);
  const copy = new Uint8Array(bytesOf(value));
  if (isBytes) return copy;
  const kind = viewKind(value);
  if (kind === undefined) throw UNSENDABLE;
  return makeView(kind, copy.buffer);
}

/** Throws unless the name can be a key on the wire: up to 65 535 bytes of UTF-8. */
function checkName(name: string): void {
  if (!name.isWellFormed()) throw UNSENDABLE;
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES) throw UNSENDABLE;
}

/**
 * Freezes plain data deeply. Local sends then share the value instead of copying it: for large values that
 * are sent often and never change. O(size of the value), once.
 *
 * @param value Plain objects and arrays, numbers, strings, PIDs.
 * @returns The same value.
 *
 * Throws SNOW_ERR_UNSENDABLE when it holds a value that cannot be sent or frozen (Map, Set, Date, bytes, errors, getters),
 * SNOW_ERR_TOO_DEEP. Parts of it may be frozen then.
 * @example
 * const config = freezeDeep({ limit: 10, names: ['a', 'b'] });
 */
export function freezeDeep<T extends object>(value: T): T {
  copyTerm(value);
  freezeInside(value, '$');
  return value;
}
