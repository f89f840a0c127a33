import { INBOUND_CALLS_MARK, type RemoteCall } from '../call/inbound-calls.ts';
import { call } from '../call/outbound-calls.ts';
import type { PendingCall } from '../call/pending-call.ts';
import { reply } from '../call/replies.ts';
import { SnowmeshError } from '../errors/index.ts';
import { ActorTable } from '../kernel/actor-table.ts';
import { Aliases } from '../kernel/aliases.ts';
import type { Call, CallOptions } from '../kernel/call.ts';
import { type Cell, cellOf, type Extras } from '../kernel/cell.ts';
import { givenReason } from '../kernel/crash-reason.ts';
import { DeadLetters } from '../kernel/dead-letters.ts';
import { terminate } from '../kernel/death.ts';
import { deliver } from '../kernel/delivery.ts';
import { Envelope } from '../kernel/envelope.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { consoleLogger, guarded, type Logger } from '../kernel/logger.ts';
import type { NamesPort } from '../kernel/names-port.ts';
import { type RemotePort, ReplyStatus } from '../kernel/remote-port.ts';
import type { SystemMessage } from '../kernel/system-message.ts';
import { runCell } from '../kernel/turn.ts';
import { type Link, type Monitor, NodeIndex, RemoteWatchers } from '../link/index.ts';
import { Inbound } from '../peer/inbound.ts';
import { nullRemote } from '../peer/null-remote.ts';
import { Scheduler } from '../scheduler/index.ts';
import { send } from '../send/sender.ts';
import { DeathQueue } from '../signal/death-queue.ts';
import { passOn, sendExit } from '../signal/signals.ts';
import type { SpawnOptions } from '../spawn/spawn-options.ts';
import { type PendingSpawn, spawn } from '../spawn/spawner.ts';
import { Pid, Ref } from '../term/index.ts';
import { type Clock, systemClock, Timer, Timers } from '../timers/index.ts';
import { type Dest, Self } from './self.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';

export interface RuntimeOptions {
  readonly names: NamesPort;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Scheduler index: the top six bits of local ids. Default 0. */
  readonly lane?: number;
  /** Pending timers keep the process alive. Default false. */
  readonly keepAlive?: boolean;
}

/** All actors of one node object in one isolate. */
export class Runtime {
  /** @internal */ readonly names: NamesPort;
  readonly logger: Logger;
  readonly clock: Clock;
  /** @internal Scheduler index. */ readonly lane: number;
  /** Messages that reached nobody. */
  readonly deadLetters: DeadLetters = new DeadLetters();
  /** @internal */ readonly inbound: Inbound = new Inbound(this);
  /** @internal Set by `node`. */
  remote: RemotePort = nullRemote(this);
  /** Whether its node was stopped: nothing runs any more. */
  isStopped = false;

  // What the other files of this room work on.
  /** @internal */ readonly table: ActorTable;
  /** @internal */ readonly scheduler: Scheduler;
  /** @internal */ readonly timers: Timers;
  /** @internal Stands for code outside of actors. */ readonly root: Pid = new Pid(0, 0);
  /** @internal */ readonly aliases: Aliases = new Aliases();
  /** @internal */ readonly calls: Map<number, PendingCall> = new Map();
  /** @internal */ readonly inboundCalls: Map<string, RemoteCall> = new Map();
  /** @internal So many of them have the late ones looked for. */ inboundCallsMark: number =
    INBOUND_CALLS_MARK;
  /** @internal */ readonly spawns: Map<number, PendingSpawn> = new Map();
  /** @internal */ readonly exposed: Map<string, ActorSpec> = new Map();
  /** @internal */ readonly remoteLinks: NodeIndex<Link> = new NodeIndex();
  /** @internal */ readonly remoteMonitors: NodeIndex<Monitor> = new NodeIndex();
  /** @internal */ readonly remoteCalls: NodeIndex<PendingCall> = new NodeIndex();
  /** @internal */ readonly remoteSpawns: NodeIndex<PendingSpawn> = new NodeIndex();
  /** @internal */ readonly remoteWatchers: RemoteWatchers = new RemoteWatchers();
  /** @internal */ readonly deaths: DeathQueue = new DeathQueue();
  /** @internal */ isPassingOn = false;
  /** @internal */ unlinkIds = 0;
  private refs = 0;

  constructor(options: RuntimeOptions) {
    this.names = options.names;
    this.logger = guarded(options.logger ?? consoleLogger);
    this.clock = options.clock ?? systemClock;
    this.lane = options.lane ?? 0;
    this.table = new ActorTable(this.lane);
    this.timers = new Timers(this.clock, options.keepAlive ?? false);
    this.scheduler = new Scheduler(() => this.remote.flush());
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

  /** Starts an actor whose parent is no actor. See `Self.spawn`. */
  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return spawn(this, null, start, args, undefined, false).pid as Pid<never> as Pid<N>;
  }

  /** See `Self.spawnHandler`. */
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N> {
    return spawn(this, null, init as never, args, undefined, true).pid as Pid<never> as Pid<N>;
  }

