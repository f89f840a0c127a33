import { SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import { briefReason } from './brief-reason.ts';
import { Runtime } from './runtime.ts';
import { Self } from './self.ts';
import type { Startable } from './spec.ts';
import { start } from './start.ts';
import type { StartOptions } from './start-result.ts';

/** Who starts, stops or calls something: an actor's `self`; the node, or its `runtime`, for code outside of actors. */
// oxlint-disable-next-line typescript/no-explicit-any -- what the caller itself receives does not matter
export type Caller = Self<any> | Runtime | { readonly runtime: Runtime };

/** V3: two copies share nothing, and what is of one is a stranger to the other. */
const OTHER_COPY =
  'What is to act belongs to another copy of snowmesh in this process: `npm ls snowmesh` lists them.';

/** The actor behind a caller, or the runtime when it is none. Throws SNOW_ERR_BAD_CALLER for anything else. */
export function actingFor(caller: Caller): Self | Runtime {
  if (caller instanceof Self || caller instanceof Runtime) return caller;
  const { runtime } = (caller ?? {}) as { runtime?: Runtime };
  if (!(runtime instanceof Runtime))
    throw new SnowmeshError('SNOW_ERR_BAD_CALLER', runtime === undefined ? undefined : OTHER_COPY);
  return runtime;
}

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
  const result = await start(actingFor(parent) as Runtime, what, args, options);
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
