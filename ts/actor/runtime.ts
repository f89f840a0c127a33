import { AwaitedSends, InboundCalls, OutboundCalls, Replies } from '../call/index.ts';
import { checkFunction, SnowmeshError } from '../errors/index.ts';
import {
  ActorTable,
  Aliases,
  after,
  type Cell,
  cellOf,
  consoleLogger,
  DeadLetters,
  deliver,
  Envelope,
  type ExitReason,
  givenReason,
  guard,
  guarded,
  type Kernel,
  type Logger,
  type NamesPort,
  ownCell,
  type RemotePort,
  runCell,
  type SystemMessage,
  terminate,
} from '../kernel/index.ts';
import { Inbound, NodeLosses, nullRemote } from '../peer/index.ts';
import { inCurrentStore, Scheduler } from '../scheduler/index.ts';
import { checkPid, type Dest, Sender } from '../send/index.ts';
import { DeathQueue, LinkSignals, MonitorSignals, sendExit } from '../signal/index.ts';
import { InboundSpawns, OutboundSpawns, Spawner, type SpawnOptions } from '../spawn/index.ts';
import { Pid, Ref } from '../term/index.ts';
import { type Clock, systemClock, Timers } from '../timers/index.ts';
import { endTrees } from './orderly-stop.ts';
import { Self } from './self.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';
import { type Ties, tiesOf } from './ties.ts';

export interface RuntimeOptions {
  readonly names: NamesPort;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Scheduler index: the top six bits of local ids. Default 0. */
  readonly lane?: number;
  /** Pending timers keep the process alive. Default false. */
  readonly keepAlive?: boolean;
}

/**
 * The actors of one node, and what code outside of actors does with them. It makes the rooms below, each once.
 *
 * Code outside of actors has no mailbox, so it can have neither links nor monitors, and receives nothing.
 */
export class Runtime implements Kernel {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Lost messages, counted by reason. */
  readonly deadLetters: DeadLetters = new DeadLetters();
  /** @internal Whether it was stopped: no actor runs any more. */
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
  /** @internal */ readonly awaitedSends: AwaitedSends;
  /** @internal */ readonly inboundCalls: InboundCalls;
  /** @internal */ readonly replies: Replies;
  /** @internal */ readonly spawner: Spawner;
  /** @internal */ readonly spawns: OutboundSpawns;
  /** @internal */ readonly inboundSpawns: InboundSpawns;
  /** @internal */ readonly losses: NodeLosses;
  /** @internal */ readonly inbound: Inbound;
  /** @internal Other nodes. `node` sets it. */ remote: RemotePort;
  private refs = 0;

  constructor(options: RuntimeOptions) {
    this.names = options.names;
    this.logger = guarded(options.logger ?? consoleLogger);
    this.clock = options.clock ?? systemClock;
    this.table = new ActorTable(options.lane ?? 0);
    this.timers = new Timers(this.clock, options.keepAlive ?? false);
    this.scheduler = new Scheduler(runCell, () => this.remote.flush());
    this.links = new LinkSignals(this);
    this.monitors = new MonitorSignals(this);
    this.deaths = new DeathQueue(this, this.links, this.monitors);
    this.sender = new Sender(this, this.monitors);
    this.calls = new OutboundCalls(this);
    this.awaitedSends = new AwaitedSends(this, this.sender, this.calls);
    this.inboundCalls = new InboundCalls(this, this.sender);
    this.replies = new Replies(this.calls, this.inboundCalls);
    this.spawner = new Spawner(this, this.links, this.monitors);
    this.spawns = new OutboundSpawns(this, this.spawner, this.links, this.monitors);
    this.inboundSpawns = new InboundSpawns(this, this.spawner, this.links, this.monitors);
    this.losses = new NodeLosses(
      this.links,
      this.monitors,
      this.calls,
      this.inboundCalls,
      this.spawns,
      this.inboundSpawns,
    );
    this.inbound = new Inbound(this, this.links, this.monitors, this.inboundCalls);
    this.remote = nullRemote(this, this.losses);
  }

