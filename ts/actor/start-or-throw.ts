import { SnowmeshError } from '../errors/index.ts';
import { briefReason } from '../kernel/brief-reason.ts';
import { start } from '../spawn/start.ts';
import type { StartOptions } from '../spawn/start-result.ts';
import type { Pid } from '../term/index.ts';
import type { Caller } from './caller.ts';
import type { Startable } from './spec.ts';

/**
 * `start` for those who have no use for anything but the PID: everything else rejects with SNOW_ERR_START, whose
 * details say `reason`, or `ignore: true`.
 */
export async function startOrThrow<N, A extends readonly unknown[]>(
  parent: Caller,
  what: Startable<N, A>,
  args: A,
  options?: StartOptions,
): Promise<Pid<N>> {
  const result = await start(parent, what, args, options);
  if (result.ok) return result.pid;
  const name = what.name === '' ? 'an actor' : what.name;
  if (result.ignore === true) {
    throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: its init said ignore`, {
      details: { ignore: true },
    });
  }
  const { reason } = result;
  throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: ${briefReason(reason)}`, {
    cause: reason,
    details: { reason },
  });
}
