// An option that is undefined counts as not given, also under `exactOptionalPropertyTypes`: `{ cookie: process.env.COOKIE }` compiles.
// The type checker is the judge (`npm run check:types`); nothing here runs.
import { describe, expectTypeOf, it } from 'vitest';
import type { connectRooms } from '../../ts/client/index.ts';
import type { healthHandler, startHealthServer } from '../../ts/health/index.ts';
import type * as snowmesh from '../../ts/index.ts';
import type { collectMetrics } from '../../ts/metrics/index.ts';
import type { startObserver } from '../../ts/observe/index.ts';
import type { traceActors } from '../../ts/otel/index.ts';
import type { createRooms, Rooms } from '../../ts/rooms/index.ts';

/** The options that do not accept undefined. Callbacks that are declared as methods are not asked: their types have no place for it. */
type Strict<T> = {
  [K in keyof T]-?: object extends Pick<T, K>
    ? undefined extends Required<T>[K]
      ? never
      : Required<T>[K] extends (...args: never[]) => unknown
        ? never
        : K
    : never;
}[keyof T];

/** {@link Strict} of a list of types. */
type StrictOf<L extends readonly unknown[]> = { [I in keyof L]: Strict<L[I]> }[number];

type Options<F extends (...args: never[]) => unknown, At extends number> = NonNullable<Parameters<F>[At]>;

describe('every option accepts undefined', () => {
  it('of nodes and actors', () => {
    expectTypeOf<
      Strict<{ a?: string; b?: number | undefined; c: string; d?: () => void }>
    >().toEqualTypeOf<'a'>();
    expectTypeOf<
      StrictOf<
        [
          snowmesh.NodeOptions,
          snowmesh.ListenOptions,
          snowmesh.OutboxOptions,
          snowmesh.NodeStopOptions,
          snowmesh.ReadyOptions,
          snowmesh.StopOnSignalsOptions,
          snowmesh.ActorOptions,
          snowmesh.SpawnOptions,
          snowmesh.RemoteSpawnOptions,
          snowmesh.StartOptions,
          snowmesh.StopOptions,
          snowmesh.CallOptions,
          snowmesh.ReceiveOptions,
          snowmesh.MailboxLimit,
          snowmesh.SnowmeshErrorOptions,
        ]
      >
    >().toEqualTypeOf<never>();
  });

  it('of supervisors, servers and tasks', () => {
    expectTypeOf<
      StrictOf<
        [
          snowmesh.ChildOptions,
          snowmesh.ChildSpec,
          snowmesh.Backoff,
          snowmesh.SupervisorOptions,
          snowmesh.DynamicSupervisorOptions,
          snowmesh.PartitionSupervisorOptions,
          snowmesh.TaskOptions,
        ]
      >
    >().toEqualTypeOf<never>();
  });

  it('of discovery, names, groups and introspection', () => {
    expectTypeOf<
      StrictOf<
        [
          snowmesh.DnsOptions,
          snowmesh.FileOptions,
          snowmesh.PollingOptions,
          snowmesh.PortmapOptions,
          snowmesh.PortmapDiscoveryOptions,
          snowmesh.RegisterOptions,
          snowmesh.GlobalNamesOptions,
          snowmesh.GroupsOptions,
          snowmesh.IntrospectOptions,
          snowmesh.PageOptions,
          snowmesh.TopOptions,
          snowmesh.TreeOptions,
        ]
      >
    >().toEqualTypeOf<never>();
  });

  it('of rooms and their client', () => {
    type RoomsOptions = Options<typeof createRooms, 1>;
    expectTypeOf<
      StrictOf<
        [
          RoomsOptions,
          NonNullable<RoomsOptions['limits']>,
          NonNullable<RoomsOptions['resume']>,
          NonNullable<RoomsOptions['heartbeat']>,
          NonNullable<RoomsOptions['bridge']>,
          Options<Rooms['attach'], 1>,
          Options<Rooms['accept'], 1>,
          Options<Rooms['drain'], 0>,
          Options<typeof connectRooms, 1>,
        ]
      >
    >().toEqualTypeOf<never>();
  });

  it('of health, metrics, the observer and traces', () => {
    expectTypeOf<
      StrictOf<
        [
          Options<typeof healthHandler, 1>,
          Options<typeof startHealthServer, 1>,
          Options<typeof collectMetrics, 1>,
          Options<typeof startObserver, 1>,
          Options<typeof traceActors, 1>,
        ]
      >
    >().toEqualTypeOf<never>();
  });
});
