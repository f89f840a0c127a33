import {
  actingFor,
  type Caller,
  type HandlerBody,
  type HandlerSpec,
  IGNORE,
  type Self,
  type StartOptions,
  type StartResult,
  start,
  startOrThrow,
} from '../actor/index.ts';
import { promiseOf } from '../kernel/index.ts';
import type { Protocol, ServerAddress, ServerName, ServerRef } from './protocol.ts';

/** A server or state machine that can be started, with arguments `A` and protocol `P`. */
export interface Behaviour<A extends readonly unknown[], P extends Protocol>
  extends HandlerSpec<P['info'], A> {
  /**
   * Starts an actor without a link and waits for its init.
   *
   * @param parent The starting actor's `self`, or the node for code outside of actors.
   * @throws SNOW_ERR_START: details.reason is what init threw or exited with, `{ alreadyStarted: pid }` when the name
   *   is taken, or `timeout`; details.ignore is true when init returned `ignore()`.
   */
  start(parent: Caller, ...args: A): Promise<ServerRef<P>>;
  /** `start`, linked to the starting actor. */
  startLink(parent: Caller, ...args: A): Promise<ServerRef<P>>;
  /** `start` with a name, a timeout, a node, a link. */
  startWith(parent: Caller, options: StartOptions, ...args: A): Promise<ServerRef<P>>;
  /** `startWith` that returns the outcome as a value: directly, without a promise, when init is synchronous. */
  tryStart(parent: Caller, options: StartOptions, ...args: A): StartResult | Promise<StartResult>;
  /** A local name as an address, typed for `call` and `cast`. */
  named(name: string): ServerName<P>;
  /** A name on a node as an address, typed for `call` and `cast`. */
  at(name: string, node: string): ServerAddress<P>;
}

/** The protocol of a server or state machine: `ProtocolFor<typeof counter>`. */
export type ProtocolFor<B> = B extends { named(name: string): ServerName<infer P> } ? P : never;
/** The typed PID of a server or state machine: `RefFor<typeof counter>`. */
export type RefFor<B> = ServerRef<ProtocolFor<B>>;

/**
 * Adds the start methods to a definition. `init` is that of the user; `begin` makes the body from its result.
 */
export function behaviour<A extends readonly unknown[], P extends Protocol>(
  name: string,
  init: (self: Self<P['info']>, ...args: A) => unknown,
  begin: (self: Self<P['info']>, made: unknown) => HandlerBody<P['info']>,
): Behaviour<A, P> {
  const finish = (self: Self<P['info']>, made: unknown) => (made === IGNORE ? IGNORE : begin(self, made));
  const spec: Behaviour<A, P> = {
    kind: 'handler',
    name,
    init: (self, ...args) => {
      actingFor(self); // an actor of another copy has messages of other classes (V3)
      const made = init(self, ...args);
      return promiseOf(made)?.then((value) => finish(self, value)) ?? finish(self, made);
    },
    start: (parent, ...args) => startOrThrow(parent, spec, args) as Promise<ServerRef<P>>,
    startLink: (parent, ...args) => startOrThrow(parent, spec, args, { link: true }) as Promise<ServerRef<P>>,
    startWith: (parent, options, ...args) =>
      startOrThrow(parent, spec, args, options) as Promise<ServerRef<P>>,
    tryStart: (parent, options, ...args) =>
      start(parent, spec, args, options) as StartResult | Promise<StartResult>,
    named: (name) => name as ServerName<P>,
    at: (name, node) => ({ name, node }) as ServerAddress<P>,
  };
  return Object.freeze(spec);
}
