// Which context of OpenTelemetry is active, and whether one can be at all.
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import type * as Api from '@opentelemetry/api';
import type { Context, ContextManager } from '@opentelemetry/api';

/** Where `@opentelemetry/api` 1.x keeps what is registered, for all its copies in a process. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** Where the context manager that it knows keeps its storage. */
const STORAGE = '_asyncLocalStorage';

type Registry = { readonly context?: ContextManager };

/** No number of an execution. */
const NONE = -1;

/** Stores that were entered by an AsyncLocalStorage. */
class Entries {
  count = 0;
  /** Entered without an end: every later turn may be in one. */
  isOpenEnded = false;

  attach(): void {
    this.count++;
    this.isOpenEnded = true;
  }
}

const watched = new WeakMap<AsyncLocalStorage<unknown>, Entries>();

/**
 * The active context.
 *
 * A look at it costs more than the rest of a local message does. A turn that begins outside of all spans needs none: as long as its
 * synchronous code goes on, no context is active unless it entered one, by the storage of the context manager or by an AsyncResource of
 * code that had one. The first is counted, the second has another execution id.
 */
export class ActiveContext {
  readonly #api: typeof Api;
  readonly #registry = (globalThis as unknown as Record<symbol, Registry | undefined>)[REGISTRY];
  #manager: ContextManager | undefined;
  /** Null: what the manager does cannot be watched, so every look is made. */
  #entries: Entries | null = null;
  /** The turn under way that began outside of all spans. */
  #execution = NONE;
  #entered = 0;

  constructor(api: typeof Api) {
    this.#api = api;
  }

  get(): Context {
    return this.#api.context.active();
  }

  /** Calls the code of an actor's turn that begins outside of all spans. */
  outside<M, S, R>(code: { onMessage(message: M, self: S): R }, message: M, self: S): R {
    if (this.#registry?.context !== this.#manager) this.#watch();
    if (this.#entries === null || this.#entries.isOpenEnded) {
      // A context that another turn attached and did not detach is none of this one's.
      const active = this.get();
      if (!this.#hasSpan(active)) return code.onMessage(message, self);
      const { context, trace } = this.#api;
      return context.with(trace.deleteSpan(active), () => code.onMessage(message, self));
    }
    this.#execution = executionAsyncId();
    this.#entered = this.#entries.count;
    try {
      return code.onMessage(message, self);
    } finally {
      this.#execution = NONE;
    }
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
  storage.run = (store: unknown, code: (...args: never[]) => unknown, ...args: never[]): never => {
    entries.count++;
    return run(store, code as (...all: unknown[]) => unknown, ...args) as never;
  };
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
