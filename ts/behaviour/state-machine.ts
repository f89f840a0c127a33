import type { ExitReason, Self } from '../actor/index.ts';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { type Behaviour, behaviour } from './behaviour.ts';
import { checkCallbacks, checkDefinition, checkHandlers, checkTimeoutOption } from './definition.ts';
import { MachineBody, type MachineStates, stateHandlers } from './machine-body.ts';
import { MachineContext } from './machine-context.ts';
import type { NoReply, ProtocolOf } from './protocol.ts';
import type { Init, InitArgs } from './server.ts';
import { handlerMap } from './server-body.ts';
import type { From, Ignore } from './server-context.ts';

/** The result of the init of a state machine: the first state, and the data that all states share. */
export interface MachineStart<N extends string, D> {
  readonly state: N;
  readonly data: D;
}

/** The first argument of every handler of a state machine. */
export interface StateContext<N extends string, D, M = unknown> {
  /** The data that all states share. A handler may change or replace it. */
  data: D;
  /** The current state. */
  readonly state: N;
  readonly self: Self<M>;
  /** The caller of the call that is being handled. Throws SNOW_ERR_NO_CALL while there is none. */
  readonly from: From;
  /** ms until the caller gives up; Infinity if it does not, or no call is being handled. */
  readonly timeLeft: number;
  /**
   * Changes the state when the handler is done: the state timeout ends, `enter` of the new state runs, then postponed
   * messages are handled again, oldest first. Does nothing for the current state. Throws SNOW_ERR_BAD_OPTION in `enter`.
   */
  readonly goto: (state: N) => void;
  /** Keeps the message for the next state. A call handler has to return the result. Throws in `enter` and `onTimeout`. */
  readonly postpone: () => NoReply<never>;
  /**
   * Runs `onTimeout` of this state after this many ms, instead of after its `timeout`; Infinity: never. In a handler that also calls
   * `goto`, of the new state.
   */
  readonly stateTimeout: (ms: number) => void;
  /** Ends the machine after this handler. Default `normal`. */
  readonly stop: (reason?: ExitReason) => void;
}

/** A promise is awaited before the next message; anything else is ignored. */
type Done = unknown;

/** The handlers of one state. */
export interface StateHandlers<N extends string, D, M> {
  /** Runs when the state is entered. `from` is the previous state, undefined at the start. */
  readonly enter?: (context: StateContext<N, D>, from: N | undefined) => Done;
  readonly calls?: Record<string, (context: StateContext<N, D>, ...args: never[]) => unknown> | undefined;
  readonly casts?: Record<string, (context: StateContext<N, D>, ...args: never[]) => Done> | undefined;
  /** Handles plain messages, Exit, Down, Timeout, NodeUp, NodeDown. */
  readonly info?: ((context: StateContext<N, D>, message: M) => Done) | undefined;
  /** ms in this state until `onTimeout` runs. Default: never. */
  readonly timeout?: number | undefined;
  readonly onTimeout?: ((context: StateContext<N, D>) => Done) | undefined;
}

type Started<I> = I extends (...args: never[]) => infer R ? Exclude<Awaited<R>, Ignore> : never;
type NameOf<I> = Started<I> extends MachineStart<infer N, unknown> ? N : never;
type DataOf<I> = Started<I> extends MachineStart<string, infer D> ? D : never;

/** The options of {@link defineStateMachine}: name, first state, and the handlers of each state. */
export interface StateMachineOptions<I extends Init, States, Any, M> {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /**
   * Returns the first state and the data. Its return type has to list the states: `MachineStart<'open' | 'shut', Data>`.
   */
  readonly init: I;
  /** The handlers of each state. */
  readonly states: States &
    Readonly<Record<string, StateHandlers<NameOf<I>, DataOf<I>, M>>> & // TypeScript 5 infers nothing from keys that it infers
    Readonly<Record<NameOf<I>, unknown>>;
  /** Handlers for messages that the current state does not handle. */
  readonly any?: (Any & Pick<StateHandlers<NameOf<I>, DataOf<I>, M>, 'calls' | 'casts' | 'info'>) | undefined;
  /** Runs before an orderly end, as for a server. */
  readonly terminate?:
    | ((context: StateContext<NameOf<I>, DataOf<I>>, reason: ExitReason) => Done)
    | undefined;
}

