import type * as Api from '@opentelemetry/api';
import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import {
  type Body,
  type Cell,
  type InTrace,
  isOwnLeave,
  promiseOf,
  type RemotePort,
  type RequestTrace,
  TRACED,
  type TraceHeaders,
  type TracingPort,
} from '../kernel/index.ts';
import { ActiveContext } from './active-context.ts';
import { CarriedContexts } from './carried-contexts.ts';
import { headersOf, spanContextOf } from './headers.ts';
import { nameOf, type Shape, SpanShapes } from './span-shapes.ts';

const SAMPLED = 1; // the bit of the flags of W3C Trace Context

/** The node whose actors are traced. */
export interface Traced {
  readonly remote: RemotePort;
}

/** Makes the spans of one node, and carries their contexts. */
export class ActorTracing implements TracingPort {
  readonly #api: typeof Api;
  readonly #tracer: Tracer;
  readonly #shapes: SpanShapes;
  readonly #node: Traced;
  readonly #mayBegin: boolean;
  readonly #contexts = new CarriedContexts();
  readonly #active: ActiveContext;
  /** The context of messages that enter mailboxes at this moment. */
  #current: SpanContext | null = null;
  /** The valid context that was sent last. Below an unsampled span all messages have the same. */
  #sent: { readonly spanContext: SpanContext; readonly headers: TraceHeaders } | undefined;

  /** @param mayBegin whether a message outside of a trace begins one. */
  constructor(api: typeof Api, tracer: Tracer, node: Traced, mayBegin: boolean) {
    this.#api = api;
    this.#tracer = tracer;
    this.#shapes = new SpanShapes(api.SpanKind);
    this.#node = node;
    this.#mayBegin = mayBegin;
    this.#active = new ActiveContext(api);
  }

