import { badArgument, checkArray, checkNodeText, kindOf, SnowmeshError } from '../errors/index.ts';
import {
  type Cell,
  Down,
  deliver,
  type ExitReason,
  inBudget,
  type Kernel,
  never,
  onAbort,
  type Program,
  type RemoteStart,
  SpawnStatus,
  sendReason,
  settleInBudget,
} from '../kernel/index.ts';
import { NodeIndex } from '../link/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import { copyTerm, type Pid, type Ref } from '../term/index.ts';
import { spawnError } from './spawn-error.ts';
import { checkRemoteSpawnOptions, type RemoteSpawnOptions } from './spawn-options.ts';
import type { Spawner } from './spawner.ts';

/** Most bytes of UTF-8 in a name in a frame. */
const MAX_NAME_BYTES = 255;

/** A start on another node. */
export interface StartOrder extends RemoteStart {
  /** Called once the order is sent, with its reference, the node's full name, and the monitor of the child. */
  began(request: Ref, node: string, monitor: Ref | undefined): void;
}

/** A spawn on another node that has no reply yet. It stays until the reply comes or the node is lost, also when its caller gave up. */
export interface PendingSpawn {
  /** The spawning actor; null: code outside of actors. */
  readonly cell: Cell | null;
  readonly request: Ref;
  /** The full name of the node: only its reply counts. */
  readonly node: string;
  readonly link: boolean;
  readonly monitor: Ref | undefined;
  /** Whether it is a start: the reply comes when the init is done, and an abandoned child is killed. */
  readonly isStart: boolean;
  /** Whether the caller gave up. */
  isAbandoned: boolean;
  /** The exit reason of the spawning actor, once it has ended. */
  parentReason: ExitReason;
  settle(status: SpawnStatus | 'noconnection', child: Pid | undefined, detail: unknown): void;
}

