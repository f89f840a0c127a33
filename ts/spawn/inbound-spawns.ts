import { Tally } from '../collections/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import {
  after,
  type Cell,
  type ExitReason,
  type Kernel,
  type Program,
  SpawnStatus,
  sendReason,
  takeStarter,
  terminate,
  waitsForInit,
} from '../kernel/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import { memoryOf, type Pid, type Ref } from '../term/index.ts';
import type { Spawner } from './spawner.ts';

const LINK = 1;
const MONITOR = 2;
const START = 4;

/** A SPAWN frame of a peer. */
export interface SpawnOrder {
  readonly from: Pid;
  readonly request: Ref;
  readonly flags: number;
  /** The reference of the monitor, when the flags ask for one. */
  readonly monitor: Ref;
  readonly function: string;
  /** The arguments; for a start `[arguments, name | null, ms | null]`. It comes from a peer and may be any term. */
  readonly term: unknown;
}

/** A checked order. */
interface CheckedOrder {
  readonly args: readonly unknown[];
  readonly name?: string;
  /** ms that the init may take; undefined: a plain spawn, which does not wait for the init. */
  readonly limit: number | undefined;
}

/** Limits for the living actors here that one peer has spawned. A spawn beyond them fails with `overload`. */
export interface PeerChildrenLimits {
  readonly count: number;
  /** Estimated memory of the arguments that they were spawned with. Those of a single actor may take more. Unit: bytes. */
  readonly memory: number;
}

const LIMITS: PeerChildrenLimits = { count: 524_288, memory: 1_073_741_824 };

/** Runs the spawns and starts that other nodes order. Each order gets one reply, and never throws. */
export class InboundSpawns {
  private readonly kernel: Kernel;
  private readonly spawner: Spawner;
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  /** Started actors whose starter has not confirmed yet that it got their PID. */
  private readonly unconfirmed = new Map<Cell, { from: Pid; forget: () => void }>();

  /** Actors whose init another node waits for, by the key of its request. */
  private readonly starting = new Map<string, Cell>();

  private readonly limits: PeerChildrenLimits;
  /** How many living actors each peer has spawned, by its name: a restarted peer gets no second quota. */
  private readonly children = new Tally<string>();
  /** The memory of the arguments of these actors. */
  private readonly memory = new Tally<string>();

  constructor(
    kernel: Kernel,
    spawner: Spawner,
    links: LinkSignals,
    monitors: MonitorSignals,
    limits = LIMITS,
  ) {
    this.limits = limits;
    this.kernel = kernel;
    this.spawner = spawner;
    this.links = links;
    this.monitors = monitors;
  }

  order(order: SpawnOrder): void {
    if (this.kernel.isStopping) return this.reply(order, SpawnStatus.failed, 'SNOW_ERR_STOPPED');
    const peer = this.kernel.remote.nodeOf(order.from) ?? String(order.from.nc);
    const memory = memoryOf(order.term);
    if (!this.hasRoom(peer, memory)) return this.reply(order, SpawnStatus.failed, 'overload');
    const program = this.spawner.exposedAs(order.function);
    if (program === undefined) return this.reply(order, SpawnStatus.unknownFunction, order.function);
    const start = checked(order);
    if (start === undefined) return this.reply(order, SpawnStatus.failed, 'bad_arguments');
    try {
      this.make(order, program, start, (cell) => this.addChild(cell, peer, memory));
    } catch (error) {
      this.reply(order, SpawnStatus.failed, refusal(error, start));
    }
  }

  /** The actor whose init another node waits for, by the reference of its request. */
  startedFor(request: Ref): Cell | undefined {
    return this.starting.get(request.key);
  }

  /** The starter confirmed that it got the child's PID: the child no longer depends on the connection. */
  confirmed(from: Pid, to: number): void {
    const cell = this.kernel.table.get(to);
    const start = cell && this.unconfirmed.get(cell);
    if (cell === undefined || start === undefined || !start.from.equals(from)) return;
    this.unconfirmed.delete(cell);
    start.forget();
  }

