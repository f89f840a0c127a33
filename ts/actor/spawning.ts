// Making actors, here and on other nodes.
import { SnowmeshError } from '../errors/index.ts';
import { copyTerm, type Pid, type Ref } from '../term/index.ts';
import { type Cell } from './cell.ts';
import { wake } from './delivery.ts';
import { ancestorsOf, createCell } from './lifecycle.ts';
import { SpawnStatus } from './remote-port.ts';
import type { Runtime } from './runtime.ts';
import { link, monitor } from './signals.ts';
import type { SpawnOptions } from './spawn-options.ts';
import type { Startable } from './spec.ts';

/** Makes an actor; it runs soon (rule A1). Throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_STOPPED, SNOW_ERR_NOT_SPAWNABLE. */
export function spawn(
  runtime: Runtime,
  parent: Cell | null,
  what: Startable,
  args: readonly unknown[],
  options: SpawnOptions | undefined,
  isHandler: boolean,
): { pid: Pid; ref: Ref | undefined; cell: Cell } {
  if (runtime.isStopped) throw new SnowmeshError('SNOW_ERR_STOPPED');
  const isSpec =
    typeof what === 'object' && what !== null && (what.kind === 'function' || what.kind === 'handler');
  if (typeof what !== 'function' && !isSpec) throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE');
  const cell = createCell(runtime, parent, { what, isHandler, args }, options);
  if (parent !== null) {
    const ancestors = ancestorsOf(parent);
    if (ancestors.length > 0 && (parent.extra !== null || options !== undefined))
      cell.more().ancestors = ancestors;
  }
  let ref: Ref | undefined;
  if (options?.link === true && parent !== null) link(parent, cell.pid);
  if (options?.monitor === true && parent !== null) {
    ref = runtime.newRef(parent.pid.local);
    monitor(parent, cell.pid, ref);
  }
  wake(cell);
  return { pid: cell.pid, ref, cell };
}

/** A remote spawn that waits for its reply. */
export interface PendingSpawn {
  readonly cell: Cell;
  readonly node: string;
  readonly link: boolean;
  readonly monitor: Ref | undefined;
  settle(status: SpawnStatus | 'noconnection', child: Pid | undefined, detail: unknown): void;
}

/** Spawns what another node offers under `name`. */
export function spawnOn(
  cell: Cell,
  node: string,
  name: string,
  args: readonly unknown[],
  options: { readonly link?: boolean; readonly monitor?: boolean },
): Promise<{ pid: Pid; ref: Ref | undefined }> {
  const { runtime } = cell;
  if (runtime.isSelf(node)) return spawnHere(cell, name, args, options);
  copyTerm(args);
  const request = runtime.newRef(cell.pid.local);
  const monitorRef = options.monitor === true ? runtime.newRef(cell.pid.local) : undefined;
  const where = runtime.remote.canonical(node);
  return new Promise((resolve, reject) => {
    const pending: PendingSpawn = {
      cell,
      node: where,
      link: options.link === true,
      monitor: monitorRef,
      settle(status, child, detail) {
        runtime.spawns.delete(request.id);
        runtime.remoteSpawns.remove(where, pending);
        if (cell.isDead) return;
        if (status === SpawnStatus.ok && child !== undefined) resolve({ pid: child, ref: monitorRef });
        else reject(spawnError(node, name, status, detail));
      },
    };
    runtime.spawns.set(request.id, pending);
    runtime.remoteSpawns.add(where, pending);
    const order = {
      from: cell.pid,
      request,
      node: where,
      link: pending.link,
      monitor: monitorRef,
      function: name,
      args,
    };
    runtime.remote.spawn(order);
  });
}

async function spawnHere(
  cell: Cell,
  name: string,
  args: readonly unknown[],
  options: SpawnOptions,
): Promise<{ pid: Pid; ref: Ref | undefined }> {
  const { runtime } = cell;
  const spec = runtime.exposed.get(name);
  if (spec === undefined) throw spawnError(runtime.ownName, name, SpawnStatus.unknownFunction, name);
  return spawn(runtime, cell, spec, copyTerm(args), options, false);
}

function spawnError(
  node: string,
  name: string,
  status: SpawnStatus | 'noconnection',
  detail: unknown,
): SnowmeshError {
  const why =
    status === 'noconnection'
      ? 'the node is out of reach'
      : status === SpawnStatus.unknownFunction
        ? 'the node exposes no such actor'
        : 'the start was refused';
  const reason =
    status === SpawnStatus.unknownFunction ? 'unknown_function' : status === 'noconnection' ? status : detail;
  return new SnowmeshError('SNOW_ERR_SPAWN', `Cannot spawn ${name} on ${node}: ${why}.`, {
    cause: detail,
    details: { node, name, reason },
  });
}