/** Spawns and starts on other nodes. Owns those that have no reply yet. */
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

  /** How many spawns have no reply yet. */
  get size(): number {
    return this.byId.size;
  }

  /** How many of them are of one actor. O(size). */
  countOf(cell: Cell): number {
    let count = 0;
    for (const pending of this.byId.values()) if (pending.cell === cell) count++;
    return count;
  }

  /**
   * Spawns on another node what is exposed there under the name of `spec`; with `start` it also waits for the init. Every error is a
   * rejection. Code outside of actors (`cell` null) gets neither a link nor a monitor.
   */
  spawn(...order: Parameters<OutboundSpawns['order']>): ReturnType<OutboundSpawns['order']> {
    const [cell] = order;
    try {
      return this.order(...order);
    } catch (error) {
      return inBudget(this.kernel, cell, Promise.reject(error));
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
    // For another node they are encoded at once instead of copied: copies for many orders could hold more memory than the send queue.
    const own = isHere || isAborted ? copyTerm(args) : args;
    if (isAborted) throw options.signal?.reason;
    if (cell?.isDead === true) return never(); // a getter in the arguments has ended it
    if (isHere) return inBudget(kernel, cell, this.spawnHere(cell, name, own, options));
    const from = cell === null ? kernel.root : cell.pid;
    const request = kernel.newRef(from.local);
    const monitorRef = options.monitor === true && cell !== null ? kernel.newRef(from.local) : undefined;
    const where = kernel.remote.canonical(node);
    return new Promise((resolve, reject) => {
      let disarm: (() => void) | undefined;
      let forget: (() => void) | undefined;
      const abandon = (): void => {
        pending.isAbandoned = true;
        // The child's PID is not known, but the monitor fires all the same, also if the node is lost.
        if (cell?.isDead === false && start !== undefined && monitorRef !== undefined)
          this.monitors.adopt(cell, { name, node: where }, monitorRef);
        if (cell?.isDead !== true) reject(options.signal?.reason);
      };
      const pending: PendingSpawn = {
        cell,
        request,
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
          else {
            const ref =
              child !== undefined && child.local !== 0 && start !== undefined ? monitorRef : undefined;
            const error = spawnError(kernel, node, name, status, detail, ref);
            settleInBudget(kernel, cell, () => reject(error));
          }
          kernel.scheduler.settled(); // the caller continues, with the PID, before a message of the child is handled (N5)
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
      this.byId.set(request.id, pending); // only now: sending throws for arguments that are too large
      this.byNode.add(where, pending);
      start?.began(request, where, monitorRef);
      if (options.signal !== undefined) disarm = onAbort(options.signal, abandon);
      if (cell !== null) {
        forget = cell.onDeath((_pid, reason) => {
          pending.parentReason = reason;
        });
      }
    });
  }

  /** The reply to one of these spawns arrives, for the actor with the local id `to`. */
  replied(to: number, request: Ref, status: SpawnStatus, child: Pid, detail: unknown): void {
    const pending = this.byId.get(request.id);
    if (pending === undefined) return;
    // A reply counts only from the node that got the order, for the actor that gave it, under its reference: one of the peer can have the same id.
    const node = child.nc === 0 ? this.kernel.remote.nodeName : this.kernel.remote.nodeOf(child);
    const isFor = (pending.cell?.pid ?? this.kernel.root).local === to && pending.request.equals(request);
    if (node !== pending.node || !isFor) return this.kernel.deadLetters.count('unasked', request);
    if (status === SpawnStatus.ok) {
      if (pending.cell?.isDead === true) this.disown(pending, child, pending.parentReason);
      else if (pending.isAbandoned) this.disown(pending, child, 'abandoned');
      else this.adopt(pending, child);
    } else if (pending.isStart) this.signalFailedStart(pending, child, status, detail);
    pending.settle(status, child, detail);
  }

  /** Removes the spawns on a lost node from the index and returns them. The caller then settles each. */
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

  /** Makes this node's side of the link and the monitor. The child's node made its side when it spawned the child. */
  private adopt({ cell, link, monitor, isStart }: PendingSpawn, child: Pid): void {
    const { kernel } = this;
    if (isStart) kernel.remote.spawnAck(cell?.pid ?? kernel.root, child);
    if (cell === null) return;
    if (link) this.links.linkedBy(cell, child);
    if (monitor !== undefined) this.monitors.adopt(cell, child, monitor);
  }

  /**
   * The caller gave up or died before the reply came: a started child is killed (I3), a linked child ends (N4, N6), any other child
   * runs on without its monitor. Of a start that was given up the monitor stays, and tells of the end.
   */
  private disown({ cell, link, monitor, isStart }: PendingSpawn, child: Pid, reason: ExitReason): void {
    const { remote } = this.kernel;
    if (cell === null) return remote.exit2(null, child, 'kill'); // code outside of actors has no spawns, only starts
    if (monitor !== undefined && !(isStart && !cell.isDead)) remote.demonitor(cell.pid, monitor, child);
    if (isStart) this.links.unlink(cell, child);
    if (isStart) remote.exit2(cell.pid, child, 'kill');
    else if (link) sendReason((why) => remote.exit(cell.pid, child, why), reason);
  }

  /** A start failed: the parent gets the exit signal and the Down, as of a local child (I2), but no exit signal after a timeout (I3). */
  private signalFailedStart(
    pending: PendingSpawn,
    child: Pid,
    status: SpawnStatus,
    detail: ExitReason,
  ): void {
    const { cell, link, monitor, isAbandoned } = pending;
    if (cell === null) return;
    const hasChild = child.local !== 0;
    if (isAbandoned && monitor !== undefined)
      this.monitors.fire(cell, null, monitor, hasChild ? 'killed' : 'noproc');
    if (!hasChild) return;
    const isTooLate = status === SpawnStatus.timedOut || isAbandoned;
    const reason = isTooLate ? 'killed' : status === SpawnStatus.ignored ? 'normal' : detail;
    if (isTooLate) this.links.unlink(cell, child);
    else if (link) this.links.childFailed(cell, child, reason);
    if (monitor !== undefined && !isAbandoned && !cell.isDead)
      deliver(cell, new Down(monitor, child, reason));
  }
}

/** The name that a spec is exposed under: only the name is sent, never code (N7). Throws SNOW_ERR_NOT_SPAWNABLE. */
function exposable(spec: Program): string {
  const isSpec = typeof spec === 'object' && spec !== null && typeof spec.name === 'string';
  if (!isSpec || (spec.kind !== 'function' && spec.kind !== 'handler')) {
    const why =
      typeof spec === 'function'
        ? 'A function cannot be sent to another node: spawn a spec that is exposed there.'
        : `Only a spec that is exposed on the other node is spawned there, not ${kindOf(spec)}.`;
    throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
  }
  const bytes = Buffer.byteLength(spec.name);
  if (bytes > 0 && bytes <= MAX_NAME_BYTES) return spec.name;
  const why = `The name of a spec that is spawned on another node must have 1 to ${MAX_NAME_BYTES} bytes, not ${bytes}.`;
  throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why);
}
