import { SnowmeshError } from '../errors/index.ts';
import type { Test } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import type { Call } from './call.ts';
import { isPromise } from './promise.ts';
import { type Down, type Exit, type NodeDown, type NodeUp, SystemMessage } from './system-message.ts';
import { Timeout, TimerRef } from './timer-ref.ts';

/** The value that `receive` with a timeout resolves to when no message matched in time. */
export const TIMEOUT: unique symbol = Symbol('snowmesh.timeout');

/** What can be in the mailbox of an actor that takes messages `M`: those, and system messages. */
export type Received<M> = M | Exit | Down | NodeUp | NodeDown | Call | Timeout;

/** A class of system messages: Exit, Down, NodeUp, NodeDown, Call, Timeout. */
export type MessageClass<T> = abstract new (...args: never[]) => T;

// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every predicate that says what it expects
type Anything = any;

/**
 * Which message a receive takes: the oldest that matches. All others stay in the mailbox, in order, as with Erlang's `receive`.
 *
 * - a string: a message with that tag - the string itself, an array whose first element it is, or an object whose `type` it is
 * - a Ref or TimerRef: a message that contains it - as its `ref`, as an element of an array, or as the message itself
 * - a class of system messages: Exit, Down, …
 * - a function: a predicate or type guard. It gets every message, system messages too. It must return at once, not a promise; when
 *   it throws, the actor ends
 * - an array of these: a message that any of them matches
 *
 * @example
 * const answer = await self.receive(['ok', 'error'], { timeout: 1000 });
 */
export type Match<T = unknown> =
  | string
  | Ref
  | TimerRef
  | MessageClass<T>
  | ((message: Anything) => message is T)
  | ((message: Anything) => unknown)
  | readonly Match<T>[];

/** The type of the messages that a match takes: a class's instances, a type guard's type, for an array that of any part. */
export type Matched<T> =
  T extends MessageClass<infer C>
    ? C
    : T extends (message: Anything) => message is infer G
      ? G
      : T extends readonly (infer P)[]
        ? Matched<P>
        : unknown;

/** Those of the messages `M` that have the tag `K`; `unknown` when the types do not say which have it. */
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

/** A match as a test of messages. */
export interface CompiledMatch {
  readonly test: Test;
  /** The test is not user code and cannot throw: a sender may run it. */
  readonly isSafe: boolean;
  /** The keys under which the mailbox remembers how far it searched for this match. */
  readonly keys: readonly unknown[];
}

/** Compiles a match. Throws SNOW_ERR_BAD_MATCH. */
export function compileMatch(match: Match): CompiledMatch {
  if (typeof match === 'string') return byTag.get(match) ?? compileTag(match);
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

/** Tags whose compiled match is kept, and the longest of them; the table starts again empty when it is full. */
const MAX_TAGS = 1024;
const MAX_TAG_LENGTH = 64;

const byTag = new Map<string, CompiledMatch>();

function compileTag(tag: string): CompiledMatch {
  const compiled = { test: (message: unknown) => tagOf(message) === tag, isSafe: true, keys: [tag] };
  if (tag.length > MAX_TAG_LENGTH) return compiled;
  if (byTag.size >= MAX_TAGS) byTag.clear();
  byTag.set(tag, compiled);
  return compiled;
}

/** Most characters of a tag in a crash report. */
const MAX_LOGGED_LENGTH = 100;

/** The tag of a message: the string itself, the first element of an array, `type` of an object. */
export function tagOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  // No system message has a field `type`.
  if (typeof message !== 'object' || message === null) return undefined;
  const tag: unknown = Array.isArray(message) ? message[0] : (message as { type?: unknown }).type;
  return typeof tag === 'string' ? tag : undefined;
}

/** What a crash report prints of a message: its tag, or its class, whose name is read when the report is written. */
export type LoggedTag = string | { readonly name: string } | undefined;

/** The tag of a message for crash reports: shortened; undefined for a string, which is the whole message and may be private. */
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
  return tag === undefined || tag.length <= MAX_LOGGED_LENGTH ? tag : tag.slice(0, MAX_LOGGED_LENGTH);
}

/** Compiled matches of the few classes of system messages. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a key
const byClass = new WeakMap<Function, CompiledMatch>();

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class or a predicate, distinguished here
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

/** Refuses an async predicate: its promise is truthy, so it would take every message. */
function asyncPredicate(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    'A predicate of receive must return true or false at once, not a promise: receive the message first, then await what it needs.',
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
