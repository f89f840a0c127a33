import {
  actingFor,
  Call,
  CallError,
  type Caller,
  type CallOptions,
  checkCallOptions,
  type Dest,
  inBudget,
  type NodeAddress,
  partsOf,
  promised,
  type Runtime,
  request,
  requestChecked,
} from '../actor/index.ts';
import { badArgument, checkArray, checkTag } from '../errors/index.ts';
import { copyTerm, type Pid, Ref } from '../term/index.ts';
import { castMessage } from './cast.ts';
import type {
  CallAnswer,
  CallArgs,
  CallTag,
  CastArgs,
  CastTag,
  Protocol,
  ServerDest,
  UntypedDest,
} from './protocol.ts';

/** The same for a server whose protocol is not known to the compiler. */
export function call<R = unknown>(
  caller: Caller,
  server: UntypedDest,
  tag: string,
  ...args: unknown[]
): Promise<R>;
/**
 * Calls a server and waits for its answer: at most 5000 ms or, in a call handler, the time that is left of the call being handled.
 *
 * @param caller The calling actor's `self`, or the node for code outside of actors.
 * @param server PID, local name, or name on a node.
 * @param tag The name of the call handler.
 * @param args The arguments of the handler after its context.
 * @returns The result of the handler.
 * @throws CallError: `state` is the reason - `timeout`, `noproc`, `exit` (the server ended before it answered), `nodedown`, `error`,
 *   `unknown` (no such handler), `calling_self` (at once), `cycle` (the server waits for the caller), … ({@link CallState}). The other
 *   fields are the target, the tag, and the time in ms. A later answer is dropped.
 * @example
 * const sum = await call(self, counter, 'add', 5);
 */
export function call<P extends Protocol, T extends CallTag<P>>(
  caller: Caller,
  server: ServerDest<P>,
  tag: T,
  ...args: CallArgs<P, T>
): Promise<CallAnswer<P, T>>;
export function call(caller: Caller, server: Dest<never>, tag: string, ...args: unknown[]): Promise<unknown> {
  return request(caller, server, tag, args);
}

/** The same for a server whose protocol is not known to the compiler. */
export function callWith<R = unknown>(
  caller: Caller,
  options: CallOptions,
  server: UntypedDest,
  tag: string,
  ...args: unknown[]
): Promise<R>;
/**
 * {@link call} with a timeout in ms (0 and Infinity are valid) and an AbortSignal.
 *
 * @example
 * await callWith(self, { timeout: 100, signal }, counter, 'read');
 */
export function callWith<P extends Protocol, T extends CallTag<P>>(
  caller: Caller,
  options: CallOptions,
  server: ServerDest<P>,
  tag: T,
  ...args: CallArgs<P, T>
): Promise<CallAnswer<P, T>>;
export function callWith(
  caller: Caller,
  options: CallOptions,
  server: Dest<never>,
  tag: string,
  ...args: unknown[]
): Promise<unknown> {
  // Plain JavaScript may pass the server before the options by mistake.
  checkCallOptions('callWith (caller, { timeout, signal }, server, tag, …)', options);
  actingFor(caller);
  checkTag('a call', tag);
  return requestChecked(caller, server, tag, args, options);
}

/** The same for a server whose protocol is not known to the compiler. */
export function cast(caller: Caller, server: UntypedDest, tag: string, ...args: unknown[]): void;
/**
 * Sends a request without an answer, and returns at once. It does not fail when the server does not exist; it throws only for invalid
 * arguments.
 *
 * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_BAD_DEST, SNOW_ERR_BAD_ARGUMENT.
 * @example
 * cast(self, counter, 'reset');
 */
