import type { Pid, Ref } from '../term/index.ts';
import type { Call } from './call.ts';
import type { Down, Exit, NodeDown, NodeUp } from './system-message.ts';
import type { Timeout, TimerRef } from './timer-ref.ts';

/** The value that `receive` with a timeout resolves to when no message matched in time. */
export const TIMEOUT: unique symbol = Symbol('snowmesh.timeout');

/** What can be in the mailbox of an actor that takes messages `M`: those, and system messages. */
export type Received<M> = M | Exit | Down | NodeUp | NodeDown | Call | Timeout;

/** A class of system messages: Exit, Down, NodeUp, NodeDown, Call, Timeout. */
export type MessageClass<T> = abstract new (...args: never[]) => T;

/** A value that a field of a {@link Pattern} can have. */
export type PatternValue = string | number | bigint | boolean | null | Pid | Ref;

/** The fields that a message must have, with their values. See {@link Match}. */
export interface Pattern {
  readonly [field: string]: PatternValue;
}

// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every predicate that says what it expects
type Anything = any;

/**
 * Which message a receive takes: the oldest that matches. All others stay in the mailbox, in order, as with Erlang's `receive`.
 *
 * - a string: a message with that tag - the string itself, an array whose first element it is, or an object whose `type` it is
 * - a Ref or TimerRef: a message that contains it - as its `ref`, as an element of an array, or as the message itself
 * - a class of system messages: Exit, Down, …
 * - a pattern, which is an object literal: a message that is an object and has all fields of the pattern, with equal values; it may
 *   have others. Not an array or a system message. Numbers are equal as keys of a Map are: NaN to NaN, 0 to -0, 1 not to 1n. PIDs and
 *   references are compared by what they denote. The pattern is read when `receive` is called. It is no code, so it costs less than a
 *   predicate: with a string as `type`, or a Ref as `ref`, the search skips what the tag or the reference alone skips
 * - a function: a predicate or type guard. It gets every message, system messages too. It must return at once, not a promise; when
 *   it throws, the actor ends
 * - an array of these: a message that any of them matches
 *
 * @example
 * const answer = await self.receive(['ok', 'error'], { timeout: 1000 });
 * const third = await self.receive({ type: 'page', number: 3 });
 */
export type Match<T = unknown> =
  | string
  | Ref
  | TimerRef
  | MessageClass<T>
  | Pattern
  | ((message: Anything) => message is T)
  | ((message: Anything) => unknown)
  | readonly Match<T>[];

/** Refuses `{ timeout }` as a match, as `receive` does: it is the second argument. */
export type NotOnlyTimeout<P> = [keyof P] extends ['timeout']
  ? [keyof P] extends [never]
    ? unknown
    : 'a timeout alone is receive(undefined, { timeout })'
  : unknown;

/**
 * The type of the messages that a match takes from an actor's messages `M`: a class's instances, a type guard's type, those of `M` that have the
 * tag or the fields, for an array that of any part.
 */
export type Matched<T, M = unknown> = T extends string
  ? WithTag<M, T>
  : T extends MessageClass<infer C>
    ? C
    : T extends (message: Anything) => message is infer G
      ? G
      : T extends readonly (infer P)[]
        ? Matched<P, M>
        : T extends Pattern
          ? WithFields<M, T>
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

type Common<T, K> = Extract<T, K> | Extract<K, T>;

/** Those of the messages `M` that a pattern `P` can match; `unknown` when the types do not say which. */
export type WithFields<M, P extends Pattern> = [Fitting<M, P>] extends [never] ? unknown : Fitting<M, P>;

type Fitting<M, P extends Pattern> = M extends readonly unknown[]
  ? never
  : M extends object
    ? false extends { [F in keyof P]: F extends keyof M ? Overlaps<M[F], P[F]> : false }[keyof P]
      ? never
      : M
    : never;

type Overlaps<T, K> = [Common<T, K>] extends [never] ? false : true;
