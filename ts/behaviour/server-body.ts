import {
  Call,
  CallError,
  type ExitReason,
  endInOrder,
  type HandlerBody,
  ReplyStatus,
  type Self,
  Timeout,
  type TimerRef,
} from '../actor/index.ts';
import { promiseOf, shortTag } from '../kernel/index.ts';
import { castTag, isCast } from './cast.ts';
import { type Context, NO_REPLY, SETTLE } from './server-context.ts';

// The types of handlers are checked where users define them; here they are functions of a context and arguments.
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type AnyHandler = (context: any, ...args: any[]) => unknown;
export type HandlerMap = ReadonlyMap<string, AnyHandler>;

/** The callbacks of a server. */
export interface Handlers {
  readonly calls: HandlerMap;
  readonly casts: HandlerMap;
  readonly info: AnyHandler | undefined;
  readonly onContinue: AnyHandler | undefined;
  readonly onTimeout: AnyHandler | undefined;
  readonly terminate: AnyHandler | undefined;
  readonly skipExpired: boolean;
}

/** A Map, so that a tag such as `constructor` finds no handler. */
export function handlerMap(handlers: object | undefined): HandlerMap {
  return new Map(Object.entries(handlers ?? {}));
}

/** The message of the idle timer. */
const IDLE: unique symbol = Symbol('idle');

/**
 * The actor of a server. Each message is handled to completion; then what the handler requested is done: continuations, the
 * stop, the idle timer. It creates no promise unless a handler does.
 */
export class ServerBody<S, M> implements HandlerBody<M> {
  protected readonly context: Context<S, M>;
  protected readonly handlers: Handlers;
  private idle: TimerRef | undefined = undefined;
  private idleDue = 0;
  private lastActive = 0;
  /** Whether the continuations that init requested have started. */
  private hasBegun = false;

  constructor(context: Context<S, M>, handlers: Handlers) {
    this.context = context;
    this.handlers = handlers;
    const { self } = context;
    if (handlers.terminate !== undefined) endInOrder(self.pid);
    if (context.continuations !== undefined) self.runtime.deliverSystem(self.pid, SETTLE);
    else {
      this.hasBegun = true;
      this.rest();
    }
  }

  onMessage(message: unknown): void | Promise<void> {
    this.context.isHandling = true;
    if (this.context.continuations === undefined) return this.take(message);
    const handle = (): void | Promise<void> => (this.isAlive ? this.take(message) : undefined);
    const continued = this.settle();
    return continued === undefined ? handle() : continued.then(handle);
  }

  onTerminate(reason: ExitReason): void | Promise<void> {
    // A stop arrived while init ran: the continuations of init run first.
    const continued = this.hasBegun ? undefined : this.continueAll();
    return continued === undefined ? this.terminate(reason) : continued.then(() => this.terminate(reason));
  }

  /** False: the actor was ended by its own handler, or while that awaited something. No other handler runs then. */
  protected get isAlive(): boolean {
    const { self } = this.context;
    return self.isAlive(self.pid);
  }

  private terminate(reason: ExitReason): void | Promise<void> {
    return this.isAlive
      ? (this.handlers.terminate?.(this.context, reason) as void | Promise<void>)
      : undefined;
  }

  /** Handles one message, then does what the handler requested. */
  protected take(message: unknown): void | Promise<void> {
    if (message instanceof Timeout && message.ref === this.idle) {
      if (this.isEarly()) return void (this.context.isHandling = false);
      message = IDLE;
    }
    const pending = promiseOf(this.dispatch(message));
    return pending === undefined ? this.settle() : pending.then(() => this.settle());
  }

  protected dispatch(message: unknown): unknown {
    if (message instanceof Call) return this.handleCall(message);
    if (isCast(message)) return this.handleCast(message);
    if (message === SETTLE) return undefined;
    if (message === IDLE) return this.handlers.onTimeout?.(this.context);
    return this.handleInfo(message);
  }

  private handleCall(call: Call): unknown {
    const { context } = this;
    if (this.handlers.skipExpired && call.deadline <= context.self.now()) return undefined;
    const handler = this.callHandler(call.tag);
    if (handler === undefined) {
      context.self.runtime.replies.answer(call, ReplyStatus.unknown, call.tag);
      return undefined;
    }
    context.call = call;
    const answer = invoke(handler, context, call.args);
    const pending = promiseOf(answer);
    if (pending === undefined) return this.answer(call, answer);
    return pending.then(
      (value) => this.answer(call, value),
      (error: unknown) => this.failed(call, error),
    );
  }

  /**
   * If a nested call timed out after the client gave up, logs it and lets the server live: a nested call has only the time that the
   * client gave, so a client with a short timeout could end servers otherwise (G2). Any other failure is a crash.
   */
  private failed(call: Call, error: unknown): void {
    const { context } = this;
    const { self } = context;
    const isLate = error instanceof CallError && error.state === 'timeout' && call.deadline <= self.now();
    if (!isLate) throw error;
    context.call = undefined;
    const { pid, label: name, runtime } = self;
    const tag = shortTag(call.tag);
    runtime.throttledLog.write(
      'warn',
      { event: 'call_out_of_time', actor: pid.toString(), name, tag },
      'a nested call timed out after its client had given up',
      `${name} ${tag}`,
    );
  }

