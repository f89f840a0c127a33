// Checks of values from other nodes: a peer that knows the cookie may still send any term.
import { Pid } from '../term/index.ts';

export type Check = (value: unknown) => boolean;

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
  return (value) => value === undefined || check(value);
}

export function either(one: Check, other: Check): Check {
  return (value) => one(value) || other(value);
}

export function listOf(check: Check, most: number): Check {
  return (value) => Array.isArray(value) && value.length <= most && value.every(check);
}

/** An object with these fields. It may have further fields, of a later version. */
export function record(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const object = value as Readonly<Record<string, unknown>>;
    return entries.every(([key, check]) => check(Object.hasOwn(object, key) ? object[key] : undefined));
  };
}

/** An object whose values are numbers. */
export function amounts(most: number): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const entries = Object.entries(value);
    return entries.length <= most && entries.every(([key, amount]) => isText(key) && isAmount(amount));
  };
}