  isOutside(from: Cell | null): boolean {
    if (this.#mayBegin || this.#current !== null) return false;
    return (from === null || (from.flags & TRACED) === 0) && this.#active.hasNoSpan();
  }

  send<R>(from: Cell | null, to: unknown, act: () => R): R {
    const parent = this.#parentOf(from);
    const above = this.#api.trace.getSpanContext(parent);
    if (above === undefined && !this.#mayBegin)
      return this.#current === null ? act() : this.#carrying(null, act);
    if (isUnsampled(above)) return this.#sending(above, act);
    const span = this.#start(this.#shapes.send(to, this.#node.remote), parent);
    try {
      return this.#sending(span.spanContext(), act);
    } catch (error) {
      this.#fail(span, error, from);
      throw error;
    } finally {
      span.end();
    }
  }

  request(
    from: Cell | null,
    kind: 'call' | 'spawn',
    target: unknown,
    method: string,
  ): RequestTrace | undefined {
    if (this.isOutside(from)) return undefined;
    const parent = this.#parentOf(from);
    const above = this.#api.trace.getSpanContext(parent);
    if (above === undefined && !this.#mayBegin) return undefined;
    if (isUnsampled(above)) return { run: (act) => this.#sending(above, act), end: () => {} };
    const span = this.#start(this.#shapes.request(kind, target, method, this.#node.remote), parent);
    return {
      run: (act) => {
        try {
          this.#sending(span.spanContext(), act);
        } catch (error) {
          this.#fail(span, error, from);
          span.end();
          throw error;
        }
      },
      end: (failed) => {
        if (failed !== undefined) this.#mark(span, failed, failed);
        span.end();
      },
    };
  }

  timer(from: Cell, to: unknown): InTrace | undefined {
    const { context, ROOT_CONTEXT } = this.#api;
    const armed = this.#instant(this.#parentOf(from), () => this.#shapes.send(to, this.#node.remote));
    if (armed === undefined) return undefined;
    const active = this.#active.below(armed, ROOT_CONTEXT);
    return (act) => context.with(active, () => this.#carrying(armed, act));
  }

  spawned(parent: Cell | null, child: Cell, isRemote: boolean): void {
    const { trace, ROOT_CONTEXT } = this.#api;
    const remote = this.#current === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, this.#current);
    const made = this.#instant(isRemote ? remote : this.#parentOf(parent), () =>
      this.#shapes.spawn(child, isRemote),
    );
    if (made !== undefined) this.#contexts.make(child).spawn = made;
  }

  enters(cell: Cell, message: unknown): void {
    if (this.#current !== null) this.#contexts.enters(cell, message, this.#current);
  }

  dropped(cell: Cell, message: unknown): void {
    this.#contexts.of(cell)?.mail.take(message);
  }

  received(cell: Cell, message: unknown): void {
    this.#contexts.taken(cell, message);
  }

  begin(cell: Cell, act: () => void): void {
    const { context, trace } = this.#api;
    const contexts = this.#contexts.of(cell);
    const active = context.active();
    // The init of a started child runs on the stack of its parent: neither the parent's span nor what it sends is the child's.
    if (contexts?.spawn === undefined) {
      if (trace.getSpanContext(active) === undefined) return this.#carrying(null, act);
      this.#contexts.make(cell); // each of its turns has to leave that span
      return this.#carrying(null, () => context.with(trace.deleteSpan(active), act));
    }
    contexts.start = trace.setSpanContext(active, contexts.spawn);
    this.#carrying(null, () => context.with(contexts.start as Context, act));
  }

  turn(cell: Cell, item: unknown, message: unknown, body: Body): void | PromiseLike<void> {
    return (cell.flags & TRACED) === 0
      ? this.#active.outside(body, message, cell)
      : this.#turnOfTraced(cell, item, message, body);
  }

  // Not inlined into `turn`: V8 allocates the context of a closure in each call of its function, also when the closure is not made.
  #turnOfTraced(cell: Cell, item: unknown, message: unknown, body: Body): void | PromiseLike<void> {
    const { context, trace } = this.#api;
    const active = context.active();
    const carried = this.#contexts.taken(cell, item);
    if (carried === undefined && trace.getSpanContext(active) === undefined)
      return body.onMessage(message, cell);
    const handle = (): void | PromiseLike<void> => body.onMessage(message, cell);
    if (carried === undefined) return context.with(trace.deleteSpan(active), handle);
    if (isUnsampled(carried)) return context.with(this.#active.below(carried, active), handle);
    const parent = trace.setSpanContext(active, carried);
    return this.#inSpan(cell, this.#shapes.turn(cell, message), parent, handle);
  }

  arrive(headers: TraceHeaders, act: () => void): void {
    this.#carrying(spanContextOf(this.#api, headers), act);
  }

  entry<R>(cell: Cell | undefined, operation: string, act: () => R): R {
    const { context, trace } = this.#api;
    return this.#inSpan(cell, this.#shapes.process(operation), trace.deleteSpan(context.active()), act);
  }

  forwarded(target: string): void {
    const { trace, ROOT_CONTEXT } = this.#api;
    if (this.#current === null) return;
    this.#instant(trace.setSpanContext(ROOT_CONTEXT, this.#current), () => this.#shapes.process(target));
  }

  /** The context of what the actor sends now. */
  contextOf(cell: Cell): Context {
    return this.#parentOf(cell);
  }

  /** Runs `work` in a span below the last message that the actor took. */
  withMessage<R>(cell: Cell, work: () => R): R {
    const parent = this.#parentOf(cell);
    const above = this.#api.trace.getSpanContext(parent);
    if (isUnsampled(above) || (above === undefined && !this.#mayBegin))
      return this.#api.context.with(parent, work);
    const last = this.#contexts.of(cell)?.last;
    const made = this.#inSpan(cell, this.#shapes.process(cell.label), parent, work);
    // The span is over when the work is: what is sent afterwards belongs to the message again.
    const contexts = this.#contexts.of(cell);
    if (contexts !== undefined) contexts.last = last;
    return made;
  }

  /** Calls `act` in a new span, which ends when `act` returns or the promise it returned settles. */
  #inSpan<R>(cell: Cell | undefined, shape: Shape, parent: Context, act: () => R): R {
    const { context, trace } = this.#api;
    const span = this.#start(shape, parent);
    // Where no context manager is registered, this is what is left of the context.
    if (cell !== undefined) this.#contexts.make(cell).last = span.spanContext();
    const failed = (error: unknown): never => {
      this.#fail(span, error, cell);
      span.end();
      throw error;
    };
    let made: R;
    try {
      made = context.with(trace.setSpan(parent, span), act);
    } catch (error) {
      return failed(error);
    }
    const pending = promiseOf(made);
    if (pending === undefined) {
      span.end();
      return made;
    }
    return pending.then((value) => {
      span.end();
      return value;
    }, failed) as R;
  }

  /** Makes a span that ends at once. Returns its context, or the parent's if no span is made; undefined outside of all traces. */
  #instant(parent: Context, shape: () => Shape): SpanContext | undefined {
    const above = this.#api.trace.getSpanContext(parent);
    if (isUnsampled(above) || (above === undefined && !this.#mayBegin)) return above;
    const span = this.#start(shape(), parent);
    span.end();
    return span.spanContext();
  }

  /** Messages that `act` sends, to this node and others, get that context. */
  #sending<R>(spanContext: SpanContext, act: () => R): R {
    const { remote } = this.#node;
    if (spanContext !== this.#sent?.spanContext) {
      if (!this.#api.isSpanContextValid(spanContext)) return this.#carrying(null, act); // no SDK is registered
      this.#sent = { spanContext, headers: headersOf(spanContext) };
    }
    remote.setTrace(this.#sent.headers);
    try {
      return this.#carrying(spanContext, act);
    } finally {
      remote.setTrace(null);
    }
  }

  #carrying<R>(spanContext: SpanContext | null, act: () => R): R {
    const before = this.#current;
    this.#current = spanContext;
    try {
      return act();
    } finally {
      this.#current = before;
    }
  }

  /**
   * The context of what an actor does now: the active one, which a handler's turn sets. A function actor runs in that of its spawn for
   * its whole life, so for it the message counts that it took last, unless its code has made another context active.
   */
  #parentOf(from: Cell | null): Context {
    const { context, trace } = this.#api;
    const active = context.active();
    if (from === null || (from.flags & TRACED) === 0) return active;
    const contexts = this.#contexts.of(from);
    if (contexts === undefined) return active;
    const { start, spawn } = contexts;
    const last = contexts.last === undefined ? spawn : contexts.last;
    if (last === undefined || (active !== start && trace.getSpanContext(active) !== undefined)) return active;
    return last === null ? trace.deleteSpan(active) : trace.setSpanContext(active, last);
  }

  #start({ name, kind, attributes }: Shape, parent: Context): Span {
    return this.#tracer.startSpan(name, { kind, attributes }, parent);
  }

  #fail(span: Span, error: unknown, cell: Cell | null | undefined): void {
    if (cell && isOwnLeave(cell, error)) return; // `self.exit`
    if (error instanceof Error) span.recordException(error);
    this.#mark(span, nameOf(error), error instanceof Error ? error.message : undefined);
  }

  #mark(span: Span, type: string, message: string | undefined): void {
    span.setAttribute('error.type', type);
    const { ERROR: code } = this.#api.SpanStatusCode;
    span.setStatus(message === undefined ? { code } : { code, message });
  }
}

/** Below a span that is not sampled no span is made; messages carry the context of the unsampled one. */
function isUnsampled(above: SpanContext | undefined): above is SpanContext {
  return above !== undefined && (above.traceFlags & SAMPLED) === 0;
}
