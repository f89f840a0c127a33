import { checkArray, SnowmeshError } from '../errors/index.ts';
import { briefReason, inBudget, NOT_EXPOSED, never, whyFailed } from '../kernel/index.ts';
import { checkFarStart, checkStartOptions, type StartOptions, type StartResult } from '../spawn/index.ts';
import type { Pid } from '../term/index.ts';
import { type Caller, partsOf, promised } from './caller.ts';
import type { Startable } from './spec.ts';

/**
 * Starts an actor, here or on another node, and waits until its init is done. As OTP's `start` and `start_link`.
 *
 * On this node the result is no promise if it is known at once: for a plain function, and for a handler with a synchronous init. Always
 * `await` it: a loop of starts that fail at once gets a promise, so that timers and sockets run in between.
 *
 * @param parent The starting actor's `self`, or the node for code outside of actors. Only an actor can have a link to the child or a
 * monitor of it: for the node `link` and `monitor` are ignored.
 * @param args The arguments of the actor's code after `self`: for this node as they are, for another node copied.
 * @param options See {@link StartOptions}; `timeout` in ms, default Infinity.
 * @returns See {@link StartResult}: the PID, `ignore`, or the reason why the start failed; then no actor is left.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED, SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_NAME,
 * SNOW_ERR_NODE_NAME, SNOW_ERR_BAD_ARGUMENT.
 * @example
 * const result = await start(self, counter, [0], { link: true, timeout: 1000 });
 * if (!result.ok) self.exit('no counter');
 */
export function start<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options: StartOptions = {},
): StartResult<N> | Promise<StartResult<N>> {
  const { runtime, cell } = partsOf(parent);
  checkArray('start: args', args);
  checkStartOptions(options);
  if (cell?.isOver === true) return never();
  const { node } = options;
  if (node !== undefined && !runtime.isSelf(node)) {
    checkFarStart(options);
    return promised(parent, runtime.starts.start(cell, what, args, options, node)) as Promise<StartResult<N>>;
  }
  const result = runtime.spawner.start(cell, what, args, options) as StartResult<N> | Promise<StartResult<N>>;
  if (cell?.isDead === true) return never(); // the init has ended its starter
  // A loop that repeats a failing start must not starve timers and sockets.
  if (result instanceof Promise || result.ok || runtime.scheduler.spend()) return result;
  return inBudget(runtime, cell, Promise.resolve(result));
}

/**
 * {@link start} that resolves to the PID. Every other outcome rejects with SNOW_ERR_START. Its details have `reason`, or `ignore: true`;
 * for a start on another node also `node`, and `why`, if it is known why that node cannot be reached (`noconnection`) or that its event
 * loop is blocked (`timeout`).
 */
export function startOrThrow<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options?: StartOptions,
): Promise<Pid<N>> {
  return promised(parent, started(parent, what, args, options));
}

async function started<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options?: StartOptions,
): Promise<Pid<N>> {
  const { runtime, cell } = partsOf(parent);
  const result = await inBudget(runtime, cell, Promise.resolve(start(parent, what, args, options)));
  if (result.ok) return result.pid;
  const name = what.name === '' ? 'an actor' : what.name;
  if (result.ignore === true) {
    throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: its init returned IGNORE`, {
      details: { ignore: true },
    });
  }
  const { reason } = result;
  const node = options?.node === undefined || runtime.isSelf(options.node) ? undefined : options.node;
  const { why, detail } = whyFailed(runtime, node, reason);
  const brief = reason === 'unknown_function' && node !== undefined ? NOT_EXPOSED : briefReason(reason);
  const sentence = `${brief}${detail === undefined ? '' : `: ${detail}`}`;
  throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: ${sentence}`, {
    cause: reason,
    details: { reason, ...(node === undefined ? {} : { node }), ...(why === undefined ? {} : { why }) },
  });
}
