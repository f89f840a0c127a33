import { availableParallelism } from 'node:os';
import { checkFunction, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { type ChildSpec, planChild } from './child-spec.ts';
import { defineSupervisor, type RestartLimit, type SupervisorSpec } from './supervisor.ts';

/** What makes a partition supervisor. See {@link definePartitionSupervisor}. */
export interface PartitionSupervisorOptions extends RestartLimit {
  /** For logs; the partitions are registered as `name/0`, `name/1`, … */
  readonly name: string;
  /** How many. Default: as many as there are processors. */
  readonly partitions?: number;
  /** What runs in a partition, by its index. Its id and name are given by the partition. */
  readonly child: (index: number) => ChildSpec;
}

/** A supervisor of equal children among which keys are divided. */
export interface PartitionSupervisorSpec extends SupervisorSpec {
  readonly partitions: number;
  /** The local name of the partition a key belongs to: the same key, the same partition, also after its restart. O(key). */
  partition(key: string | number | bigint): string;
}

/**
 * Describes a supervisor with one child a partition, so that work which one process would hold up is divided among
 * several by key: for example dynamic supervisors, when children come and go by the ten thousand.
 *
 * @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_CHILD_SPEC.
 * @example
 * const sessions = definePartitionSupervisor({
 *   name: 'sessions',
 *   child: () => childSpec('part', defineDynamicSupervisor({ name: 'part' })),
 * });
 * await sessions.start(self);
 * await startChild(self, sessions.partition(user), childSpec(user, session, { args: [user] }));
 */
export function definePartitionSupervisor(options: PartitionSupervisorOptions): PartitionSupervisorSpec {
  checkOptionNames('definePartitionSupervisor', options, PARTITION_OPTIONS);
  const { child, partitions = availableParallelism(), ...limits } = options;
  const { name } = limits;
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new SnowmeshError(
      'SNOW_ERR_BAD_OPTION',
      `supervisor "${name}": bad partitions: ${String(partitions)}`,
    );
  }
  checkFunction(`supervisor "${name}": child`, child);
  const children = Array.from({ length: partitions }, (_, index) => {
    const spec = child(index);
    planChild(spec, 'never');
    return { ...spec, id: String(index), name: `${name}/${index}` };
  });
  const supervisor = defineSupervisor({ ...limits, children });
  return Object.freeze({
    ...supervisor,
    partitions,
    partition: (key: string | number | bigint) => `${name}/${hash(String(key)) % partitions}`,
  });
}

const PARTITION_OPTIONS: OptionNames<PartitionSupervisorOptions> = {
  name: true,
  partitions: true,
  child: true,
  intensity: true,
  period: true,
};

/** FNV-1a over UTF-16 units: cheap, and spreads keys that differ in their last letter. */
function hash(key: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    mixed = Math.imul(mixed ^ key.charCodeAt(index), 0x01000193);
  }
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
