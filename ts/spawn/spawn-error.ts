import { SnowmeshError } from '../errors/index.ts';
import { type Kernel, NOT_EXPOSED, SpawnStatus, whyFailed } from '../kernel/index.ts';
import type { Ref } from '../term/index.ts';

/**
 * The error of a spawn that the other node refused, or that did not reach it.
 *
 * @param ref The monitor of a child that has ended in its init: its Down comes.
 */
export function spawnError(
  kernel: Kernel,
  node: string,
  name: string,
  status: SpawnStatus | 'noconnection',
  detail: unknown,
  ref?: Ref,
): SnowmeshError {
  const why =
    status === 'noconnection'
      ? 'the node is out of reach'
      : status === SpawnStatus.unknownFunction
        ? NOT_EXPOSED
        : 'the start was refused';
  const reason = failureOf(status, detail);
  const known = status === 'noconnection' ? whyFailed(kernel, node, status) : {};
  const sentence = known.detail === undefined ? why : `${why}: ${known.detail}`;
  return new SnowmeshError('SNOW_ERR_SPAWN', `Cannot spawn ${name} on ${node}: ${sentence}.`, {
    cause: detail,
    details: {
      node,
      name,
      reason,
      ...(known.why === undefined ? undefined : { why: known.why }),
      ...(status === SpawnStatus.ignored ? { ignore: true } : undefined),
      ...(ref === undefined ? undefined : { ref }),
    },
  });
}

function failureOf(status: SpawnStatus | 'noconnection', detail: unknown): unknown {
  switch (status) {
    case 'noconnection':
      return status;
    case SpawnStatus.unknownFunction:
      return 'unknown_function';
    case SpawnStatus.timedOut:
      return 'timeout';
    default:
      return detail;
  }
}
