import {
  AwaitedSends,
  InboundCalls,
  OutboundCalls,
  PendingCalls,
  Replies,
  RingSearch,
} from '../call/index.ts';
import {
  ActorTable,
  Aliases,
  after,
  type Birth,
  type Cell,
  cellOf,
  consoleLogger,
  DeadLetters,
  deliver,
  guard,
  guarded,
  type Kernel,
  keptShapes,
  type Logger,
  LongMailboxes,
  type NamesPort,
  type RemotePort,
  runCell,
  type SystemMessage,
  ThrottledLog,
  type TracingPort,
  terminate,
} from '../kernel/index.ts';
import { Inbound, NodeArrivals, NodeLosses, nullRemote } from '../peer/index.ts';
import { Scheduler } from '../scheduler/index.ts';
import { Sender } from '../send/index.ts';
import { DeathQueue, LinkSignals, MonitorSignals } from '../signal/index.ts';
import { InboundSpawns, OutboundSpawns, OutboundStarts, Spawner } from '../spawn/index.ts';
import { Pid, Ref } from '../term/index.ts';
import { type Clock, systemClock, Timers } from '../timers/index.ts';

export interface RuntimeOptions {
  /** The table of local names. */
  readonly names: NamesPort;
  /** Default: warnings and errors on standard error. */
  readonly logger?: Logger;
  /** Default: the system's monotonic clock. */
  readonly clock?: Clock;
  /** The number of the runtime's thread: the top six bits of its local ids. Default 0. */
  readonly lane?: number;
  /** Whether pending timers keep the OS process alive. Default false. */
  readonly keepAlive?: boolean;
}

/** The part of Runtime that user code does not see: it makes one object of each module below, and has no table of its own. */
export abstract class RuntimeKernel implements Kernel {
  readonly logger: Logger;
  readonly clock: Clock;
  /** @internal For lines that messages cause. */ readonly throttledLog: ThrottledLog;
  /** @internal */ readonly longMailboxes: LongMailboxes = new LongMailboxes(this);
  /** Counts lost messages by reason. */
  readonly deadLetters: DeadLetters = new DeadLetters(this);
  /** @internal Whether it was stopped: no actor runs. */
  isStopped = false;
  /** Whether its node is stopping, or was stopped. */
  isStopping = false;
  /** @internal */ readonly names: NamesPort;
  /** @internal */ readonly root: Pid = new Pid(0, 0);
  /** @internal */ readonly table: ActorTable<Cell>;
  /** @internal */ readonly aliases: Aliases<Cell> = new Aliases();
  /** @internal */ readonly scheduler: Scheduler<Cell>;
  /** @internal */ readonly timers: Timers;
  /** @internal */ readonly links: LinkSignals;
  /** @internal */ readonly monitors: MonitorSignals;
  /** @internal */ readonly deaths: DeathQueue;
  /** @internal */ readonly sender: Sender;
  /** @internal */ readonly calls: OutboundCalls;
  /** @internal */ readonly rings: RingSearch;
  /** @internal */ readonly awaitedSends: AwaitedSends;
  /** @internal */ readonly inboundCalls: InboundCalls;
  /** @internal */ readonly replies: Replies;
  /** @internal */ readonly spawner: Spawner;
  /** @internal */ readonly spawns: OutboundSpawns;
  /** @internal */ readonly starts: OutboundStarts;
  /** @internal */ readonly inboundSpawns: InboundSpawns;
  /** @internal */ readonly losses: NodeLosses;
  /** @internal */ readonly arrivals: NodeArrivals = new NodeArrivals((node) => this.remote.canonical(node));
  /** @internal */ readonly inbound: Inbound;
  /** @internal The port to other nodes. ts/node replaces it. */ remote: RemotePort;
  /** @internal The port to tracing. ts/otel sets it. */ tracing: TracingPort | null = null;
  /** @internal Nothing reads it. */ readonly shapes: readonly object[];
  private refs = 0;
  private readonly stopListeners = new Set<() => void>();