  /** Living actors. */
  get size(): number {
    return this.table.size;
  }

  /** @internal This node's name, also without one. */
  get ownName(): string {
    return this.remote.nodeName ?? 'nonode@nohost';
  }

  /** ms of the monotonic clock. */
  now(): number {
    return this.clock.now();
  }

  /**
   * Starts an actor: a function over a mailbox, or a spec made by `defineActor`, `defineServer`, … O(1).
   *
   * @param args What it gets after its `self`: as they are, not copied.
   * @returns Its PID, at once; its code runs later.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   * @example
   * const pid = node.spawn(async (self) => console.log(await self.receive()));
   */
  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.spawner.spawn(null, start, args, undefined, false).pid as Pid<never> as Pid<N>;
  }

  /** Starts an actor that is called once per message instead of awaiting them: several times faster and smaller. O(1). */
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N> {
    return this.spawner.spawn(null, init as never, args, undefined, true).pid as Pid<never> as Pid<N>;
  }

  /** `spawn` with {@link SpawnOptions}. Throws SNOW_ERR_NAME_TAKEN, and SNOW_ERR_BAD_OPTION also for `link` and `monitor`. */
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions,
    start: Startable<N, A>,
    ...args: A
  ): Pid<N> {
    return this.spawner.spawnWith(null, start, args, options).pid as Pid<never> as Pid<N>;
  }

  /**
   * Sends a message: copied, never waits, never fails for a target that is gone.
   *
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE, SNOW_ERR_FOREIGN_PID, SNOW_ERR_BAD_DEST, and
   * SNOW_ERR_NAME_UNKNOWN for a local name that no actor has.
   */
  send<T>(to: Dest<T>, message: T): void {
    this.sender.send(null, to as Dest<never>, message);
  }

  /**
   * Like `send`, but waits while the target's mailbox is full (limit policy `block`) or the way to its node is busy: see `sendWait`
   * of an actor.
   *
   * @throws As `send`, by rejecting; SNOW_ERR_CALL_OVERLOAD.
   */
  async sendWait<T>(to: Dest<T>, message: T): Promise<void> {
    await this.awaitedSends.send(null, to as Dest<never>, message);
  }

  /** Sends an exit signal. `kill` cannot be trapped. Throws SNOW_ERR_BAD_DEST for what is no PID, SNOW_ERR_UNSENDABLE. */
  sendExit(pid: Pid, reason: ExitReason): void {
    checkPid('sendExit', pid);
    sendExit(this, null, pid, givenReason(reason));
  }

  /** Whether that actor lives here. Always false for actors of other nodes: monitor those. Throws SNOW_ERR_BAD_DEST. */
  isAlive(pid: Pid): boolean {
    checkPid('isAlive', pid);
    return cellOf(pid)?.kernel === this;
  }

  /**
   * Counts what ties an actor of this node to others. O(ties).
   *
   * @returns undefined for one that is dead or lives on another node.
   * @throws SNOW_ERR_BAD_DEST.
   * @example
   * node.ties(pid)?.monitoredBy; // 2
   */
  ties(pid: Pid): Ties | undefined {
    checkPid('ties', pid);
    return tiesOf(this, this.spawns, pid);
  }

  /**
   * The name of the node that a PID lives, or lived, on. A PID from an earlier start of this node has its name, too, although no
   * actor here can have it: {@link isAlive} is false.
   *
   * @returns undefined for a node that this one has never met.
   * @throws SNOW_ERR_BAD_DEST, SNOW_ERR_FOREIGN_PID for an actor of another node object of this process.
   */
  nodeOf(pid: Pid): string | undefined {
    checkPid('nodeOf', pid);
    if (pid.nc !== 0) return this.remote.nodeOf(pid);
    ownCell(this, pid);
    return this.ownName;
  }

  /** Gives a living actor a local name. Throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_BAD_NAME, SNOW_ERR_NOT_LOCAL. */
  register(name: string, pid: Pid): void {
    if (!(pid instanceof Pid) || !this.isAlive(pid)) {
      throw new SnowmeshError(
        'SNOW_ERR_NOT_LOCAL',
        `${String(pid)} is no living actor of this node and cannot have a local name.`,
      );
    }
    this.names.register(name, pid);
  }

  /** Frees a local name. False: no actor had it. Throws SNOW_ERR_BAD_NAME for what is no string. */
  unregister(name: string): boolean {
    return this.names.unregister(name);
  }

  /** The actor with a local name. O(1). Throws SNOW_ERR_BAD_NAME for what is no string. */
  whereis(name: string): Pid | undefined {
    return this.names.whereis(name);
  }

  /** All local names. O(names). */
  registered(): string[] {
    return this.names.registered();
  }

  /** Lets other nodes spawn this actor, or server, by its name; the latest of a name counts. Throws SNOW_ERR_NOT_SPAWNABLE. */
  expose<N, A extends readonly unknown[]>(spec: ActorSpec<N, A>): void {
    this.spawner.expose(spec);
  }

  /** @internal The canonical PID of a local id: that of the living actor, else one of a dead actor. */
  pidOf(local: number): Pid {
    return this.table.pidOf(local);
  }

  /** The messages in an actor's mailbox, oldest first. O(n): for tests and inspection. Throws SNOW_ERR_BAD_DEST. */
  mailboxOf(pid: Pid): unknown[] {
    checkPid('mailboxOf', pid);
    const mailbox = cellOf(pid)?.mailbox;
    return [...(mailbox ?? [])].map((message) => (message instanceof Envelope ? message.peek() : message));
  }

  /** @internal A fresh reference of an actor. */
  makeRef(owner: Pid): Ref {
    return this.newRef(owner.local);
  }

  /** @internal */
  newRef(local: number): Ref {
    return new Ref(0, local, ++this.refs);
  }

  /** @internal */
  newSelf(cell: Cell): object {
    return new Self(cell);
  }

  /** @internal */
  deliverSystem(to: Pid, message: SystemMessage): void {
    const cell = cellOf(to);
    if (cell !== undefined) deliver(cell, message);
  }

  /** Calls back once when a local actor dies, after its names are free. Returns the way to cancel it. Throws SNOW_ERR_BAD_DEST. */
  onDeath(pid: Pid, callback: (pid: Pid, reason: ExitReason) => void): () => void {
    checkPid('onDeath', pid);
    checkFunction('onDeath', callback);
    const cell = cellOf(pid);
    if (cell !== undefined) return cell.onDeath(inCurrentStore(callback));
    callback(pid, 'noproc');
    return () => {};
  }

  /** @internal Runs what is queued now, within the budget; ends with remote.flush(). True: there is still work. */
  runSlice(): boolean {
    this.scheduler.runSlice();
    return this.scheduler.hasWork;
  }

  /** @internal Makes sure that remote.flush() is called soon. */
  wake(): void {
    this.scheduler.wake();
  }

  /**
   * @internal From now on nothing is spawned for other nodes, or on them. Ends supervisors, and servers with `terminate`, in order;
   * resolves when that is done, or `timeUp` has resolved.
   */
  endTrees(timeUp: Promise<void>): Promise<void> {
    this.isStopping = true;
    return endTrees(this, timeUp);
  }

  /** Ends every actor without a signal to other nodes. */
  stop(): void {
    this.isStopped = true;
    for (const cell of this.table) terminate(cell, 'killed');
    this.calls.stop();
    this.timers.clear();
  }

  /** @internal Calls back once after `ms`, for code outside of actors. Returns the way to cancel it. */
  after(ms: number, action: () => void): () => void {
    return after(this, ms, action);
  }

  /** @internal Whether waiting timers keep the OS process alive. */
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

  /** @internal Runs code of others that must not disturb the runtime. */
  guard(action: () => unknown): void {
    guard(this, action);
  }
}
