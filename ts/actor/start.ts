import { checkArray, SnowmeshError } from '../errors/index.ts';
import { briefReason, inPace, whyFailed } from '../kernel/index.ts';
import { checkStartOptions, type StartOptions, type StartResult } from '../spawn/index.ts';
import type { Pid } from '../term/index.ts';
import { type Caller, partsOf } from './caller.ts';
import type { Startable } from './spec.ts';

/**
 * Starts an actor, here or on another node, and waits until its init is done. The result comes at once,
 * not as a promise, when nothing had to be waited for: plain functions and handlers whose init is synchronous, here. A refusal that is known at once
 * comes as a promise, in a later turn of the event loop, when the budget of this one is spent.
 *
 * @param parent the starting actor's `self`, or the node for code outside of actors; only an actor can be linked to
 * what it starts, or monitor it: for the node `link` and `monitor` are left out.
 * @returns the PID, `ignore`, or the reason why there is no child; then nothing of it is left.
 * @throws SNOW_ERR_BAD_CALLER, SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED, SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT.
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
  if (cell?.isOver === true) return new Promise(() => {}); // nothing resumes a dead actor (A7)
  const { node } = options;
  if (node !== undefined && !runtime.isSelf(node)) {
    return runtime.starts.start(cell, what, args, options, node) as Promise<StartResult<N>>;
  }
  const result = runtime.spawner.start(cell, what, args, options) as StartResult<N> | Promise<StartResult<N>>;
  // A loop that tries a refused start again and again must let timers and sockets in.
  if (result instanceof Promise || result.ok || runtime.scheduler.spend()) return result;
  return inPace(runtime, cell, Promise.resolve(result));
}

/**
 * `start` that resolves to the PID only: every other outcome rejects with SNOW_ERR_START, whose details have `reason`, or
 * `ignore: true`; of a start on another node also `node`, and `why` when it is known how that got out of reach (`noconnection`), or that its
 * event loop stands still (`timeout`).
 */
export async function startOrThrow<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options?: StartOptions,
): Promise<Pid<N>> {
  const { runtime, cell } = partsOf(parent);
  const result = await inPace(runtime, cell, Promise.resolve(start(parent, what, args, options)));
  if (result.ok) return result.pid;
  const name = what.name === '' ? 'an actor' : what.name;
  if (result.ignore === true) {
    throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: its init said ignore`, {
      details: { ignore: true },
    });
  }
  const { reason } = result;
  const far = options?.node === undefined || runtime.isSelf(options.node) ? undefined : options.node;
  const { why, more } = whyFailed(runtime, far, reason);
  const sentence = `${briefReason(reason)}${more === undefined ? '' : `: ${more}`}`;
  throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: ${sentence}`, {
    cause: reason,
    details: { reason, ...(far === undefined ? {} : { node: far }), ...(why === undefined ? {} : { why }) },
  });
}