  /**
   * Kills the unconfirmed children of a lost node, since their starter may never get their PID (I3, S3), and yields for each child that
   * it looks at. O(unconfirmed children).
   */
  *nodeLost(nc: number): Generator<undefined, void> {
    let left = this.unconfirmed.size; // children that are added meanwhile come after these, and are of other nodes
    for (const [cell, { from }] of this.unconfirmed) {
      if (left-- === 0) return;
      if (from.nc === nc) terminate(cell, 'killed');
      yield;
    }
  }

  private make(
    order: SpawnOrder,
    program: Program,
    { args, name, limit }: CheckedOrder,
    made: (cell: Cell) => void,
  ): void {
    const { from, flags, monitor } = order;
    const options = name === undefined ? undefined : { name };
    const { pid, cell } = this.spawner.make(null, program, args, options, false, from);
    made(cell);
    if ((flags & LINK) !== 0) this.links.linkedBy(cell, from);
    if ((flags & MONITOR) !== 0) this.monitors.watchedBy(cell, from, monitor);
    if (limit !== undefined) {
      const forget = cell.onDeath(() => void this.unconfirmed.delete(cell));
      this.unconfirmed.set(cell, { from, forget });
    }
    // The reply is sent before any message of the child (N5), except those that its init sends.
    if (limit !== undefined && waitsForInit(program)) this.awaitInit(order, cell, limit);
    else this.reply(order, SpawnStatus.ok, undefined, pid);
    this.spawner.launch(cell);
  }

  private hasRoom(peer: string, memory: number): boolean {
    const held = this.memory.get(peer);
    return this.children.get(peer) < this.limits.count && (held === 0 || held + memory <= this.limits.memory);
  }

  private addChild(cell: Cell, peer: string, memory: number): void {
    this.children.add(peer, 1);
    this.memory.add(peer, memory);
    cell.onDeath(() => {
      this.children.add(peer, -1);
      this.memory.add(peer, -memory);
    });
  }

  private awaitInit(order: SpawnOrder, cell: Cell, limit: number): void {
    const { key } = order.request;
    this.starting.set(key, cell);
    const restoreLink = (order.flags & LINK) === 0 ? undefined : this.withholdExitSignal(cell, order.from);
    const over = (status: SpawnStatus, detail?: unknown): void => {
      cancel();
      restoreLink?.();
      if (this.starting.get(key) === cell) this.starting.delete(key);
      this.reply(order, status, detail, cell.pid);
    };
    const cancel = after(this.kernel, limit, () => {
      takeStarter(cell);
      terminate(cell, 'killed');
      over(SpawnStatus.timedOut);
    });
    cell.more().starter = {
      ready: () => over(SpawnStatus.ok),
      ignored: () => over(SpawnStatus.ignored),
      failed: (reason) => over(SpawnStatus.failed, reason),
    };
  }

  /**
   * While the init runs, the reply alone reports the child's end to its starter, so its link must send no exit signal (I2). Returns a
   * function that ends this.
   */
  private withholdExitSignal(cell: Cell, starter: Pid): () => void {
    const links = cell.links();
    return cell.onDeath(() => this.links.removeSilently(links, starter));
  }

  private reply({ from, request }: SpawnOrder, status: SpawnStatus, detail: ExitReason, child?: Pid): void {
    const { remote } = this.kernel;
    sendReason((reason) => remote.spawnReply(child, from, request, status, reason), detail);
  }
}

function checked({ flags, term }: SpawnOrder): CheckedOrder | undefined {
  if (!Array.isArray(term)) return undefined;
  if ((flags & START) === 0) return { args: term, limit: undefined };
  const [args, name, ms] = term as unknown[];
  if (!Array.isArray(args) || (name !== null && typeof name !== 'string')) return undefined;
  if (ms !== null && !(Number.isSafeInteger(ms) && (ms as number) >= 0)) return undefined;
  return {
    args,
    limit: (ms as number | null) ?? Number.POSITIVE_INFINITY,
    ...(name === null ? undefined : { name }),
  };
}

function refusal(error: unknown, { limit }: CheckedOrder): ExitReason {
  if (limit === undefined || !(error instanceof SnowmeshError)) return String(error);
  return error.code === 'SNOW_ERR_NAME_TAKEN' ? { alreadyStarted: error.details?.['holder'] } : error.code;
}
