import {
  checkFlag,
  checkFunction,
  checkOptionNames,
  kindOf,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import type { ExitReason, IGNORE } from '../kernel/index.ts';
import type { Self } from './self.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every function that says what it takes
type Anything = any;

/** The code of a function actor, which awaits its messages. The actor ends with `normal` when the function returns, and crashes when it throws. */
export type ActorFn<M = unknown, A extends readonly unknown[] = Anything[]> = (
  self: Self<M>,
  ...args: A
) => void | PromiseLike<void>;

/**
 * The code of a handler actor, which is called once for each message: several times faster, and smaller in memory, than a function
 * that awaits them.
 */
export interface HandlerBody<M = unknown> {
  /**
   * Gets each message, in order: user messages, and system messages such as Exit, Down, NodeUp, NodeDown, Call. While a promise that it
   * returned is pending, no further message is handled. A throw or a rejection ends the actor.
   */
  onMessage(message: M, self: Self<M>): void | PromiseLike<void>;
  /**
   * Runs before the actor ends by itself (`self.exit`, a throw), because it was told to stop, or because its parent ended while it traps
   * exits. Not before an end by `kill`, or by an exit signal that it does not trap. An error, or `self.exit`, that leaves it replaces the
   * reason. As OTP's `terminate/2`.
   */
  onTerminate?(reason: ExitReason, self: Self<M>): void | PromiseLike<void>;
}

/** Makes the body of a handler actor, in the actor's first turn. IGNORE: the actor does not start. */
export type HandlerInit<M = unknown, A extends readonly unknown[] = Anything[]> = (
  self: Self<M>,
  ...args: A
) => HandlerBody<M> | typeof IGNORE | PromiseLike<HandlerBody<M> | typeof IGNORE>;

interface SpecBase {
  /** The name for spawns from other nodes, and the actor's label in logs. */
  readonly name: string;
  /** The type of the child under a supervisor: it decides the default shutdown time. Default `worker`. */
  readonly type?: 'worker' | 'supervisor';
}

/** A named function actor, made by {@link defineActor}. */
export interface FunctionSpec<M = unknown, A extends readonly unknown[] = Anything[]> extends SpecBase {
  readonly kind: 'function';
  readonly body: ActorFn<M, A>;
  /** True: `start` waits until the function calls `self.initAck()`. Default false. */
  readonly ack?: boolean;
}

/** A named handler actor, made by {@link defineHandler}. `start` waits for its init. */
export interface HandlerSpec<M = unknown, A extends readonly unknown[] = Anything[]> extends SpecBase {
  readonly kind: 'handler';
  readonly init: HandlerInit<M, A>;
}

/** A named description of an actor. It can be exposed to other nodes and used in a child spec. */
export type ActorSpec<M = unknown, A extends readonly unknown[] = Anything[]> =
  | FunctionSpec<M, A>
  | HandlerSpec<M, A>;

/** What can be spawned: a function or a spec. */
export type Startable<M = Anything, A extends readonly unknown[] = Anything[]> =
  | ActorFn<M, A>
  | ActorSpec<M, A>;

/** Options of {@link defineActor}. */
export interface ActorOptions {
  /** Whether `start` waits until the function calls `self.initAck()`. Default false. */
  readonly ack?: boolean | undefined;
}

const ACTOR_OPTIONS: OptionNames<ActorOptions> = { ack: true };

/**
 * Makes a spec of a function actor: it has a name in logs, can be supervised, and can be spawned from other nodes.
 *
 * @param options `ack: true`: `start` waits until the function calls `self.initAck()` or `self.initIgnore()`, and fails if the function
 *   ends before. Default false: `start` succeeds once the actor is spawned; an error that the function throws is a crash.
 * @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_ARGUMENT.
 * @example
 * const echo = defineActor('echo', async (self: Self<{ from: Pid<string>; text: string }>) => {
 *   for (;;) {
 *     const message = await self.receive(); // or a system message: Exit, Down, …
 *     if ('text' in message) self.send(message.from, message.text);
 *   }
 * });
 */
export function defineActor<M, A extends readonly unknown[]>(
  name: string,
  body: ActorFn<M, A>,
  options: ActorOptions = {},
): FunctionSpec<M, A> {
  checkSpec('defineActor', name, body);
  checkOptionNames('defineActor', options, ACTOR_OPTIONS);
  checkFlag('defineActor', 'ack', options.ack);
  const { ack = false } = options;
  return Object.freeze({ kind: 'function', name, body, ...(ack ? { ack } : undefined) });
}

/**
 * Makes a spec of a handler actor: it has a name in logs, can be supervised, and can be spawned from other nodes.
 *
 * @param init Makes the actor's {@link HandlerBody}, in its first turn. `start` waits for it.
 * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_ARGUMENT.
 * @example
 * const tally = defineHandler('tally', (_self: Self<number>, start: number) => {
 *   let sum = start;
 *   return { onMessage: (n) => void (typeof n === 'number' && (sum += n)) };
 * });
 * node.send(node.spawn(tally, 0), 5);
 */
export function defineHandler<M, A extends readonly unknown[]>(
  name: string,
  init: HandlerInit<M, A>,
): HandlerSpec<M, A> {
  checkSpec('defineHandler', name, init);
  return Object.freeze({ kind: 'handler', name, init });
}

function checkSpec(what: string, name: unknown, body: unknown): void {
  if (typeof name !== 'string' || name === '') {
    const why = `${what} needs a name that is a non-empty string, not ${kindOf(name)}: call ${what}(name, function).`;
    throw new SnowmeshError('SNOW_ERR_BAD_NAME', why);
  }
  checkFunction(what, body);
}