type MapsOf<H, Key extends string> = H extends unknown
  ? H extends { readonly [K in Key]: infer C }
    ? C
    : never
  : never;
type TagsOf<Maps> = Maps extends unknown ? keyof Maps : never;
type HandlerOf<Maps, T> = Maps extends unknown ? (T extends keyof Maps ? Maps[T] : never) : never;
type Merged<Maps> = { readonly [T in TagsOf<Maps>]: HandlerOf<Maps, T> };
/** All calls (or casts) of all states as one map. */
type AllOf<States, Any, Key extends string> = Merged<MapsOf<States[keyof States] | Any, Key>>;

/** The result of {@link defineStateMachine}. */
export type StateMachine<I extends Init, States, Any, M> = Behaviour<
  InitArgs<I>,
  ProtocolOf<AllOf<States, Any, 'calls'>, AllOf<States, Any, 'casts'>, M>
>;

/**
 * Defines a state machine: an actor whose handlers depend on its state, as Erlang's `gen_statem`.
 *
 * Each state has handlers like those of a server. `goto` changes the state, `postpone` keeps a message for a later
 * state, `timeout` limits the time in a state. A call that neither the state nor `any` handles fails at the caller with `unknown`.
 *
 * @example
 * const door = defineStateMachine({
 *   name: 'door',
 *   init: (_self, code: string): MachineStart<'locked' | 'open', { code: string }> => ({ state: 'locked', data: { code } }),
 *   states: {
 *     locked: {
 *       calls: {
 *         enter: ({ data, goto }, code: string) => {
 *           if (code === data.code) goto('open');
 *           return code === data.code;
 *         },
 *       },
 *     },
 *     open: { timeout: 10_000, onTimeout: ({ goto }) => goto('locked') },
 *   },
 * });
 */
export function defineStateMachine<I extends Init, States, Any = {}, M = unknown>(
  options: StateMachineOptions<I, States, Any, M>,
): StateMachine<I, States, Any, M> {
  checkDefinition('defineStateMachine', options, MACHINE_OPTIONS);
  checkStates(options.name, options.states, options.any);
  const any = options.any as StateHandlers<string, unknown, M> | undefined;
  const states: MachineStates = new Map(
    Object.entries(options.states as Record<string, StateHandlers<string, unknown, M>>).map(
      ([name, handlers]) => [name, stateHandlers(handlers)],
    ),
  );
  const handlers = {
    calls: handlerMap(any?.calls),
    casts: handlerMap(any?.casts),
    info: any?.info,
    onContinue: undefined,
    onTimeout: undefined,
    terminate: options.terminate,
    skipExpired: false,
  };
  return behaviour(options.name, options.init as Init, (self, made) => {
    const { state, data } = made as MachineStart<string, unknown>;
    return new MachineBody(new MachineContext(self as Self, state, data), handlers, states);
  }) as unknown as StateMachine<I, States, Any, M>;
}

function checkStates(name: string, states: unknown, any: unknown): void {
  if (typeof states !== 'object' || states === null || Object.keys(states).length === 0) {
    const why = `defineStateMachine of "${name}" needs states: { [state]: handlers }`;
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
  for (const [state, handlers] of Object.entries(states))
    checkState(`state "${state}" of "${name}"`, handlers, STATE_HANDLERS);
  if (any !== undefined) checkState(`any of "${name}"`, any as AnyStateHandlers, ANY_HANDLERS);
}

function checkState(
  where: string,
  handlers: AnyStateHandlers,
  known: Readonly<Partial<Record<keyof AnyStateHandlers, true>>>,
): void {
  checkOptionNames(where, handlers, known as OptionNames<AnyStateHandlers>);
  const { calls, casts, enter, info, timeout, onTimeout } = handlers;
  checkHandlers(where, { calls, casts });
  checkCallbacks(where, { enter, info, onTimeout });
  checkTimeoutOption(where, timeout);
}

type AnyStateHandlers = StateHandlers<string, unknown, unknown>;
const STATE_HANDLERS: OptionNames<AnyStateHandlers> = {
  enter: true,
  calls: true,
  casts: true,
  info: true,
  timeout: true,
  onTimeout: true,
};
const ANY_HANDLERS = { calls: true, casts: true, info: true } as const;
const MACHINE_OPTIONS: OptionNames<StateMachineOptions<Init, unknown, unknown, unknown>> = {
  name: true,
  init: true,
  states: true,
  any: true,
  terminate: true,
};
