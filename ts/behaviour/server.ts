import type { ExitReason, Self } from '../actor/index.ts';
import type { OptionNames } from '../errors/index.ts';
import { type Behaviour, behaviour } from './behaviour.ts';
import { checkDefinition } from './definition.ts';
import type { Protocol, ProtocolOf } from './protocol.ts';
import { type Handlers, handlerMap, ServerBody } from './server-body.ts';
import { Context, Continuing, type Ignore, type ServerContext } from './server-context.ts';

/** An initialiser: runs in the new server and returns its state. The start waits for it. */
export type Init = (self: Self, ...args: never[]) => unknown;
/** The arguments of an initialiser after its `self`. */
export type InitArgs<I> = I extends (self: never, ...args: infer A) => unknown
  ? IsUninferred<I> extends true
    ? Uninferred[]
    : A
  : never;
/** The state that an initialiser returns. */
export type StateOf<I> = I extends (...args: never[]) => infer R
  ? IsUninferred<I> extends true
    ? Uninferred
    : State<Exclude<Awaited<R>, Ignore>>
  : never;
type State<R> = R extends Continuing<infer S> ? S : R;

/** Whether `I` is {@link Init} itself: see {@link Inferred}. */
type IsUninferred<I> = I extends (self: never, ...args: infer A) => unknown
  ? A extends never[]
    ? never[] extends A
      ? true
      : false
    : false
  : false;

/** Handles a call: its result, or that of the promise it returns, is the answer. */
export type CallHandler<S> = (context: ServerContext<S>, ...args: never[]) => unknown;
/** Handles a cast. A promise that it returns is awaited before the next message; any other result is ignored. */
export type CastHandler<S> = (context: ServerContext<S>, ...args: never[]) => unknown;

/** The options of {@link defineServer}: name, state, and handlers by tag. */
export interface ServerOptions<
  I extends Init,
  C,
  K,
  M,
  CallTags extends PropertyKey = keyof C,
  CastTags extends PropertyKey = keyof K,
> {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /**
   * Returns the state. May be async; may return `ignore()` or `continuing(state, value)`. If it throws, the start fails.
   * Call `self.trapExit(true)` here to receive Exit messages, and to have `terminate` run when the parent ends.
   */
  readonly init: I;
  /** Handlers of requests with an answer, by tag. */
  readonly calls?: (C & { readonly [T in CallTags]: CallHandler<StateOf<I>> }) | undefined;
  /** Handlers of requests without an answer, by tag. */
  readonly casts?: (K & { readonly [T in CastTags]: CastHandler<StateOf<I>> }) | undefined;
  /** Handles all other messages: plain ones, Exit, Down, Timeout, NodeUp, NodeDown. Without it they are logged and dropped. */
  readonly info?: ((context: ServerContext<StateOf<I>>, message: M) => unknown) | undefined;
  /** Runs for each `continueWith(value)`. */
  readonly onContinue?: ((context: ServerContext<StateOf<I>>, value: unknown) => unknown) | undefined;
  /** ms without a message until `onTimeout` runs. Default Infinity. */
  readonly timeout?: number | undefined;
  /** Runs when no message has arrived for `timeout` ms. */
  readonly onTimeout?: ((context: ServerContext<StateOf<I>>) => unknown) | undefined;
  /**
   * Runs before the server ends by `context.stop`, `stop()`, `node.stop()` or a throw. When its supervisor stops it, or its parent ends, it
   * runs only if the server traps exits. It never runs on `kill`.
   */
  readonly terminate?: ((context: ServerContext<StateOf<I>>, reason: ExitReason) => unknown) | undefined;
  /** Whether calls whose caller has given up are dropped instead of handled. Default false, as in Erlang. */
  readonly skipExpired?: boolean | undefined;
}

/**
 * Handlers `H`, whose tags are known apart from them. When any option is wrong, the compiler infers neither an init nor a handler that leaves the
 * type of a parameter to it. Their types are then `any`, so that the mistake is the only error: `unknown` would make one of every use of the server.
 */
type Inferred<H, Tags extends PropertyKey> = [keyof H] extends [never] ? Record<Tags, AnyHandler> : H;
type AnyHandler = (context: Uninferred, ...args: Uninferred[]) => Uninferred;
// oxlint-disable-next-line typescript/no-explicit-any
type Uninferred = any;

/** The result of {@link defineServer}. */
export type Server<A extends readonly unknown[], P extends Protocol> = Behaviour<A, P>;

/**
 * Defines a server: an actor that owns a state and handles one request at a time, as Erlang's `gen_server`.
 *
 * A handler gets the {@link ServerContext} and the arguments of the request. It runs to completion: the next message
 * waits, also for the promise of an async handler. A handler that throws ends the server, and its supervisor starts a new one.
 * A call with an unknown tag fails at the caller; an unknown cast is logged and dropped.
 *
 * @param options Handlers by tag; their types are the protocol that `call` and `cast` check.
 * @returns A definition to `start`, to spawn, or to put in a child spec.
 * @example
 * const counter = defineServer({
 *   name: 'counter',
 *   init: (_self, start: number) => ({ count: start }),
 *   calls: {
 *     read: ({ state }) => state.count,
 *     add: ({ state }, by: number) => (state.count += by),
 *   },
 *   casts: {
 *     reset: ({ state }) => { state.count = 0; },
 *   },
 * });
 * const pid = await counter.start(self, 10);
 * await call(self, pid, 'add', 5); // 15
 */
export function defineServer<
  I extends Init,
  C = {},
  K = {},
  M = unknown,
  CallTags extends PropertyKey = never,
  CastTags extends PropertyKey = never,
>(
  options: ServerOptions<I, C, K, M, CallTags, CastTags>,
): Server<InitArgs<I>, ProtocolOf<Inferred<C, CallTags>, Inferred<K, CastTags>, M>> {
  checkDefinition('defineServer', options, SERVER_OPTIONS);
  const handlers: Handlers = {
    calls: handlerMap(options.calls),
    casts: handlerMap(options.casts),
    info: options.info,
    onContinue: options.onContinue,
    onTimeout: options.onTimeout,
    terminate: options.terminate,
    skipExpired: options.skipExpired ?? false,
  };
  const timeout = options.timeout ?? Number.POSITIVE_INFINITY;
  return behaviour(options.name, options.init as Init, (self, made) => {
    const continues = made instanceof Continuing;
    const context = new Context<unknown, M>(self as Self<M>, continues ? made.state : made, timeout);
    if (continues) context.continueWith(made.value);
    return new ServerBody(context, handlers);
  }) as unknown as Server<InitArgs<I>, ProtocolOf<Inferred<C, CallTags>, Inferred<K, CastTags>, M>>;
}

const SERVER_OPTIONS: OptionNames<ServerOptions<Init, unknown, unknown, unknown>> = {
  name: true,
  init: true,
  calls: true,
  casts: true,
  info: true,
  onContinue: true,
  timeout: true,
  onTimeout: true,
  terminate: true,
  skipExpired: true,
};