  private answer(call: Call, answer: unknown): void {
    this.context.call = undefined;
    if (answer !== NO_REPLY) this.context.self.runtime.replies.succeed(call, answer);
  }

  private handleCast(message: readonly unknown[]): unknown {
    const handler = this.castHandler(castTag(message));
    if (handler === undefined) return this.drop(`cast ${shortTag(castTag(message))}`);
    const { context } = this;
    switch (message.length) {
      case 2:
        return handler(context);
      case 3:
        return handler(context, message[2]);
      default:
        return handler(context, ...message.slice(2));
    }
  }

  private handleInfo(message: unknown): unknown {
    const handler = this.infoHandler();
    return handler === undefined ? this.drop(kindOf(message)) : handler(this.context, message);
  }

  // -- look-up of handlers; overridden by a state machine ---------------------------------------------------------

  protected callHandler(tag: string): AnyHandler | undefined {
    return this.handlers.calls.get(tag);
  }

  protected castHandler(tag: string): AnyHandler | undefined {
    return this.handlers.casts.get(tag);
  }

  protected infoHandler(): AnyHandler | undefined {
    return this.handlers.info;
  }

  // -- after a handler --------------------------------------------------------------------------------------------

  /** Does what the handler requested: continuations, then the stop, then the idle timer. */
  protected settle(): void | Promise<void> {
    const { context } = this;
    const continued = this.continueAll();
    if (continued !== undefined) return continued.then(() => this.settle());
    if (context.stopping !== undefined) context.self.exit(context.stopping.reason);
    this.rest();
    return undefined;
  }

  /** Each continuation costs one turn of the scheduler's budget: one may request the next for ever. */
  private continueAll(): void | Promise<void> {
    const { context } = this;
    this.hasBegun = true;
    while (context.continuations !== undefined && context.stopping === undefined) {
      if (!context.self.runtime.scheduler.spend())
        return new Promise(setImmediate).then(() => this.continueAll());
      if (!this.isAlive) return undefined;
      const pending = promiseOf(this.continue());
      if (pending !== undefined) return pending.then(() => this.continueAll());
    }
    return undefined;
  }

  protected continue(): unknown {
    const { context, handlers } = this;
    const [value, ...others] = context.continuations as unknown[];
    context.continuations = others.length === 0 ? undefined : others;
    return handlers.onContinue === undefined
      ? this.drop('continuation')
      : handlers.onContinue(context, value);
  }

  /** One timer serves many messages: when it fires too early, it is set again for the rest of the time. */
  private rest(): void {
    const { context } = this;
    context.isHandling = false;
    if (context.timeout === Number.POSITIVE_INFINITY) return;
    this.lastActive = context.self.now();
    if (this.idle === undefined) return this.armIdle(context.timeout);
    if (this.lastActive + context.timeout >= this.idleDue) return;
    // A handler has shortened the timeout. The timer has not fired: it is due later than that.
    context.self.cancelTimer(this.idle);
    this.armIdle(context.timeout);
  }

  /** Whether the idle timer fired too early, because messages arrived meanwhile. Sets it again for the rest of the time. */
  private isEarly(): boolean {
    this.idle = undefined;
    const { context } = this;
    if (context.timeout === Number.POSITIVE_INFINITY) return true;
    const left = this.lastActive + context.timeout - context.self.now();
    if (left > 0) this.armIdle(left);
    return left > 0;
  }

  private armIdle(ms: number): void {
    const { self } = this.context;
    this.idleDue = self.now() + ms;
    this.idle = self.startTimer(Math.ceil(ms), self.pid as never, undefined);
  }

  /** Logs a message without a handler: its kind, never its content. */
  protected drop(kind: string): undefined {
    const { pid, label: name, runtime } = (this.context as { self: Self }).self;
    runtime.throttledLog.write(
      'warn',
      { event: 'unexpected_message', actor: pid.toString(), name, kind },
      'a server dropped a message it has no handler for',
      `${name} ${kind}`,
    );
    return undefined;
  }
}

/** Calls a handler. Spreading arguments is slow, so few arguments, the usual case, are passed one by one. */
function invoke(handler: AnyHandler, context: unknown, args: readonly unknown[]): unknown {
  switch (args.length) {
    case 0:
      return handler(context);
    case 1:
      return handler(context, args[0]);
    case 2:
      return handler(context, args[0], args[1]);
    default:
      return handler(context, ...args);
  }
}

function kindOf(message: unknown): string {
  if (typeof message !== 'object' || message === null) return typeof message;
  // Not `message.constructor`: that may be a field of the message.
  return Object.getPrototypeOf(message)?.constructor.name ?? 'object';
}
