// Making actors, here and on other nodes.

import type { Runtime } from '../actor/runtime.ts';
import type { Startable } from '../actor/spec.ts';
import { SnowmeshError } from '../errors/index.ts';
import { type Birth, Cell, DEAD, LIMITED, TRAPS, wake } from '../kernel/cell.ts';
import { ancestorsOf } from '../kernel/death.ts';
import { MailboxGate } from '../kernel/mailbox-gate.ts';
import { type RemoteStart, SpawnStatus } from '../kernel/remote-port.ts';
import { link, monitor } from '../signal/signals.ts';
import { copyTerm, type Pid, type Ref } from '../term/index.ts';
import type { SpawnOptions } from './spawn-options.ts';

/**
 * Makes an actor; it runs soon (rule A1). `farParent`: who asked for it from another node.
 *
 * @throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_STOPPED, SNOW_ERR_NOT_SPAWNABLE.
 */
export function spawn(
  runtime: Runtime,
  parent: Cell | null,
  what: Startable,
  args: readonly unknown[],
  options: SpawnOptions | undefined,
  isHandler: boolean,
  farParent?: Pid,
): { pid: Pid; ref: Ref | undefined; cell: Cell } {
  if (runtime.isStopped) throw new SnowmeshError('SNOW_ERR_STOPPED');
  const isSpec =
    typeof what === 'object' && what !== null && (what.kind === 'function' || what.kind === 'handler');
  if (typeof what !== 'function' && !isSpec) throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE');
  const cell = createCell(
    runtime,
    parent?.pid ?? farParent ?? runtime.root,
    { what, isHandler, args },
    options,
  );
  // Written down only where it costs no memory of its own; a crash report finds the others while they live.
  if (parent !== null && (parent.extra !== null || options !== undefined))
    cell.more().ancestors = ancestorsOf(parent);
  let ref: Ref | undefined;
  if (options?.link === true && parent !== null) link(parent, cell.pid);
  if (options?.monitor === true && parent !== null) {
    ref = runtime.newRef(parent.pid.local);
    parent.mailbox?.mark(ref); // B6
    monitor(parent, cell.pid, ref);
  }
  wake(cell);
  return { pid: cell.pid, ref, cell };
}

/** Makes the control block of a new actor; it runs when `wake` gives it a turn. */
function createCell(runtime: Runtime, parent: Pid, birth: Birth, options: SpawnOptions | undefined): Cell {
  const gate = options?.mailbox === undefined ? null : new MailboxGate(options.mailbox);
  const local = runtime.table.nextId();
  const label = options?.label ?? (birth.what.name || 'anonymous');
  const cell = new Cell(runtime, local, parent, label, birth);
  runtime.table.add(local, cell);
  if (options === undefined) return cell;
  if (options.trapExit === true) cell.flags |= TRAPS;
  if (gate !== null) {
    cell.flags |= LIMITED;
    cell.more().gate = gate;
  }
  if (options.name !== undefined) {
    try {
      runtime.names.register(options.name, cell.pid);
    } catch (error) {
      cell.flags |= DEAD;
      cell.pid.route = undefined;
      runtime.table.remove(local);
      throw error;
    }
  }
  return cell;
}

/** What a name in a frame may have. Unit: bytes of UTF-8. */
const LONGEST_NAME = 255;

/** How an actor is spawned on another node (rule N6). */
export interface RemoteSpawnOptions {
  /** Linked from its birth: if it or its parent ends, the other hears of it. Default false. */
  readonly link?: boolean;
  /** Monitored from its birth; its reference comes with the PID. Default false. */
  readonly monitor?: boolean;
  /** Gives up: the promise rejects with the signal's reason, a linked child is taken down (rule N6). */
  readonly signal?: AbortSignal;
}

/** A remote spawn that waits for its reply. It stays here until the reply comes or the node is lost, whoever still waits. */
export interface PendingSpawn {
  /** Who asked; null: code outside of actors. */
  readonly cell: Cell | null;
  /** The one node that may answer. */
  readonly node: string;
  readonly link: boolean;
  readonly monitor: Ref | undefined;
  /** The reply comes when the init is done; a child that nobody waits for any more is killed. */
  readonly isStart: boolean;
  /** Nobody waits any more: the requester gave up. */
  isAbandoned: boolean;
  settle(status: SpawnStatus | 'noconnection', child: Pid | undefined, detail: unknown): void;
}

