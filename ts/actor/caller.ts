import type { CallOptions } from '../call/index.ts';
import {
  checkArray,
  checkOptionNames,
  checkSignal,
  checkTag,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import type { Cell } from '../kernel/index.ts';
import type { Dest } from '../send/index.ts';
import { Ref } from '../term/index.ts';
import { Runtime } from './runtime.ts';
import { Self } from './self.ts';

/** The `self` of any actor, whatever it receives. */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse every actor that says what it receives
export type AnySelf = Self<any>;

/** What starts, stops or calls something: an actor's `self`, or the node for code outside of actors. */
export type Caller = AnySelf | Runtime | { readonly runtime: Runtime };

/** V3: two copies share nothing, and what belongs to one is unknown to the other. */
const OTHER_COPY =
  'The caller belongs to another copy of snowmesh in this process: `npm ls snowmesh` lists them.';
const PROMISE = 'The caller is a promise, not an actor or a node: did you forget await?';

/** The actor behind a caller, or the runtime when it is none. Throws SNOW_ERR_BAD_CALLER for anything else. */
export function actingFor(caller: Caller): Self | Runtime {
  if (caller instanceof Self || caller instanceof Runtime) return caller;
  const { runtime, then } = (caller ?? {}) as { runtime?: Runtime; then?: unknown };
  if (runtime instanceof Runtime) return runtime;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_CALLER',
    runtime !== undefined ? OTHER_COPY : typeof then === 'function' ? PROMISE : undefined,
  );
}

/** Refuses what is no actor's `self`, the node included. Throws SNOW_ERR_BAD_CALLER naming `what`. */
export function checkSelf(what: string, self: AnySelf): void {
  if (actingFor(self) instanceof Self) return;
  throw new SnowmeshError('SNOW_ERR_BAD_CALLER', `${what} needs the \`self\` of an actor, not a node.`);
}

/** A caller's runtime, and its cell when it is an actor. Throws SNOW_ERR_BAD_CALLER. */
export function partsOf(caller: Caller): { runtime: Runtime; cell: Cell | null } {
  const acting = actingFor(caller);
  return acting instanceof Runtime
    ? { runtime: acting, cell: null }
    : { runtime: acting.runtime, cell: acting.cell };
}

const CALL_OPTIONS: OptionNames<CallOptions> = { timeout: true, signal: true };

/** Refuses options that a call does not have. Throws SNOW_ERR_BAD_OPTION naming `what`. */
export function checkCallOptions(what: string, options: CallOptions): void {
  checkOptionNames(what, options, CALL_OPTIONS);
  checkSignal(what, options.signal);
}

/**
 * Sends a request as `caller` and waits for its answer: `call` and `callWith` without the types of a server.
 *
 * @returns The answer, or a rejection with a CallError. A dead caller's promise stays pending.
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

/** As {@link request}, for a tag, arguments and options that were checked. */
export function requestChecked<R = unknown>(
  caller: Caller,
  to: Dest<never>,
  tag: string,
  args: readonly unknown[],
  options?: CallOptions,
): Promise<R> {
  const { runtime, cell } = partsOf(caller);
  if (cell?.isOver === true) return new Promise(() => {}); // nothing resumes a dead actor (A7)
  return runtime.calls.call(cell, to, tag, args, options) as Promise<R>;
}

// A child spec or a task holds functions, which no message may carry. Within one runtime it stays in this table, and the
// message carries its ticket: the very reference, which no peer can send. To another node the value itself is sent, if that is possible.
const waiting = new WeakMap<Runtime, Map<Ref, unknown>>();

/** Keeps `thing` for a local receiver; `ticket` goes into the message, `withdraw` is for one that did not arrive. */
export function handOver(runtime: Runtime, thing: unknown): { ticket: Ref; withdraw: () => void } {
  let things = waiting.get(runtime);
  if (things === undefined) {
    things = new Map();
    waiting.set(runtime, things);
  }
  const kept = things;
  const ticket = runtime.newRef(0);
  kept.set(ticket, thing);
  return { ticket, withdraw: () => void kept.delete(ticket) };
}

/** The thing behind what a message carried: a ticket's, once, or what came itself. */
export function takeOver(runtime: Runtime, carried: unknown): unknown {
  if (!(carried instanceof Ref)) return carried;
  const things = waiting.get(runtime);
  const thing = things?.get(carried);
  things?.delete(carried);
  return thing;
}
