// In which AsyncLocalStorage stores code runs that the runtime calls later.
import { AsyncResource } from 'node:async_hooks';

/** Made when the package is loaded: code that runs in it sees no store. The runtime's own promises and immediates are made in it. */
export const NO_STORE: AsyncResource = new AsyncResource('SNOWMESH_RUNTIME');

// AsyncResource cannot say whether it carries a store, and one for each actor would cost time in each of its turns. What
// Node.js keeps the stores in is a symbol of the resource (`context_frame`, Node.js 24 on), or is there only while a hook
// numbers every promise (before). Where neither symbol is known, each actor has a resource.
const symbols = Object.getOwnPropertySymbols(NO_STORE);
const PROMISE_NUMBER = symbols.find(({ description }) => description === 'async_id_symbol');
const FRAME = symbols.find(({ description }) => description === 'context_frame');

type Marked = Record<symbol, unknown>;

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
