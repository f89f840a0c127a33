// In which AsyncLocalStorage stores code runs that the runtime calls later.
import { AsyncResource } from 'node:async_hooks';

/** Code that runs in it sees no store. The runtime's own promises and immediates are made in it. */
export const NO_STORE: AsyncResource = withoutStores(new AsyncResource('SNOWMESH_RUNTIME'));

// AsyncResource cannot say whether it carries a store, and one for each actor would cost time in each of its turns. What
// Node.js keeps the stores in is a symbol of the resource (`context_frame`, Node.js 24 on), or is there only while a hook
// numbers every promise (before). Where neither symbol is known, each actor has a resource.
const symbols = Object.getOwnPropertySymbols(NO_STORE);
const PROMISE_NUMBER = symbols.find(({ description }) => description === 'async_id_symbol');
const FRAME = symbols.find(({ description }) => description === 'context_frame');

type Marked = Record<symbol, unknown>;

/** A resource has the stores it was made in, and the package may be loaded in one (`require` in a request): that is not shown, nor kept. */
function withoutStores(resource: AsyncResource): AsyncResource {
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    const { description } = symbol;
    // Up to Node.js 22 each AsyncLocalStorage has a symbol of this name; from 24 on a frame has all stores.
    if (description === 'kResourceStore' || description === 'context_frame')
      (resource as unknown as Marked)[symbol] = undefined;
  }
  return resource;
}

/** What carries the stores of the running code; null when there is none. About 40 ns where no AsyncLocalStorage is in use. */
export function currentStore(): AsyncResource | null {
  const isHooked =
    PROMISE_NUMBER === undefined || (Promise.resolve() as unknown as Marked)[PROMISE_NUMBER] !== undefined;
  if (!isHooked && FRAME === undefined) return null;
  const resource = new AsyncResource('SNOWMESH_ACTOR');
  return isHooked || (resource as unknown as Marked)[FRAME as symbol] !== undefined ? resource : null;
}

/** Runs user code that belongs to no store. What it enters with `enterWith` does not reach what runs in NO_STORE. */
export function withoutStore<A extends unknown[], R>(code: (...args: A) => R, ...args: A): R {
  return NO_STORE.runInAsyncScope(makeScope).runInAsyncScope(code, undefined, ...args);
}

function makeScope(): AsyncResource {
  return new AsyncResource('SNOWMESH_RUNTIME');
}

/** `callback` as it shall run later: in the stores of the code that hands it over. */
export function inCurrentStore<A extends unknown[], R>(callback: (...args: A) => R): (...args: A) => R {
  const store = currentStore();
  return store === null ? callback : (...args) => store.runInAsyncScope(callback, undefined, ...args);
}
