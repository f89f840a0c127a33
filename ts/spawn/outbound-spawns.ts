import { badArgument, checkArray, checkNodeText, SnowmeshError } from '../errors/index.ts';
import {
  type Cell,
  Down,
  deliver,
  type ExitReason,
  inPace,
  type Kernel,
  onAbort,
  type Program,
  type RemoteStart,
  SpawnStatus,
  sendReason,
  settleInPace,
  whyFailed,
} from '../kernel/index.ts';
import { NodeIndex } from '../link/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import { copyTerm, type Pid, type Ref } from '../term/index.ts';
import { checkRemoteSpawnOptions, type RemoteSpawnOptions } from './spawn-options.ts';
import type { Spawner } from './spawner.ts';

/** Bytes of UTF-8 that a name in a frame may have. */
const LONGEST_NAME = 255;

/** A start, and what is told of its reference and its node once it is sent. */
export interface StartOrder extends RemoteStart {
  began(request: Ref, node: string): void;
}

/** A spawn on another node that waits for its reply: until it comes or the node is lost, also when nothing waits for it any more. */
export interface PendingSpawn {
  /** The spawning actor; null: code outside of actors. */
  readonly cell: Cell | null;
  /** The one node that may answer. */
  readonly node: string;
  readonly link: boolean;
  readonly monitor: Ref | undefined;
  /** The reply comes when the init is done; an abandoned child is killed. */
  readonly isStart: boolean;
  /** The spawning code gave up. */
  isAbandoned: boolean;
  /** Why the spawning actor ended, when it has. */
  parentReason: ExitReason;
  settle(status: SpawnStatus | 'noconnection', child: Pid | undefined, detail: unknown): void;
}

/** Spawns and starts on other nodes. Owns those that wait for their reply. */
export class OutboundSpawns {
  private readonly kernel: Kernel;
  private readonly spawner: Spawner;
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  private readonly byId: Map<number, PendingSpawn> = new Map();
  private readonly byNode: NodeIndex<PendingSpawn> = new NodeIndex();

  constructor(kernel: Kernel, spawner: Spawner, links: LinkSignals, monitors: MonitorSignals) {
    this.kernel = kernel;
    this.spawner = spawner;
    this.links = links;
    this.monitors = monitors;
  }

  /** Spawns that wait for their reply. */
  get size(): number {
    return this.byId.size;
  }

  /** Those of one actor. O(size). */
  countOf(cell: Cell): number {
    let count = 0;
    for (const pending of this.byId.values()) if (pending.cell === cell) count++;
    return count;
  }

  /**
   * Spawns what another node exposes under the name of `spec`, or with `start` waits for its init there. Every error is a
   * rejection. Code outside of actors (`cell` null) can have neither a link nor a monitor.
   */
  spawn(...order: Parameters<OutboundSpawns['order']>): ReturnType<OutboundSpawns['order']> {
    const [cell] = order;
    try {
      return this.order(...order);
    } catch (error) {
      return inPace(this.kernel, cell, Promise.reject(error));
    }
  }