  /** See `Self.spawnWith`. */
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions,
    start: Startable<N, A>,
    ...args: A
  ): Pid<N> {
    return spawn(this, null, start, args, options, false).pid as Pid<never> as Pid<N>;
  }

  /** Sends as code outside of actors. See `Self.send`. */
  send<T>(to: Dest<T>, message: T): void {
    send(this, null, to as Dest<never>, message);
  }

  /** Asks as code outside of actors. See `Self.call`. */
  call<R = unknown>(
    to: Dest<never>,
    tag: string,
    args: readonly unknown[] = [],
    options?: CallOptions,
  ): Promise<R> {
    return call(this, null, to, tag, args, options) as Promise<R>;
  }

  /** Answers a call, here or far away. False: nobody waits for it any more. */
  reply(to: Call | Ref, value: unknown): boolean {
    return reply(this, to, ReplyStatus.ok, value);
  }

  /** @internal Answers a call with a failure. */
  replyError(to: Call | Ref, status: ReplyStatus, reason: unknown): boolean {
    return reply(this, to, status, reason);
  }

  /** Sends an exit signal. `kill` cannot be trapped. */
  sendExit(pid: Pid, reason: ExitReason): void {
    sendExit(this, null, pid, givenReason(reason));
  }

  /** Whether that actor lives here. Always false for actors of other nodes: monitor those. */
  isAlive(pid: Pid): boolean {
    return cellOf(pid)?.runtime === this;
  }

  /** The name of the node a PID lives on; undefined: our own while it has no name, or unknown. */
  nodeOf(pid: Pid): string | undefined {
    return pid.nc === 0 ? this.remote.nodeName : this.remote.nodeOf(pid);
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

  /** Frees a local name. False: nobody had it. */
  unregister(name: string): boolean {
    return this.names.unregister(name);
  }

  /** Who has a local name. O(1). */
  whereis(name: string): Pid | undefined {
    return this.names.whereis(name);
  }

  /** All local names. O(names). */
  registered(): string[] {
    return this.names.registered();
  }

  /** Lets other nodes spawn it by name. */
  expose<N, A extends readonly unknown[]>(spec: ActorSpec<N, A>): void {
    this.exposed.set(spec.name, spec as never);
  }

  /** The canonical PID of a local id: that of the living actor, else one of a dead actor. */
  pidOf(local: number): Pid {
    return this.table.pidOf(local);
  }

  /** What waits in an actor's mailbox, oldest first. O(n): for tests and inspection. */
  mailboxOf(pid: Pid): unknown[] {
    const mailbox = cellOf(pid)?.mailbox;
    return [...(mailbox ?? [])].map((message) => (message instanceof Envelope ? message.peek() : message));
  }

  /** @internal A fresh reference of an actor. */
  makeRef(owner: Pid): Ref {
    return this.newRef(owner.local);
  }

  /** @internal */
  deliverSystem(to: Pid, message: SystemMessage): void {
    const cell = cellOf(to);
    if (cell !== undefined) deliver(cell, message);
  }

  /** Calls back once when a local actor dies, after its names are gone. Returns a way to take it back. */
  onDeath(pid: Pid, callback: (pid: Pid, reason: ExitReason) => void): () => void {
    const cell = cellOf(pid);
    if (cell === undefined) {
      callback(pid, 'noproc');
      return () => {};
    }
    const more = cell.more();
    more.deathCallbacks ??= new Set();
    const { deathCallbacks } = more;
    deathCallbacks.add(callback);
    return () => void deathCallbacks.delete(callback);
  }

  /** Runs what is queued now, within the budget; ends with remote.flush(). True: there is still work. */
  runSlice(): boolean {
    this.scheduler.runSlice();
    return this.scheduler.hasWork;
  }

  /** Makes sure that remote.flush() is called soon. */
  wake(): void {
    this.scheduler.wake();
  }

  /** Ends every actor without notice to anybody outside. */
  stop(): void {
    this.isStopped = true;
    for (const cell of this.table) terminate(cell, 'killed');
    for (const pending of [...this.calls.values()]) pending.fail('noproc', 'stopped');
    this.timers.clear();
  }

  /** @internal Calls back once after `ms`, for code outside of actors. Returns a way to take it back. */
  after(ms: number, action: () => void): () => void {
    const timer = new Callback(() => this.guard(action));
    this.timers.start(timer, ms);
    return () => void this.timers.cancel(timer);
  }

  /** Whether waiting timers keep the OS process alive. */
  setKeepAlive(keepAlive: boolean): void {
    this.timers.setKeepAlive(keepAlive);
  }

  /** Test hook: the serial the next actor gets. */
  setNextSerial(serial: number): void {
    ActorTable.setNextSerial(serial);
  }

  /** @internal */
  isSelf(node: string): boolean {
    return (
      node === this.remote.nodeName ||
      (this.remote.nodeName === undefined && node === 'nonode@nohost') ||
      this.remote.isSelf(node)
    );
  }

  /** @internal */
  newRef(local: number): Ref {
    return new Ref(0, local, ++this.refs);
  }

  /** @internal One turn of an actor. True: a promise was settled. */
  runCell(cell: Cell): boolean {
    return runCell(cell);
  }

  /** @internal */
  makeSelf(cell: Cell): Self {
    return new Self(cell);
  }

  /** @internal Tells everybody tied to a dead actor. */
  passOn(pid: Pid, extra: Extras, reason: ExitReason): void {
    passOn(this, pid, extra, reason);
  }

  /** @internal Code of others that must not take the runtime along. */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      try {
        this.logger.error({ event: 'callback_failed', err: error }, 'a callback failed');
      } catch {
        // Neither must a logger.
      }
    }
  }
}

class Callback extends Timer {
  readonly fire: () => void;

  constructor(fire: () => void) {
    super();
    this.fire = fire;
  }
}
