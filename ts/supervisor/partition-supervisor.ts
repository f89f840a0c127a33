import { availableParallelism } from 'node:os';
import {
  checkFunction,
  checkOptionNames,
  givenText,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { type ChildSpec, planChild } from './child-spec.ts';
import { defineSupervisor, type RestartLimit, type SupervisorSpec } from './supervisor.ts';

/** The options of {@link definePartitionSupervisor}. */
export interface PartitionSupervisorOptions extends RestartLimit {
  /** For logs; the partitions are registered as `name/0`, `name/1`, … */
  readonly name: string;
  /** The number of partitions. Default: the number of processors. */
  readonly partitions?: number | undefined;
  /** Returns the child spec of a partition, by its index. Its id and name are replaced by those of the partition. */
  readonly child: (index: number) => ChildSpec;
}

/** A supervisor of identical children among which keys are divided. */
export interface PartitionSupervisorSpec extends SupervisorSpec {
  readonly partitions: number;
  /** The local name of the partition of a key. The same key always has the same partition. O(key). */
  partition(key: string | number | bigint): string;
}

/**
 * Describes a supervisor with one child per partition, which divides work by key when one actor would be a bottleneck: for example
 * several dynamic supervisors for tens of thousands of short-lived children.
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
      `supervisor "${name}": bad partitions: ${givenText(partitions)}; use a whole number from 1 on`,
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
