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

/** An actor written as a sequence: it ends when its function returns (`normal`) or throws (a crash). */
export type ActorFn<M = unknown, A extends readonly unknown[] = Anything[]> = (
  self: Self<M>,
  ...args: A
) => void | PromiseLike<void>;

/**
 * An actor that is called once per message and runs to completion: several times faster and smaller than a function
 * that awaits. While a promise returned by `onMessage` is pending no further message is handled.
 */
export interface HandlerBody<M = unknown> {
  /** User messages, and Exit, Down, NodeUp, NodeDown, Call as they come. A throw or rejection ends the actor. */
  onMessage(message: M, self: Self<M>): void | PromiseLike<void>;
  /**
   * Runs before the actor ends by itself (`self.exit`, a throw), because its parent ended while it traps exits,
   * or because it was asked to stop. Not on `kill`, nor on an exit signal it does not trap.
   */
  onTerminate?(reason: ExitReason, self: Self<M>): void | PromiseLike<void>;
}

/** Makes the body of a handler actor; runs as the actor's first turn. */
export type HandlerInit<M = unknown, A extends readonly unknown[] = Anything[]> = (
  self: Self<M>,
  ...args: A
) => HandlerBody<M> | typeof IGNORE | PromiseLike<HandlerBody<M> | typeof IGNORE>;

interface SpecBase {
  /** Under which it can be spawned from other nodes; also its label in logs. */
  readonly name: string;
  /** What a supervisor takes it for. Default `worker`. */
  readonly type?: 'worker' | 'supervisor';
}

/** A named actor function. */
export interface FunctionSpec<M = unknown, A extends readonly unknown[] = Anything[]> extends SpecBase {
  readonly kind: 'function';
  readonly body: ActorFn<M, A>;
  /** True: `start` waits until the function calls `self.initAck()`. Default false. */
  readonly ack?: boolean;
}

/** A named handler actor. `start` waits for its init. */
export interface HandlerSpec<M = unknown, A extends readonly unknown[] = Anything[]> extends SpecBase {
  readonly kind: 'handler';
  readonly init: HandlerInit<M, A>;
}

/** A named description of an actor: what may be spawned by name from another node, and put in a child spec. */
export type ActorSpec<M = unknown, A extends readonly unknown[] = Anything[]> =
  | FunctionSpec<M, A>
  | HandlerSpec<M, A>;

/** What can be spawned: an actor function or a spec. */
export type Startable<M = Anything, A extends readonly unknown[] = Anything[]> =
  | ActorFn<M, A>
  | ActorSpec<M, A>;

/** See {@link defineActor}. */
export interface ActorOptions {
  /** Whether a start waits until the function says that it is ready. Default false. */
  readonly ack?: boolean;
}

const ACTOR_OPTIONS: OptionNames<ActorOptions> = { ack: true };

/**
 * Names an actor function, so that it can be logged, supervised and spawned from other nodes.
 *
 * @param options `ack: true`: a start waits until the function calls `self.initAck()` or `self.initIgnore()`, and fails when it ends
 *   before. Default false: a start is done once the actor is made, so it never fails; what the function throws is a crash.
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
 * Names a handler actor: `init` makes its body. See {@link HandlerBody}.
 *
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
    const why = `${what} needs a name that is a string and not empty, not ${kindOf(name)}: ${what}(name, function).`;
    throw new SnowmeshError('SNOW_ERR_BAD_NAME', why);
  }
  checkFunction(what, body);
}