  constructor(options: RuntimeOptions) {
    this.names = options.names;
    this.logger = guarded(options.logger ?? consoleLogger);
    this.clock = options.clock ?? systemClock;
    this.throttledLog = new ThrottledLog({
      logger: this.logger,
      after: (ms, action) => void this.clock.arm(ms, action, false), // not a timer: a script must not live on for its log
    });
    this.table = new ActorTable(options.lane ?? 0);
    this.timers = new Timers(this.clock, options.keepAlive ?? false);
    this.scheduler = new Scheduler(runCell, () => this.remote.flush());
    this.links = new LinkSignals(this);
    this.monitors = new MonitorSignals(this);
    this.deaths = new DeathQueue(this, this.links, this.monitors);
    this.sender = new Sender(this, this.monitors);
    const pending = new PendingCalls();
    this.inboundCalls = new InboundCalls(this, this.sender);
    this.rings = new RingSearch(this, pending, this.inboundCalls, (request) =>
      this.inboundSpawns.startedFor(request),
    );
    this.calls = new OutboundCalls(this, pending, this.rings);
    this.awaitedSends = new AwaitedSends(this, this.sender, this.calls);
    this.replies = new Replies(this.calls, this.inboundCalls);
    this.spawner = new Spawner(this, this.links, this.monitors);
    this.spawns = new OutboundSpawns(this, this.spawner, this.links, this.monitors);
    this.starts = new OutboundStarts(this, this.spawns, this.rings);
    this.inboundSpawns = new InboundSpawns(this, this.spawner, this.links, this.monitors);
    this.losses = new NodeLosses(this);
    this.inbound = new Inbound(this, this.links, this.monitors, this.inboundCalls);
    this.remote = nullRemote(this, this.losses);
    this.shapes = keptShapes(this);
  }

  /** @internal This node's name; `nonode@nohost` without one. */
  get ownName(): string {
    return this.remote.nodeName ?? 'nonode@nohost';
  }

  /** ms of the monotonic clock. */
  now(): number {
    return this.clock.now();
  }

  /** @internal The PID with that local id: the living actor's own, otherwise a new one that denotes a dead actor. */
  pidOf(local: number): Pid {
    return this.table.pidOf(local);
  }

  /** @internal A new reference of an actor. */
  makeRef(owner: Pid): Ref {
    return this.newRef(owner.local);
  }

  /** @internal */
  newRef(local: number): Ref {
    return new Ref(0, local, ++this.refs);
  }

  /** @internal */
  abstract newCell(local: number, parent: Pid, label: string, birth: Birth): Cell;

  /** @internal */
  deliverSystem(to: Pid, message: SystemMessage): void {
    const cell = cellOf(to);
    if (cell !== undefined) deliver(cell, message);
  }

  /** @internal Runs queued actors until the budget is spent, then calls remote.flush(). True: actors are left in the queue. */
  runSlice(): boolean {
    this.scheduler.runSlice();
    return this.scheduler.hasWork;
  }

  /** @internal Makes sure that remote.flush() is called soon. */
  wake(): void {
    this.scheduler.wake();
  }

  /**
   * @internal Calls back once when the node stops: after its trees have ended, while peers are still connected; at once if it was stopped
   * already. Returns a function that cancels it.
   */
  onStop(listener: () => void): () => void {
    if (this.isStopped) listener();
    else this.stopListeners.add(listener);
    return () => void this.stopListeners.delete(listener);
  }

  /** @internal */
  protected callStopListeners(): void {
    for (const listener of this.stopListeners) {
      this.stopListeners.delete(listener);
      this.guard(listener);
    }
  }

  /** Ends every actor at once. Sends no signal to other nodes. */
  stop(): void {
    this.callStopListeners();
    this.isStopped = true;
    for (const cell of this.table) terminate(cell, 'killed');
    this.calls.stop();
    this.timers.clear();
  }

  /** @internal Calls back once after `ms` milliseconds, for code outside of actors. Returns a function that cancels it. */
  after(ms: number, action: () => void): () => void {
    return after(this, ms, action);
  }

  /** @internal Sets whether pending timers keep the OS process alive. */
  setKeepAlive(keepAlive: boolean): void {
    this.timers.setKeepAlive(keepAlive);
  }

  /** @internal */
  isSelf(node: string): boolean {
    return (
      node === this.remote.nodeName ||
      (this.remote.nodeName === undefined && node === 'nonode@nohost') ||
      this.remote.isSelf(node)
    );
  }

  /** @internal Runs a callback of user code and logs what it throws. */
  guard(action: () => unknown): void {
    guard(this, action);
  }
}
