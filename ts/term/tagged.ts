// Values with a type name: errors, and structs that users tag themselves. Both travel as STRUCT.

/** A value with a type name, for data whose kind matters and that is no plain object. */
export class Tagged<T extends string = string, F extends object = Record<string, unknown>> {
  readonly type: T;
  readonly fields: F;

  /** @internal Use {@link struct}. */
  constructor(type: T, fields: F) {
    this.type = type;
    this.fields = fields;
  }
}

/**
 * Makes a tagged struct: it travels with its type name and comes back as {@link Tagged}.
 *
 * @param type Its name, up to 255 bytes; names that start with `error:` are taken.
 * @param fields Plain data.
 * @example
 * self.send(pid, struct('point', { x: 1, y: 2 }));
 */
export function struct<T extends string, F extends object>(type: T, fields: F): Tagged<T, F> {
  return new Tagged(type, fields);
}

/** Type names of errors begin with this on the wire. */
export const ERROR_PREFIX = 'error:';

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** What an error carries, in the order it travels: message, stack, cause if it has one, then its own enumerable fields. */
export function errorFields(error: Error): [string, unknown][] {
  const fields: [string, unknown][] = [
    ['message', String(error.message)],
    ['stack', String(error.stack)],
  ];
  if (Object.hasOwn(error, 'cause')) fields.push(['cause', error.cause]);
  for (const key of Object.keys(error)) {
    if (key === 'message' || key === 'stack' || key === 'cause' || key === 'name') continue;
    const value = (error as unknown as Record<string, unknown>)[key];
    if (value !== undefined) fields.push([key, value]);
  }
  return fields;
}

export function errorType(error: Error): string {
  return ERROR_PREFIX + String(error.name);
}

/** The error a STRUCT stands for: of its class when that is a standard one, else an Error of that name. */
export function makeError(name: string, fields: readonly (readonly [string, unknown])[]): Error {
  const Class = Object.hasOwn(ERRORS, name) ? (ERRORS[name] as ErrorConstructor) : Error;
  const error = new Class('', undefined);
  if (error.name !== name) define(error, 'name', name);
  define(error, 'stack', `${name}`);
  for (const [key, value] of fields) {
    if (key === 'message' || key === 'stack' || key === 'cause') define(error, key, value);
    else if (key !== 'name')
      Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true });
}
