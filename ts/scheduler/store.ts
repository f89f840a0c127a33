// The AsyncLocalStorage stores of code that the runtime calls later.
import { AsyncResource } from 'node:async_hooks';

/** Code that runs in this resource sees no store. The runtime makes its own promises and immediates in it. */
export const NO_STORE: AsyncResource = withoutStores(new AsyncResource('SNOWMESH_RUNTIME'));

// AsyncResource does not tell whether it carries a store, and a resource for each actor would cost time in each turn. Node.js keeps the
// stores in a symbol property of the resource (`context_frame`, from Node.js 24 on); before that, promises have an async id only while
// a store is in use. If neither symbol is known, each actor gets a resource.
const symbols = Object.getOwnPropertySymbols(NO_STORE);
const PROMISE_NUMBER = symbols.find(({ description }) => description === 'async_id_symbol');
const FRAME = symbols.find(({ description }) => description === 'context_frame');

type Marked = Record<symbol, unknown>;

/** Removes the stores that a resource was made in: the package may be loaded inside of a store, by a `require` in a request. */
function withoutStores(resource: AsyncResource): AsyncResource {
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    const { description } = symbol;
    // Up to Node.js 22 each AsyncLocalStorage has a symbol of this name; from 24 on a frame has all stores.
    if (description === 'kResourceStore' || description === 'context_frame')
      (resource as unknown as Marked)[symbol] = undefined;
  }
  return resource;
}

/**
 * Whether a promise that was made just now may carry stores. Up to Node.js 22 none does until a store is used in this process; from 24 on
 * it cannot be seen.
 */
export function carriesStore(promise: Promise<unknown>): boolean {
  if (FRAME !== undefined || PROMISE_NUMBER === undefined) return true;
  return (promise as unknown as Marked)[PROMISE_NUMBER] !== undefined;
}

/** A resource that carries the stores of the running code; null: it runs in none. About 40 ns if no AsyncLocalStorage is in use. */
export function currentStore(): AsyncResource | null {
  const isHooked =
    PROMISE_NUMBER === undefined || (Promise.resolve() as unknown as Marked)[PROMISE_NUMBER] !== undefined;
  if (!isHooked && FRAME === undefined) return null;
  const resource = new AsyncResource('SNOWMESH_ACTOR');
  return isHooked || (resource as unknown as Marked)[FRAME as symbol] !== undefined ? resource : null;
}

/** Runs user code in no store. A store that it enters with `enterWith` does not leak into NO_STORE. */
export function withoutStore<A extends unknown[], R>(code: (...args: A) => R, ...args: A): R {
  return NO_STORE.runInAsyncScope(makeScope).runInAsyncScope(code, undefined, ...args);
}

function makeScope(): AsyncResource {
  return new AsyncResource('SNOWMESH_RUNTIME');
}

/** Wraps `callback` so that it later runs in the stores of the code that runs now. */
export function inCurrentStore<A extends unknown[], R>(callback: (...args: A) => R): (...args: A) => R {
  const store = currentStore();
  return store === null ? callback : (...args) => store.runInAsyncScope(callback, undefined, ...args);
}
