import { SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import type { Runtime } from './runtime.ts';
import type { Self } from './self.ts';
import type { Startable } from './spec.ts';
import { type StartOptions, start } from './start.ts';

/** Who starts, stops or calls something: an actor, or the runtime for code outside of actors. */
// biome-ignore lint/suspicious/noExplicitAny: what the caller itself receives does not matter
export type Caller = Self<any> | Runtime;

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
  throw new SnowmeshError('SNOW_ERR_START', `${name} did not start: ${describe(reason)}`, {
    cause: reason,
    details: { reason },
  });
}

function describe(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  if (typeof reason === 'object' && reason !== null && 'error' in reason) {
    const { name, message } = reason.error as { name?: string; message?: string };
    return `${name}: ${message}`;
  }
  return 'see details.reason';
}
