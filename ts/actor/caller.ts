import type { CallOptions } from '../call/index.ts';
import {
  checkArray,
  checkOptionNames,
  checkSignal,
  checkTag,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { type Cell, forActor, never } from '../kernel/index.ts';
import type { Dest } from '../send/index.ts';
import { Ref } from '../term/index.ts';
import { Runtime } from './runtime.ts';
import { Self } from './self.ts';

/** The `self` of any actor, whatever it receives. */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every actor that says what it receives
export type AnySelf = Self<any>;

/** The first argument of `start`, `stop`, `call`, …: an actor's `self`, or the node for code outside of actors. */
export type Caller = AnySelf | Runtime | { readonly runtime: Runtime };

/** Two copies of the package share no state, and do not know each other's actors (V3). */
const OTHER_COPY =
  'The caller belongs to another copy of snowmesh in this process: `npm ls snowmesh` lists them; install one only.';
const PROMISE = 'The caller is a promise, not an actor or a node: did you forget await?';

/** The `self` or the runtime of a caller. Throws SNOW_ERR_BAD_CALLER for anything else. */
export function actingFor(caller: Caller): Self | Runtime {
  if (caller instanceof Self || caller instanceof Runtime) return caller;
  const { runtime, then } = (caller ?? {}) as { runtime?: Runtime; then?: unknown };
  if (runtime instanceof Runtime) return runtime;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_CALLER',
    runtime !== undefined ? OTHER_COPY : typeof then === 'function' ? PROMISE : undefined,
  );
}

/** Throws SNOW_ERR_BAD_CALLER, naming `what`, when `self` is not the `self` of an actor. */
export function checkSelf(what: string, self: AnySelf): void {
  if (actingFor(self) instanceof Self) return;
  throw new SnowmeshError('SNOW_ERR_BAD_CALLER', `${what} needs the \`self\` of an actor, not a node.`);
}

/** A caller's runtime, and its cell if it is an actor, otherwise null. Throws SNOW_ERR_BAD_CALLER. */
export function partsOf(caller: Caller): { runtime: Runtime; cell: Cell | null } {
  const acting = actingFor(caller);
  return acting instanceof Runtime
    ? { runtime: acting, cell: null }
    : { runtime: acting.runtime, cell: acting.cell };
}

/** The promise of a caller's request: of an actor, it is not unhandled when it rejects (see {@link forActor}). */
export function promised<P extends Promise<unknown>>(caller: Caller, promise: P): P {
  return caller instanceof Self ? forActor(promise) : promise;
}

const CALL_OPTIONS: OptionNames<CallOptions> = { timeout: true, signal: true };

/** Checks the options of a call. Throws SNOW_ERR_BAD_OPTION naming `what`. */
export function checkCallOptions(what: string, options: CallOptions): void {
  checkOptionNames(what, options, CALL_OPTIONS);
  checkSignal(what, options.signal);
}

/**
 * Sends a request as `caller` and waits for its answer: `call` without the types of a server.
 *
 * @returns The answer, or a rejection with a CallError. The promise of a dead caller stays pending.
 */
export function request<R = unknown>(
  caller: Caller,
  to: Dest<never>,
  tag: string,
  args: readonly unknown[] = [],
  options?: CallOptions,
): Promise<R> {
  actingFor(caller);
  checkTag('a call', tag);
  checkArray('a call: args', args);
  if (options !== undefined) checkCallOptions('a call', options);
  return requestChecked(caller, to, tag, args, options);
}

/** {@link request} for a tag, arguments and options that were checked before. */
export function requestChecked<R = unknown>(
  caller: Caller,
  to: Dest<never>,
  tag: string,
  args: readonly unknown[],
  options?: CallOptions,
): Promise<R> {
  const { runtime, cell } = partsOf(caller);
  if (cell?.isOver === true) return never();
  return runtime.calls.call(cell, to, tag, args, options) as Promise<R>;
}

// Values that cannot be in a message, such as a child spec or a task, which hold functions. For a receiver of the same runtime the value
// is stored here, and the message contains a ticket: the Ref object itself, which a peer cannot send. For a receiver on another node the
// value itself is sent, if it can be.
// A ticket that no receiver takes is collected with its message.
const waiting = new WeakMap<Runtime, WeakMap<Ref, unknown>>();

/** Stores `thing` for a local receiver. The message contains `ticket`; `withdraw` removes the value if the message did not arrive. */
export function handOver(runtime: Runtime, thing: unknown): { ticket: Ref; withdraw: () => void } {
  let things = waiting.get(runtime);
  if (things === undefined) {
    things = new WeakMap();
    waiting.set(runtime, things);
  }
  const kept = things;
  const ticket = runtime.newRef(0);
  kept.set(ticket, thing);
  return { ticket, withdraw: () => void kept.delete(ticket) };
}

/** Removes and returns the value of a ticket. Anything else that a message contained is returned as it is. */
export function takeOver(runtime: Runtime, carried: unknown): unknown {
  if (!(carried instanceof Ref)) return carried;
  const things = waiting.get(runtime);
  const thing = things?.get(carried);
  things?.delete(carried);
  return thing;
}