/**
 * Spawns what another node offers under the name of `spec`, or with `start` waits for its init there. What cannot be sent
 * throws at once (rule B9). Code outside of actors (`cell` null) can be neither linked nor told of an end.
 */
export function spawnOn(
  runtime: Runtime,
  cell: Cell | null,
  node: string,
  spec: Startable,
  args: readonly unknown[],
  options: RemoteSpawnOptions,
  start?: RemoteStart,
): Promise<{ pid: Pid; ref: Ref | undefined }> {
  const name = exposable(spec);
  if (runtime.isStopped) throw new SnowmeshError('SNOW_ERR_STOPPED');
  const copied = copyTerm(args);
  if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
  if (runtime.isSelf(node)) return spawnHere(runtime, cell, name, copied, options);
  const from = cell === null ? runtime.root : cell.pid;
  const request = runtime.newRef(from.local);
  const monitorRef = options.monitor === true && cell !== null ? runtime.newRef(from.local) : undefined;
  const where = runtime.remote.canonical(node);
  return new Promise((resolve, reject) => {
    const abandon = (): void => {
      pending.isAbandoned = true;
      if (cell?.isDead !== true) reject(options.signal?.reason);
    };
    const pending: PendingSpawn = {
      cell,
      node: where,
      link: options.link === true && cell !== null,
      monitor: monitorRef,
      isStart: start !== undefined,
      isAbandoned: false,
      settle(status, child, detail) {
        runtime.spawns.delete(request.id);
        runtime.remoteSpawns.remove(where, pending);
        options.signal?.removeEventListener('abort', abandon);
        if (cell?.isDead === true || pending.isAbandoned) return;
        if (status === SpawnStatus.ok && child !== undefined) resolve({ pid: child, ref: monitorRef });
        else reject(spawnError(node, name, status, detail));
        runtime.scheduler.settled(); // the caller knows the PID before it hears of the child (N5)
      },
    };
    runtime.remote.spawn({
      from,
      request,
      node: where,
      link: pending.link,
      monitor: monitorRef,
      function: name,
      args: copied,
      start,
    });
    runtime.spawns.set(request.id, pending); // not before: an order too large to travel has thrown
    runtime.remoteSpawns.add(where, pending);
    options.signal?.addEventListener('abort', abandon, { once: true });
  });
}

/** The name a spec is exposed under: only that travels, never code (rule N7). */
function exposable(spec: Startable): string {
  const isSpec = typeof spec === 'object' && spec !== null && typeof spec.name === 'string';
  if (!isSpec || (spec.kind !== 'function' && spec.kind !== 'handler')) {
    const why = 'A function cannot travel to another node: spawn a spec that is exposed there.';
    throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
  }
  const bytes = Buffer.byteLength(spec.name);
  if (bytes > 0 && bytes <= LONGEST_NAME) return spec.name;
  const why = `The name of what is spawned on another node has 1 to ${LONGEST_NAME} bytes, not ${bytes}.`;
  throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
}

async function spawnHere(
  runtime: Runtime,
  cell: Cell | null,
  name: string,
  args: readonly unknown[],
  options: SpawnOptions,
): Promise<{ pid: Pid; ref: Ref | undefined }> {
  const spec = runtime.exposed.get(name);
  if (spec === undefined) throw spawnError(runtime.ownName, name, SpawnStatus.unknownFunction, name);
  const { pid, ref } = spawn(runtime, cell, spec, args, options, false);
  return { pid, ref };
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
  const reason = failureOf(status, detail);
  return new SnowmeshError('SNOW_ERR_SPAWN', `Cannot spawn ${name} on ${node}: ${why}.`, {
    cause: detail,
    details: { node, name, reason, ...(status === SpawnStatus.ignored ? { ignore: true } : undefined) },
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
