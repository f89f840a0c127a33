import { type Call, type ExitReason, IGNORE, type Self, SystemMessage } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { NoReply } from './protocol.ts';

/** The caller of a call, for servers that answer later. */
export interface From {
  /** The calling actor; undefined for code outside of actors. */
  readonly pid: Pid | undefined;
  /** Identifies the call. Unlike `From` itself it can be sent: another actor of the same node can answer with `replyTo`. */
  readonly ref: Ref;
  /**
   * Answers the call.
   *
   * @returns false when the call was answered before, or its caller does not wait any more. For a caller on another node the latter is
   * not known.
   */
  reply(value: unknown): boolean;
}

/**
 * The first argument of every handler of a server: its state and its methods. There is one context per server, and it
 * may be destructured; to *replace* the state, write `context.state = next`.
 */
export interface ServerContext<S, M = unknown> {
  /** The server's state. A handler may change or replace it. No other code has a reference to it. */
  state: S;
  readonly self: Self<M>;
  /** The caller of the call that is being handled. Throws SNOW_ERR_NO_CALL while there is none. */
  readonly from: From;
  /** ms until the caller gives up; Infinity if it does not, or no call is being handled. */
  readonly timeLeft: number;
  /** ms without a message until `onTimeout` runs; Infinity: never. Restarts at the end of each handler. */
  timeout: number;
  /**
   * Ends the server after this handler; the result of a call handler is still sent to the caller. Called while no handler runs, from a
   * timer for example, it ends the server after the messages that have come before. Default `normal`.
   */
  readonly stop: (reason?: ExitReason) => void;
  /** Runs `onContinue(context, value)` after this handler and before any other message. */
  readonly continueWith: (value: unknown) => void;
}

declare const IGNORED: unique symbol;

/** See {@link ignore}. */
export interface Ignore {
  readonly [IGNORED]: true;
}

/**
 * The result of an `init` that declines the start without an error.
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
 * The result of an `init` that starts the server with `state`, and then runs `onContinue(context, value)` before any message:
 * for work that the start should not wait for.
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
 * The result of a call handler that answers later, through `context.from` or `replyTo`. Only actors of the node that was
 * called can answer. `R` is the type of the answer.
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

/** Makes a server do what was requested while no handler ran. As a system message it is not dropped by a mailbox limit. */
class Settle extends SystemMessage {}
export const SETTLE = new Settle();

/** The context of a server, with the members that its body uses. */
export class Context<S, M> implements ServerContext<S, M> {
  state: S;
  timeout: number;
  readonly self: Self<M>;
  /** @internal The call being handled. */
  call: Call | undefined = undefined;
  /** @internal Set by `stop`. */
  stopping: { readonly reason: ExitReason } | undefined = undefined;
  /** @internal Whether a handler runs, or will: what it requests is done after it. */
  isHandling = true;
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
      pid: call.from,
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

  // Handlers destructure the context, so these functions must not use `this`. They are created on first use, so that a server that
  // does not use them pays nothing.

  get stop(): (reason?: ExitReason) => void {
    return (reason = 'normal') => {
      this.stopping ??= { reason };
      this.requested();
    };
  }

  get continueWith(): (value: unknown) => void {
    return (value) => {
      if (this.continuations === undefined) this.continuations = [value];
      else this.continuations.push(value);
      this.requested();
    };
  }

  /** @internal A request of a timer or a listener is not followed by the end of a handler. */
  requested(): void {
    if (this.isHandling) return;
    this.isHandling = true;
    this.self.runtime.deliverSystem(this.self.pid, SETTLE);
  }
}
