import { Timeout, type TimerRef } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { promiseOf } from '../kernel/index.ts';
import type { MachineContext } from './machine-context.ts';
import { type AnyHandler, type HandlerMap, type Handlers, handlerMap, ServerBody } from './server-body.ts';

interface OneState {
  readonly enter: AnyHandler | undefined;
  readonly calls: HandlerMap;
  readonly casts: HandlerMap;
  readonly info: AnyHandler | undefined;
  readonly timeout: number;
  readonly onTimeout: AnyHandler | undefined;
}

export type MachineStates = ReadonlyMap<string, OneState>;

/** Prepares the handlers of one state for look-up. */
export function stateHandlers(handlers: {
  readonly enter?: unknown;
  readonly calls?: object | undefined;
  readonly casts?: object | undefined;
  readonly info?: unknown;
  readonly timeout?: number | undefined;
  readonly onTimeout?: unknown;
}): OneState {
  return {
    enter: handlers.enter as AnyHandler | undefined,
    calls: handlerMap(handlers.calls),
    casts: handlerMap(handlers.casts),
    info: handlers.info as AnyHandler | undefined,
    timeout: handlers.timeout ?? Number.POSITIVE_INFINITY,
    onTimeout: handlers.onTimeout as AnyHandler | undefined,
  };
}

/**
 * A server whose handlers depend on its state. After each message it keeps the message if it was postponed, changes the state if a
 * handler called `goto`, and then handles the kept messages again, oldest first, before new ones.
 */
export class MachineBody<D, M> extends ServerBody<string, M> {
  declare protected readonly context: MachineContext<D, M>;
  private readonly states: MachineStates;
  private current: OneState;
  private stateTimer: TimerRef | undefined = undefined;
  /** Timers of previous states whose Timeout is already in the mailbox: it is dropped. */
  private readonly outdated = new Set<TimerRef>();
  /** Messages kept for a later state, oldest first. */
  private postponed: unknown[] = [];
  /** Messages to handle now, the next one last: the received one and, after a change of state, the kept ones. */
  private queue: unknown[] = [];

  constructor(context: MachineContext<D, M>, handlers: Handlers, states: MachineStates) {
    // `enter` of the first state runs as a continuation: after the start and before any message.
    context.continueWith(undefined);
    super(context, handlers);
    this.states = states;
    this.current = this.stateOf(context.state);
  }

  protected override continue(): unknown {
    this.context.continuations = undefined;
    return this.enter(undefined);
  }

  protected override take(message: unknown): void | Promise<void> {
    this.queue.unshift(message);
    return this.drain();
  }

  private drain(): void | Promise<void> {
    while (this.queue.length > 0 && this.context.stopping === undefined && this.isAlive) {
      const message = this.queue.pop();
      const handled = promiseOf(this.handle(message));
      if (handled !== undefined) return handled.then(() => this.proceed(message)).then(() => this.drain());
      const entered = this.proceed(message);
      if (entered !== undefined) return entered.then(() => this.drain());
    }
    return this.settle();
  }

  /** Handles one message with the handlers of the current state. */
  private handle(message: unknown): unknown {
    if (message instanceof Timeout) {
      if (message.ref === this.stateTimer) {
        this.stateTimer = undefined;
        return this.current.onTimeout?.(this.context);
      }
      if (this.outdated.delete(message.ref)) return undefined;
    }
    this.context.hasMessage = true;
    return this.dispatch(message);
  }

  /** Does what the handler of `message` requested: keeps the message, changes the state, sets another timeout. */
  private proceed(message: unknown): void | Promise<void> {
    if (!this.isAlive) return undefined;
    const { context } = this;
    context.hasMessage = false;
    if (context.isPostponed) {
      context.isPostponed = false;
      this.postponed.push(message);
    }
    const { next } = context;
    context.next = undefined;
    if (next !== undefined && next !== context.state) return this.change(next);
    this.armNewTimeout();
    return undefined;
  }

  private change(next: string): void | Promise<void> {
    const previous = this.context.state;
    this.current = this.stateOf(next);
    this.context.state = next;
    for (const message of this.postponed.reverse()) this.queue.push(message);
    this.postponed = [];
    return this.enter(previous, this.context.newTimeout);
  }

  /** @param requested The time limit that the handler has set, which left the previous state: it is of the new one. */
  private enter(from: string | undefined, requested?: number): void | Promise<void> {
    const { context, current } = this;
    context.newTimeout = requested ?? current.timeout;
    context.isEntering = true;
    const entered = promiseOf(current.enter?.(context, from));
    return entered === undefined ? this.entered() : entered.then(() => this.entered());
  }

  private entered(): void {
    this.context.isEntering = false;
    this.armNewTimeout();
  }

  private armNewTimeout(): void {
    const { context } = this;
    const ms = context.newTimeout;
    if (ms === undefined) return;
    context.newTimeout = undefined;
    const { self } = context;
    const before = this.stateTimer;
    if (before !== undefined && self.cancelTimer(before) === false) this.outdated.add(before);
    this.stateTimer =
      ms === Number.POSITIVE_INFINITY ? undefined : self.startTimer(ms, self.pid as never, undefined);
  }

  private stateOf(name: string): OneState {
    const state = this.states.get(name);
    if (state === undefined) {
      const known = [...this.states.keys()].join(', ');
      throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `there is no state "${name}"; the states are ${known}`);
    }
    return state;
  }

  protected override callHandler(tag: string): AnyHandler | undefined {
    return this.current.calls.get(tag) ?? this.handlers.calls.get(tag);
  }

  protected override castHandler(tag: string): AnyHandler | undefined {
    return this.current.casts.get(tag) ?? this.handlers.casts.get(tag);
  }

  protected override infoHandler(): AnyHandler | undefined {
    return this.current.info ?? this.handlers.info;
  }
}
