import type { Ref } from '../term/index.ts';
import type { Call } from './call.ts';
import type { Down, Exit, NodeDown, NodeUp } from './system-message.ts';
import type { TimerRef, Timeout } from './timer-ref.ts';

/** What `receive` with a timeout resolves to when the time is over. */
export const TIMEOUT: unique symbol = Symbol('snowmesh.timeout');

/** Whatever can lie in the mailbox of an actor that takes messages `M`. */
export type Received<M> = M | Exit | Down | NodeUp | NodeDown | Call | Timeout;

/** Instances of a class of the runtime: Exit, Down, NodeUp, NodeDown, Call, Timeout. */
export type MessageClass<T> = abstract new (...args: never[]) => T;

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
  | ((message: any) => message is T)
  | ((message: any) => unknown)
  | readonly Match<T>[];
