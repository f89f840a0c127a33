import { SnowmeshError } from '../errors/index.ts';
import type { Test } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import type { Call } from './call.ts';
import { isPromise } from './promise.ts';
import { type Down, type Exit, type NodeDown, type NodeUp, SystemMessage } from './system-message.ts';
import { Timeout, TimerRef } from './timer-ref.ts';

/** What `receive` with a timeout resolves to when the time is over. */
export const TIMEOUT: unique symbol = Symbol('snowmesh.timeout');

/** Whatever can lie in the mailbox of an actor that takes messages `M`. */
export type Received<M> = M | Exit | Down | NodeUp | NodeDown | Call | Timeout;

/** Instances of a class of the runtime: Exit, Down, NodeUp, NodeDown, Call, Timeout. */
export type MessageClass<T> = abstract new (...args: never[]) => T;

// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every predicate that says what it expects
type Anything = any;

/**
 * Which message a receive takes; everything else stays, in order.
 *
 * - a string: messages with that tag (the string itself, `message[0]` of an array, `message.type` of an object)
 * - a Ref or TimerRef: messages that carry it (`message.ref`, an element of an array, or the Ref itself)
 * - a class of the runtime: Exit, Down, …
 * - a function: a predicate or type guard. It sees everything, system messages too; a throw ends the actor
 * - an array of those: any of them
 */
export type Match<T = unknown> =
  | string
  | Ref
  | TimerRef
  | MessageClass<T>
  | ((message: Anything) => message is T)
  | ((message: Anything) => unknown)
  | readonly Match<T>[];

/** What a match takes: of a class its instances, of a type guard what it guards, of a list any of its parts. */
export type Matched<T> =
  T extends MessageClass<infer C>
    ? C
    : T extends (message: Anything) => message is infer G
      ? G
      : T extends readonly (infer P)[]
        ? Matched<P>
        : unknown;

/** Those of the messages `M` that have the tag `K`: unknown when no type says which. */
export type WithTag<M, K extends string> = [Carrying<M, K>] extends [never] ? unknown : Carrying<M, K>;

type Carrying<M, K extends string> = M extends string
  ? Common<M, K>
  : M extends readonly [infer T, ...unknown[]]
    ? [Common<T, K>] extends [never]
      ? never
      : M
    : M extends { readonly type: infer T }
      ? [Common<T, K>] extends [never]
        ? never
        : M
      : never;

type Common<T, K extends string> = Extract<T, K> | Extract<K, T>;

/** A match made ready: `keys` name what the mailbox may remember about it. */
export interface CompiledMatch {
  readonly test: Test;
  readonly isSafe: boolean;
  readonly keys: readonly unknown[];
}

/** Makes a match ready. Throws SNOW_ERR_BAD_MATCH. */
export function compileMatch(match: Match): CompiledMatch {
  if (typeof match === 'string')
    return { test: (message) => tagOf(message) === match, isSafe: true, keys: [match] };
  if (match instanceof Ref)
    return { test: (message) => carries(message, match), isSafe: true, keys: [match] };
  if (match instanceof TimerRef) {
    return {
      test: (message) => message instanceof Timeout && message.ref === match,
      isSafe: true,
      keys: [match],
    };
  }
  if (typeof match === 'function') return compileFunction(match);
  if (Array.isArray(match)) {
    const parts = match.map(compileMatch);
    const test: Test = (message) => parts.some((part) => part.test(message));
    return { test, isSafe: parts.every((part) => part.isSafe), keys: parts.flatMap((part) => part.keys) };
  }
  throw new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    `Cannot match by ${typeof match}: use a tag, a reference, a class, a predicate, or an array of those; a timeout alone is receive(undefined, { timeout }).`,
  );
}

const NONE: readonly unknown[] = [];

/** Characters of a tag in a crash report. */
const LONGEST_LOGGED = 100;

/** The tag of a message: the string itself, the first element of an array, `type` of an object. */
export function tagOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  // No system message has a field `type`.
  if (typeof message !== 'object' || message === null) return undefined;
  const tag: unknown = Array.isArray(message) ? message[0] : (message as { type?: unknown }).type;
  return typeof tag === 'string' ? tag : undefined;
}

/** What a crash report says of a message: its tag, or the class it is of, whose name is read when it is wanted. */
export type LoggedTag = string | { readonly name: string } | undefined;

/** The tag of a message as crash reports have it: never a bare string, which is the whole message, nor a long one. */
export function loggedTag(message: unknown): LoggedTag {
  return message instanceof SystemMessage ? systemTag(message) : userTag(message);
}

/** {@link loggedTag} of a message of user code. */
export function userTag(message: unknown): LoggedTag {
  return typeof message === 'object' ? shortened(tagOf(message)) : undefined;
}

/** {@link loggedTag} of a message of the runtime. */
export function systemTag(message: SystemMessage): LoggedTag {
  const { tag } = message as { tag?: unknown }; // a call has one
  return typeof tag === 'string' ? shortened(tag) : message.constructor;
}

function shortened(tag: string | undefined): string | undefined {
  return tag === undefined || tag.length <= LONGEST_LOGGED ? tag : tag.slice(0, LONGEST_LOGGED);
}

/** The classes of the runtime are few; each is made ready once. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a key
const byClass = new WeakMap<Function, CompiledMatch>();

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class or a predicate, told apart here
function compileFunction(match: Function): CompiledMatch {
  const known = byClass.get(match);
  if (known !== undefined) return known;
  if (match === SystemMessage || match.prototype instanceof SystemMessage) {
    const compiled: CompiledMatch = {
      test: (message) => message instanceof match,
      isSafe: true,
      keys: [match],
    };
    byClass.set(match, compiled);
    return compiled;
  }
  if (Object.prototype.toString.call(match) === '[object AsyncFunction]') throw asyncPredicate();
  const test: Test = (message) => {
    const verdict: unknown = match(message);
    if (verdict === true || verdict === false) return verdict;
    if (isPromise(verdict)) {
      verdict.then(undefined, () => {});
      throw asyncPredicate();
    }
    return Boolean(verdict);
  };
  return { test, isSafe: false, keys: NONE };
}

/** A promise is truthy: such a predicate would take every message. */
function asyncPredicate(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    'A predicate of receive must answer at once, not with a promise: receive the message, then look at it.',
  );
}

function carries(message: unknown, ref: Ref): boolean {
  if (typeof message !== 'object' || message === null) return false;
  if (message instanceof Ref) return message.equals(ref);
  if (Array.isArray(message)) {
    for (const part of message) if (part instanceof Ref && part.equals(ref)) return true;
    return false;
  }
  const own: unknown = (message as { ref?: unknown }).ref;
  return own instanceof Ref && own.equals(ref);
}
