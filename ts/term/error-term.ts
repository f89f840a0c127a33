// Errors as data. An error is sent as STRUCT with the name of a standard class as type, so that every reader recognizes it as an
// error. An error of another class has the name of the standard class that it extends, and its own in the field `name`.
import { type ErrorCode, SnowmeshError } from '../errors/index.ts';

type ErrorClass = abstract new (...parameters: never[]) => Error;

/** Standard classes, each with a function that makes an empty error. Derived classes first, `Error` last. */
const MAKERS: ReadonlyMap<string, readonly [ErrorClass, () => Error]> = new Map<
  string,
  readonly [ErrorClass, () => Error]
>([
  ['SnowmeshError', [SnowmeshError, () => new SnowmeshError('' as ErrorCode, '')]],
  ['AggregateError', [AggregateError, () => new AggregateError([])]],
  ['EvalError', [EvalError, () => new EvalError()]],
  ['RangeError', [RangeError, () => new RangeError()]],
  ['ReferenceError', [ReferenceError, () => new ReferenceError()]],
  ['SyntaxError', [SyntaxError, () => new SyntaxError()]],
  ['TypeError', [TypeError, () => new TypeError()]],
  ['URIError', [URIError, () => new URIError()]],
  ['Error', [Error, () => new Error()]],
]);

export type Field = readonly [name: string, value: unknown];

/** The parts of an error. */
export interface ErrorParts {
  readonly type: string;
  readonly fields: readonly Field[];
}

/** Fields with a fixed position; all others are own enumerable properties. */
const FIXED = new Set(['message', 'stack', 'code', 'cause', 'errors', 'name']);
/** Fixed fields that are not enumerable properties of an error. */
const HIDDEN = new Set(['message', 'stack', 'cause', 'errors', 'name']);

/** Whether a STRUCT of this type is an error. */
export function isErrorType(type: string): boolean {
  return MAKERS.has(type);
}

/** The fields of an error, in the order on the wire. Lone surrogates in its own strings are replaced, so these can always be sent. */
export function partsOf(error: Error): ErrorParts {
  const name = text(error.name);
  const type = MAKERS.has(name) ? name : classOf(error);
  const fields: Field[] = [
    ['message', text(error.message)],
    ['stack', text(error.stack)],
  ];
  const own = error as unknown as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(error, 'code')) fields.push(['code', own['code']]);
  if (Object.hasOwn(error, 'cause')) fields.push(['cause', own['cause']]);
  if (Object.hasOwn(error, 'errors')) fields.push(['errors', own['errors']]);
  if (name !== type) fields.push(['name', name]);
  for (const key of Object.keys(error)) if (!FIXED.has(key)) fields.push([key, own[key]]);
  return { type, fields };
}

/** Makes the error of a STRUCT with an error type. */
export function makeError(type: string, fields: readonly Field[]): Error {
  const error = (MAKERS.get(type) as readonly [ErrorClass, () => Error])[1]();
  define(error, 'stack', type, false);
  for (const [key, value] of fields) define(error, key, value, !HIDDEN.has(key));
  return error;
}

/** The nearest standard class of an error. */
function classOf(error: Error): string {
  for (const [name, [Class]] of MAKERS) if (error instanceof Class) return name;
  return 'Error';
}

function text(value: unknown): string {
  return (typeof value === 'string' ? value : String(value)).toWellFormed();
}

/** Defines a property. An assignment would treat a field called `__proto__` as the prototype. */
function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
