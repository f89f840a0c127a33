import { type Call, type ExitReason, IGNORE, type Self } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { NoReply } from './protocol.ts';

/** The caller of a call, for servers that answer later. */
export interface From {
  /** The actor that asks; undefined: code outside of actors. */
  readonly pid: Pid | undefined;
  /** Identifies the call. Unlike `From` itself it can be sent: another actor of the same node may answer with `replyTo`. */
  readonly ref: Ref;
  /**
   * Answers. False: the call was answered before, or its caller does not wait any more (which is not known of a caller on
   * another node).
   */
  reply(value: unknown): boolean;
}

/**
 * What every handler of a server gets first: its state and its means. There is one context per server, so it
 * can be destructured; but to *replace* the state, write `context.state = next`.
 */
export interface ServerContext<S, M = unknown> {
  /** The server's state, to be changed in place or replaced. No other code has a reference to it. */
  state: S;
  readonly self: Self<M>;
  /** The caller of the call that is being handled. Throws SNOW_ERR_NO_CALL while there is none. */
  readonly from: From;
  /** ms until the caller gives up; Infinity: never, or no call is being handled. */
  readonly timeLeft: number;
  /** ms without a message until `onTimeout`; Infinity: never. Counts anew from the end of each handler. */
  timeout: number;
  /** Ends the server after this handler; what a call handler returns is still answered. Default `normal`. */
  readonly stop: (reason?: ExitReason) => void;
  /** Has `onContinue(context, value)` run after this handler and before any other message. */
  readonly continueWith: (value: unknown) => void;
}

declare const IGNORED: unique symbol;

/** See {@link ignore}. */
export interface Ignore {
  readonly [IGNORED]: true;
}

/**
 * What an `init` returns to decline the start without an error.
 *
 * @example
 * const cache = defineServer({
 *   name: 'cache',
 *   init: (_self, isEnabled: boolean) => (isEnabled ? { hits: 0 } : ignore()),
 * });
 */
export function ignore(): Ignore {
  return IGNORE as unknown as Ignore;
}

/** See {@link continuing}. */
export class Continuing<S> {
  readonly state: S;
  readonly value: unknown;

  constructor(state: S, value: unknown) {
    this.state = state;
    this.value = value;
  }
}

/**
 * What an `init` returns to be started with `state`, and to have `onContinue(context, value)` run before any message:
 * for work that the start of the server does not wait for.
 *
 * @example
 * const lines = defineServer({
 *   name: 'lines',
 *   init: (_self, path: string) => continuing({ lines: [] as string[] }, path),
 *   onContinue: async ({ state }, path) => { state.lines = await readLines(path as string); },
 * });
 */
export function continuing<S>(state: S, value: unknown): Continuing<S> {
  return new Continuing(state, value);
}

/** @internal */
export const NO_REPLY: unique symbol = Symbol('snowmesh.noReply');

/**
 * What a call handler returns when the answer comes later, through `context.from` or `replyTo`: only actors of the node that was
 * asked can answer. `R` is the answer's type.
 *
 * @example
 * const queue = defineServer({
 *   name: 'queue',
 *   init: () => ({ waiting: [] as From[] }),
 *   calls: {
 *     next: ({ state, from }) => {
 *       state.waiting.push(from); // and when there is something: state.waiting.shift()?.reply(5)
 *       return noReply<number>();
 *     },
 *   },
 * });
 */
export function noReply<R = unknown>(): NoReply<R> {
  return NO_REPLY as unknown as NoReply<R>;
}

/** The context as its server sees it. */
export class Context<S, M> implements ServerContext<S, M> {
  state: S;
  timeout: number;
  readonly self: Self<M>;
  /** @internal The call being handled. */
  call: Call | undefined = undefined;
  /** @internal Set by `stop`. */
  stopping: { readonly reason: ExitReason } | undefined = undefined;
  /** @internal Values that wait for `onContinue`. */
  continuations: unknown[] | undefined = undefined;

  constructor(self: Self<M>, state: S, timeout: number) {
    this.self = self;
    this.state = state;
    this.timeout = timeout;
  }

  get from(): From {
    const { call } = this;
    if (call === undefined) throw new SnowmeshError('SNOW_ERR_NO_CALL');
    const { runtime } = this.self;
    return {
      pid: call.from?.local === 0 ? undefined : call.from,
      get ref() {
        return call.ref;
      },
      reply: (value) => runtime.replies.succeed(call, value),
    };
  }

  get timeLeft(): number {
    const deadline = this.call?.deadline ?? Number.POSITIVE_INFINITY;
    return deadline === Number.POSITIVE_INFINITY ? deadline : Math.max(0, deadline - this.self.now());
  }

  // Handlers like to take the context apart, so these must not need `this`; and made when they are asked for, they cost
  // a server that never asks nothing.

  get stop(): (reason?: ExitReason) => void {
    return (reason = 'normal') => {
      this.stopping ??= { reason };
    };
  }

  get continueWith(): (value: unknown) => void {
    return (value) => {
      if (this.continuations === undefined) this.continuations = [value];
      else this.continuations.push(value);
    };
  }
}
