import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { SystemMessage } from '../actor/index.ts';
import { Pid, Ref } from '../term/index.ts';

/**
 * What a message is compared with: a class of the runtime (Exit, Down, …), a predicate or type guard, or a value, which
 * must be equal in depth.
 */
export type Expected<T> =
  | (abstract new (
      ...args: never[]
    ) => T)
  | ((message: unknown) => message is T & {})
  | ((message: unknown) => boolean)
  | T;

/** Whether a message is what was expected. */
export function matches(expected: unknown, message: unknown): boolean {
  if (typeof expected !== 'function') return sameMessage(expected, message);
  if (isMessageClass(expected)) return message instanceof expected;
  return expected(message) === true;
}

/** Equality in depth; PIDs and references count as equal when they mean the same. */
export function sameMessage(left: unknown, right: unknown): boolean {
  if (left instanceof Pid || left instanceof Ref) return left.equals(right);
  return isDeepStrictEqual(left, right);
}

/** Throws what every test runner understands. */
export function fail(message: string, actual: unknown, expected: unknown): never {
  throw new AssertionError({ message, actual, expected, operator: 'expect', stackStartFn: fail });
}

function isMessageClass(candidate: object): candidate is new () => object {
  return 'prototype' in candidate && candidate.prototype instanceof SystemMessage;
}
