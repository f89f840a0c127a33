// Checks of values from other nodes: a peer that knows the cookie may still send any term.
import { Pid } from '../term/index.ts';

export interface Check {
  (value: unknown): boolean;
  /** A copy of a value that passed, without the fields that the check does not know. Undefined: there are none such. */
  readonly only?: (value: unknown) => unknown;
}

/** A value that passed a check, without the fields that the check does not know: a peer may send such fields, of any size. */
export function only({ only: known }: Check, value: unknown): unknown {
  return known === undefined ? value : known(value);
}

export const isFlag: Check = (value) => typeof value === 'boolean';
export const isPid: Check = (value) => value instanceof Pid;
/** A finite number from 0 on. */
export const isAmount: Check = (value) =>
  typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;

/** Most characters of any text from a peer: names have at most 255 bytes, node names somewhat more. */
const MAX_TEXT = 512;

export function textTo(most: number): Check {
  return (value) => typeof value === 'string' && value.length <= most;
}

export const isText: Check = textTo(MAX_TEXT);

export function oneOf(...choices: readonly string[]): Check {
  return (value) => choices.includes(value as string);
}

export function wholeTo(most: number, least = 0): Check {
  return (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

export function optional(check: Check): Check {
  return knowing(
    (value) => value === undefined || check(value),
    (value) => (value === undefined ? value : only(check, value)),
  );
}

export function either(one: Check, other: Check): Check {
  return knowing(
    (value) => one(value) || other(value),
    (value) => only(one(value) ? one : other, value),
  );
}

export function listOf(check: Check, most: number): Check {
  return knowing(
    (value) => Array.isArray(value) && value.length <= most && value.every((item) => check(item)),
    (value) => (value as readonly unknown[]).map((item) => only(check, item)),
  );
}

/** An object with these fields. It may have further fields, of a later version. */
export function record(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return knowing(
    (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const object = value as Readonly<Record<string, unknown>>;
      return entries.every(([key, check]) => check(Object.hasOwn(object, key) ? object[key] : undefined));
    },
    (value) => {
      const object = value as Readonly<Record<string, unknown>>;
      const known = entries.filter(([key]) => Object.hasOwn(object, key));
      return Object.fromEntries(known.map(([key, check]) => [key, only(check, object[key])]));
    },
  );
}

/** A check that is made when it is first used: one that contains itself. */
export function lazy(make: () => Check): Check {
  let made: Check | undefined;
  const check = (): Check => (made ??= make());
  return knowing(
    (value) => check()(value),
    (value) => only(check(), value),
  );
}

/** What passes `check` and has to hold as well. */
export function both(check: Check, holds: (value: unknown) => boolean): Check {
  return knowing(
    (value) => check(value) && holds(value),
    (value) => only(check, value),
  );
}

function knowing(check: (value: unknown) => boolean, known: (value: unknown) => unknown): Check {
  return Object.assign(check, { only: known });
}

/** An object whose values are numbers. */
export function amounts(most: number): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const entries = Object.entries(value);
    return entries.length <= most && entries.every(([key, amount]) => isText(key) && isAmount(amount));
  };
}
