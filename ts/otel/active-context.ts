// The active context of OpenTelemetry, and a cheap test for turns in which none can be active.
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import type * as Api from '@opentelemetry/api';
import type { Context, ContextManager, SpanContext } from '@opentelemetry/api';

/** The global under which all copies of `@opentelemetry/api` 1.x in a process register their parts. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** The field in which the context manager of `@opentelemetry/context-async-hooks` has its AsyncLocalStorage. */
const STORAGE = '_asyncLocalStorage';

type Registry = { readonly context?: ContextManager };

/** Not an execution id. */
const NONE = -1;

/** How often code has entered a store of an AsyncLocalStorage. */
class Entries {
  count = 0;
  /** A store was entered with `enterWith`, which has no end: any later turn may run in it. */
  isOpenEnded = false;
  /** `run` enters its store, or leaves it: from Node.js 24 on it does both by `enterWith`. */
  #isInRun = false;

  attach(): void {
    if (this.#isInRun) return;
    this.count++;
    this.isOpenEnded = true;
  }

  /** Calls `run`, with a function that calls its `code`. */
  run<R>(run: (inside: () => R) => R, code: () => R): R {
    this.count++;
    this.#isInRun = true;
    try {
      return run(() => {
        this.#isInRun = false;
        try {
          return code();
        } finally {
          this.#isInRun = true;
        }
      });
    } finally {
      this.#isInRun = false;
    }
  }
}

const watched = new WeakMap<AsyncLocalStorage<unknown>, Entries>();

/**
 * The active context.
 *
 * Reading it costs more than the rest of a local message. In a turn that begins outside of all spans it need not be read: until the
 * turn's synchronous code returns, no context is active unless that code enters one, through the storage of the context manager (counted
 * in `Entries`) or through an AsyncResource (its execution id differs).
 */
export class ActiveContext {
  readonly #api: typeof Api;
  readonly #registry = (globalThis as unknown as Record<symbol, Registry | undefined>)[REGISTRY];
  #manager: ContextManager | undefined;
  /** Null: the manager cannot be watched, so the context is always read. */
  #entries: Entries | null = null;
  /** Execution id of the current turn, if it began outside of all spans. */
  #execution = NONE;
  #entered = 0;
  /** What {@link below} has made last. */
  #below: { readonly spanContext: SpanContext; readonly context: Context } | undefined;

  constructor(api: typeof Api) {
    this.#api = api;
  }

  get(): Context {
    return this.#api.context.active();
  }

  /** `active` with that span; the messages below a span that is not sampled all have the same. */
  below(spanContext: SpanContext, active: Context): Context {
    const { trace, ROOT_CONTEXT } = this.#api;
    if (active !== ROOT_CONTEXT) return trace.setSpanContext(active, spanContext);
    if (this.#below?.spanContext !== spanContext)
      this.#below = { spanContext, context: trace.setSpanContext(ROOT_CONTEXT, spanContext) };
    return this.#below.context;
  }

  /** Calls the code of an actor's turn that begins outside of all spans. */
  outside<M, S, R>(code: { onMessage(message: M, self: S): R }, message: M, self: S): R {
    if (this.#registry?.context !== this.#manager) this.#watch();
    const entries = this.#entries;
    if (entries === null || entries.isOpenEnded) return this.#leaving(code, message, self);
    this.#execution = executionAsyncId();
    this.#entered = entries.count;
    try {
      return code.onMessage(message, self);
    } finally {
      this.#execution = NONE;
    }
  }

  /** A context that another turn attached and did not detach does not apply to this one. */
  #leaving<M, S, R>(code: { onMessage(message: M, self: S): R }, message: M, self: S): R {
    const active = this.get();
    if (!this.#hasSpan(active)) return code.onMessage(message, self);
    const { context, trace } = this.#api;
    return context.with(trace.deleteSpan(active), () => code.onMessage(message, self));
  }

  /** Whether no span is active. */
  hasNoSpan(): boolean {
    if (
      this.#execution !== NONE &&
      this.#execution === executionAsyncId() &&
      this.#entered === this.#entries?.count
    )
      return true;
    return !this.#hasSpan(this.get());
  }

  #hasSpan(active: Context): boolean {
    return active !== this.#api.ROOT_CONTEXT && this.#api.trace.getSpanContext(active) !== undefined;
  }

  #watch(): void {
    this.#manager = this.#registry?.context;
    this.#entries = this.#manager === undefined ? null : entriesOf(this.#api, this.#manager);
  }
}

/** Null unless all that makes a context active shows: other managers than that of `@opentelemetry/context-async-hooks` may have other ways. */
function entriesOf({ context, ROOT_CONTEXT }: typeof Api, manager: ContextManager): Entries | null {
  const storage = (manager as unknown as Record<string, unknown>)[STORAGE];
  if (
    !(storage instanceof AsyncLocalStorage) ||
    manager.constructor.name !== 'AsyncLocalStorageContextManager'
  )
    return null;
  const isNumbered =
    new AsyncResource('SNOWMESH_PROBE').runInAsyncScope(executionAsyncId) !== executionAsyncId();
  if (!isNumbered) return null; // Bun and Deno number no executions
  const entries = watch(storage);
  const before = entries.count;
  context.with(ROOT_CONTEXT, () => {});
  return entries.count === before ? null : entries;
}

/** Counts what enters a store. It stays: a storage is watched once, whichever nodes are traced. */
function watch(storage: AsyncLocalStorage<unknown>): Entries {
  const known = watched.get(storage);
  if (known !== undefined) return known;
  const entries = new Entries();
  watched.set(storage, entries);
  const run = storage.run.bind(storage);
  storage.run = (store: unknown, code: (...args: never[]) => unknown, ...args: never[]): never =>
    entries.run(
      (inside) => run(store, inside),
      () => code(...args),
    ) as never;
  for (const name of ATTACHING) attachCounted(storage as unknown as Record<string, unknown>, name, entries);
  return entries;
}

/** Methods that enter a store until another is entered. `withScope`: from Node.js 25.9 on. */
const ATTACHING = ['enterWith', 'withScope'] as const;

function attachCounted(storage: Record<string, unknown>, name: string, entries: Entries): void {
  const attach = storage[name];
  if (typeof attach !== 'function') return;
  storage[name] = (store: unknown): unknown => {
    entries.attach();
    return attach.call(storage, store) as unknown;
  };
}