  private order(
    cell: Cell | null,
    node: string,
    spec: Program,
    args: readonly unknown[],
    options: RemoteSpawnOptions,
    start?: StartOrder,
  ): Promise<{ pid: Pid; ref: Ref | undefined }> {
    const { kernel } = this;
    const name = exposable(spec);
    if (typeof node !== 'string') throw badArgument('spawnOn', 'the name of a node', node);
    checkNodeText(node);
    checkArray('spawnOn: args', args);
    checkRemoteSpawnOptions(options);
    if (kernel.isStopped || kernel.isStopping) throw new SnowmeshError('SNOW_ERR_STOPPED');
    const isHere = kernel.isSelf(node);
    const isAborted = options.signal?.aborted === true;
    // For another node they are written at once: a copy for each of many orders would hold more than may wait to be sent.
    const own = isHere || isAborted ? copyTerm(args) : args;
    if (isAborted) throw options.signal?.reason;
    if (isHere) return inPace(kernel, cell, this.spawnHere(cell, name, own, options));
    const from = cell === null ? kernel.root : cell.pid;
    const request = kernel.newRef(from.local);
    const monitorRef = options.monitor === true && cell !== null ? kernel.newRef(from.local) : undefined;
    const where = kernel.remote.canonical(node);
    return new Promise((resolve, reject) => {
      let disarm: (() => void) | undefined;
      let forget: (() => void) | undefined;
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
        parentReason: 'noproc',
        settle: (status, child, detail) => {
          this.byId.delete(request.id);
          this.byNode.remove(where, pending);
          trace?.end(status === SpawnStatus.ok ? undefined : 'failed');
          disarm?.();
          forget?.();
          if (cell?.isDead === true || pending.isAbandoned) return;
          if (status === SpawnStatus.ok && child !== undefined) resolve({ pid: child, ref: monitorRef });
          else settleInPace(kernel, cell, () => reject(spawnError(kernel, node, name, status, detail)));
          kernel.scheduler.settled(); // the caller knows the PID before any message of the child (N5)
        },
      };
      const trace = kernel.tracing?.request(cell, 'spawn', where, name);
      const link = pending.link;
      const order = {
        from,
        request,
        node: where,
        link,
        monitor: monitorRef,
        function: name,
        args: own,
        start,
      };
      if (trace === undefined) kernel.remote.spawn(order);
      else trace.run(() => kernel.remote.spawn(order));
      this.byId.set(request.id, pending); // not before: an order that is too large has thrown
      this.byNode.add(where, pending);
      start?.began(request, where);
      if (options.signal !== undefined) disarm = onAbort(options.signal, abandon);
      if (cell !== null) {
        forget = cell.onDeath((_pid, reason) => {
          pending.parentReason = reason;
        });
      }
    });
  }

  /** The reply to one of these spawns, for the actor with the local id `to`. */
  replied(to: number, request: Ref, status: SpawnStatus, child: Pid, detail: unknown): void {
    const pending = this.byId.get(request.id);
    if (pending === undefined || (pending.cell?.pid ?? this.kernel.root).local !== to) return;
    // A reply counts only from the node that was asked.
    const node = child.nc === 0 ? this.kernel.remote.nodeName : this.kernel.remote.nodeOf(child);
    if (node !== pending.node) return;
    if (status === SpawnStatus.ok) {
      if (pending.cell?.isDead === true) this.disown(pending, child, pending.parentReason);
      else if (pending.isAbandoned) this.disown(pending, child, 'abandoned');
      else this.adopt(pending, child);
    } else if (pending.isStart && child.local !== 0) this.tellOfEnd(pending, child, status, detail);
    pending.settle(status, child, detail);
  }

  /** Takes the spawns on a lost node out of the index: each is then settled by the caller of this. */
  takeNode(node: number | string): Iterable<PendingSpawn> {
    return this.byNode.take(node);
  }

  private async spawnHere(
    cell: Cell | null,
    name: string,
    args: readonly unknown[],
    options: RemoteSpawnOptions,
  ): Promise<{ pid: Pid; ref: Ref | undefined }> {
    const program = this.spawner.exposedAs(name);
    if (program === undefined)
      throw spawnError(this.kernel, this.kernel.ownName, name, SpawnStatus.unknownFunction, name);
    const { pid, ref } = this.spawner.spawn(cell, program, args, options, false);
    return { pid, ref };
  }

  /** The child's node made the link and the monitor already; now this node does. */
  private adopt({ cell, link, monitor, isStart }: PendingSpawn, child: Pid): void {
    const { kernel } = this;
    if (isStart) kernel.remote.spawnAck(cell?.pid ?? kernel.root, child);
    if (cell === null) return;
    if (link) this.links.linkedBy(cell, child);
    if (monitor !== undefined) this.monitors.adopt(cell, child, monitor);
  }

  /**
   * The spawning code gave up or died before the reply: a linked child ends (N4, N6), another one runs on without a monitor. A
   * started child is killed (I3).
   */
  private disown({ cell, link, monitor, isStart }: PendingSpawn, child: Pid, reason: ExitReason): void {
    const { remote } = this.kernel;
    if (cell === null) return remote.exit2(null, child, 'kill'); // code outside of actors only starts
    if (monitor !== undefined) remote.demonitor(cell.pid, monitor, child);
    if (isStart) this.links.unlink(cell, child);
    if (isStart) remote.exit2(cell.pid, child, 'kill');
    else if (link) sendReason((why) => remote.exit(cell.pid, child, why), reason);
  }

  /** A start failed: as with a local one, its parent is told of the end (I2), but not of a start that took too long (I3). */
  private tellOfEnd(pending: PendingSpawn, child: Pid, status: SpawnStatus, detail: ExitReason): void {
    const { cell, link, monitor } = pending;
    if (cell === null) return;
    const isTooLate = status === SpawnStatus.timedOut || pending.isAbandoned;
    const reason = isTooLate ? 'killed' : status === SpawnStatus.ignored ? 'normal' : detail;
    if (isTooLate) this.links.unlink(cell, child);
    else if (link) this.links.childFailed(cell, child, reason);
    if (monitor !== undefined && !cell.isDead) deliver(cell, new Down(monitor, child, reason));
  }
}

/** The name a spec is exposed under: only the name is sent, never code (N7). */
function exposable(spec: Program): string {
  const isSpec = typeof spec === 'object' && spec !== null && typeof spec.name === 'string';
  if (!isSpec || (spec.kind !== 'function' && spec.kind !== 'handler')) {
    const why =
      typeof spec === 'function'
        ? 'A function cannot travel to another node: spawn a spec that is exposed there.'
        : `${spec === null ? 'null' : `A value of type ${typeof spec}`} cannot be spawned: pass a spec that is exposed on the other node.`;
    throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
  }
  const bytes = Buffer.byteLength(spec.name);
  if (bytes > 0 && bytes <= LONGEST_NAME) return spec.name;
  const why = `The name of what is spawned on another node has 1 to ${LONGEST_NAME} bytes, not ${bytes}.`;
  throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
}

function spawnError(
  kernel: Kernel,
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
  const { why: word, more } = status === 'noconnection' ? whyFailed(kernel, node, status) : {};
  const sentence = more === undefined ? why : `${why}: ${more}`;
  return new SnowmeshError('SNOW_ERR_SPAWN', `Cannot spawn ${name} on ${node}: ${sentence}.`, {
    cause: detail,
    details: {
      node,
      name,
      reason,
      ...(word === undefined ? undefined : { why: word }),
      ...(status === SpawnStatus.ignored ? { ignore: true } : undefined),
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