export function cast<P extends Protocol, T extends CastTag<P>>(
  caller: Caller,
  server: ServerDest<P>,
  tag: T,
  ...args: CastArgs<P, T>
): void;
export function cast(caller: Caller, server: Dest<never>, tag: string, ...args: unknown[]): void {
  checkTag('cast', tag);
  const message = castMessage(tag, args);
  const { runtime } = partsOf(caller);
  if (typeof server === 'string' && runtime.whereis(server) === undefined) {
    copyTerm(args); // throws for what cannot be sent (B9)
    runtime.deadLetters.count('no_name', server);
    return;
  }
  (actingFor(caller) as Runtime).send<unknown>(server as Dest, message);
}

/**
 * Answers a call from another actor than the one that received it. `call` is the {@link Call}, or its reference: `call.ref`, or a server's
 * `context.from.ref`. Only actors of the node that was called can answer.
 *
 * @returns false when the call was answered before, its caller does not wait any more (as far as this node knows), or another node was
 * called.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE.
 * @example
 * // in the server: run: ({ self, from }, job: Job) => (self.send(worker, { ref: from.ref, job }), noReply<number>()),
 * // in the worker:
 * replyTo(self, message.ref, compute(message.job));
 */
export function replyTo(caller: Caller, call: Call | Ref, value: unknown): boolean {
  const { replies } = partsOf(caller).runtime;
  if (!(call instanceof Call || call instanceof Ref))
    throw badArgument('replyTo', 'a call or its reference', call);
  return replies.succeed(call, value);
}

/** The result of {@link multiCall}. */
export interface MultiCallResult<R, D = Dest> {
  readonly replies: readonly { readonly server: D; readonly value: R }[];
  readonly failures: readonly { readonly server: D; readonly error: CallError }[];
}

/** The same for a server whose protocol is not known to the compiler. */
export function multiCall<R = unknown>(
  caller: Caller,
  servers: readonly UntypedDest[],
  tag: string,
  args: readonly unknown[],
  options?: CallOptions,
): Promise<MultiCallResult<R>>;
/**
 * Calls many servers in parallel, as Erlang's `gen_server:multi_call`. The answers that arrive within the timeout are in `replies`, the
 * errors of all other calls in `failures`. It takes no longer than the timeout. For one name on many nodes, map the nodes to
 * `{ name, node }`.
 *
 * @param options.timeout ms; default 5000.
 * @example
 * const { replies, failures } = await multiCall(self, node.nodes().map((peer) => stats.at('stats', peer)), 'read', []);
 */
export function multiCall<P extends Protocol, T extends CallTag<P>>(
  caller: Caller,
  servers: readonly ServerDest<P>[],
  tag: T,
  args: CallArgs<P, T>,
  options?: CallOptions,
): Promise<MultiCallResult<CallAnswer<P, T>, ServerDest<P>>>;
export function multiCall(
  caller: Caller,
  servers: readonly (Pid | string | NodeAddress)[],
  tag: string,
  args: readonly unknown[],
  options?: CallOptions,
): Promise<MultiCallResult<unknown>> {
  return promised(caller, askAll(caller, servers, tag, args, options));
}

async function askAll(
  caller: Caller,
  servers: readonly (Pid | string | NodeAddress)[],
  tag: string,
  args: readonly unknown[],
  options: CallOptions | undefined,
): Promise<MultiCallResult<unknown>> {
  const acting = actingFor(caller);
  checkArray('multiCall: servers', servers);
  checkTag('multiCall', tag);
  checkArray('multiCall: args', args);
  if (options !== undefined) checkCallOptions('multiCall', options);
  const asked = servers.map(async (server) =>
    requestChecked(acting, server as Dest<never>, tag, args, options),
  );
  const { runtime, cell } = partsOf(caller);
  const outcomes = await inBudget(runtime, cell, Promise.allSettled(asked));
  const replies: { server: Dest; value: unknown }[] = [];
  const failures: { server: Dest; error: CallError }[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const server = servers[index] as Dest;
    if (outcome.status === 'fulfilled') replies.push({ server, value: outcome.value });
    else if (outcome.reason instanceof CallError) failures.push({ server, error: outcome.reason });
    else throw outcome.reason;
  }
  return { replies, failures };
}
