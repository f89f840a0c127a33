import { SnowmeshError } from '../errors/index.ts';
import type { NodeAddress } from '../kernel/index.ts';
import { Pid, Ref } from '../term/index.ts';

/** Where a message can go: a PID, a local name, a name on a node, or an alias. */
export type Dest<M = unknown> = Pid<M> | string | NodeAddress | Ref;

const PROMISE = 'The destination is a promise, not a PID or a name: did you forget await?';

/** Throws SNOW_ERR_BAD_DEST for what is no address. */
export function checkDest(to: unknown): void {
  if (typeof to === 'string' || to instanceof Pid || to instanceof Ref) return;
  const isAddress = typeof to === 'object' && to !== null && 'node' in to && 'name' in to;
  if (isAddress) return;
  const isPromise = typeof (to as { then?: unknown } | undefined)?.then === 'function';
  throw new SnowmeshError('SNOW_ERR_BAD_DEST', isPromise ? PROMISE : undefined);
}
