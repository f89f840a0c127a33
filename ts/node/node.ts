import type { EventEmitter } from 'node:events';
import { type AnySelf, checkRef, inBudget, Self } from '../actor/index.ts';
import {
  checkFlag,
  checkOptionNames,
  checkSignal,
  kindOf,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { CHANNEL, sourcesOf } from '../introspect/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import type { Channel, ChannelListener } from './channels.ts';
import type { Cluster } from './cluster.ts';
import type { NodeEvents, NodeKind, NodeStats } from './node-events.ts';
import { NO_NODE, parseNodeName } from './node-name.ts';
import { ObservedRuntime } from './observed-runtime.ts';
import { publishPeerEvent } from './peer-diagnostics.ts';
import { type ConnectFailure, NO_NAME } from './reachability.ts';
import type { ReadyOptions } from './readiness.ts';
import { type StopOnSignalsOptions, stopOnSignals, stoppedWithoutSignal } from './stop-on-signals.ts';
import { type NodeStopOptions, StopTime } from './stop-time.ts';

const SUBSCRIBE_OPTIONS: OptionNames<{ hidden?: boolean }> = { hidden: true };
const READY_OPTIONS: OptionNames<ReadyOptions> = { peers: true, timeout: true, signal: true };
const KINDS: ReadonlySet<unknown> = new Set<NodeKind>(['visible', 'hidden', 'all']);

/**
 * A running node: the actors of this process, and the other nodes they can reach. Made by {@link startNode}.
 *
 * It keeps the OS process alive while it listens or, without a name, while one of its actors, calls or starts waits for a
 * timer; `unref` changes that. `stop` (or `await using`) closes every handle, thread and timer.
 */
export class Node extends ObservedRuntime implements AsyncDisposable {
  #cluster: Cluster | undefined;
  readonly #stopTime = new StopTime((ms, action) => this.after(ms, action));

  /** The node itself: code that takes a node or an actor's `self` finds the node in `runtime` of both. */
  get runtime(): this {
    return this;
  }

  /** @internal Makes the node part of a cluster: from now on it has a name. */
  join(cluster: Cluster): void {
    this.#cluster = cluster;
    cluster.announce((event, ...args) => this.#tell(event, args));
    sourcesOf(this).sessions = () => cluster.sessionCounters();
    this.introspector.opened(this.channel(CHANNEL, this.introspector));
  }

  /** The full name with the port; `nonode@nohost` for a node without a name, and after `stop`. */
  override get name(): string {
    return this.#open?.name ?? NO_NODE;
  }

  /** Whether other nodes can connect to it: it has a name and was not stopped. */
  get isListening(): boolean {
    return this.#open !== undefined;
  }

  /** Whether it was started with `hidden`. */
  override get isHidden(): boolean {
    return this.#cluster?.isHidden ?? false;
  }

  /** The port it listens on; 0 for a node without a name. */
  get port(): number {
    return this.#cluster?.port ?? 0;
  }

  /** 64 random bits that identify this start of the node; 0n for a node without a name. */
  get incarnation(): bigint {
    return this.#cluster?.incarnation ?? 0n;
  }

  /** The authenticated peers, without this node and without duplicates. O(peers). Throws SNOW_ERR_BAD_OPTION. */
  nodes(kind: NodeKind = 'visible'): string[] {
    if (!KINDS.has(kind)) {
      const why = `the kind of nodes is ${kindOf(kind)}; it must be ${[...KINDS].join(', ')}`;
      throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
    }
    return this.#open?.nodes(kind) ?? [];
  }

  /**
   * Connects to a node.
   *
   * @param name `name@host:port`.
   * @returns true when the node is connected, also for this node's own name; false when it could not be connected within
   * `handshakeMs`: `connectFailure` says why.
   * @throws SNOW_ERR_NODE_NAME for an invalid name, SNOW_ERR_NOT_ALIVE on a node without a name, SNOW_ERR_STOPPED.
   */
  async connect(name: string): Promise<boolean> {
    return this.#inBudget(async () => this.#clustered('connect').connect(name));
  }

  /**
   * Why a node is not connected: how the last attempt failed, or how the last connection ended. O(1).
   *
   * @param name `name@host:port`.
   * @returns `why` - `cookie`, `refused`, `dns`, `wrong_name`, `timeout`, `incompatible`, `name_taken`, `duplicate`, `stopping`,
   * `unreachable`, `not_dialled`, `no_name_of_our_own`, or how a connection ended - and `detail` in words; undefined: it is connected.
   * @throws SNOW_ERR_NODE_NAME.
   * @example
   * if (!(await node.connect(name))) console.error(node.connectFailure(name)?.detail);
   */
  connectFailure(name: string): ConnectFailure | undefined {
    if (parseNodeName(name).full === this.name) return undefined;
    return this.#cluster === undefined ? NO_NAME : this.#cluster.reachability.whyDown(name);
  }

  /**
   * Ends the session with a node; what was sent before goes out first. Using the node again connects anew, unless `autoConnect` says otherwise.
   *
   * @returns true when the session is down and all links, monitors and calls over it have fired; false when there was no session.
   * @throws SNOW_ERR_NODE_NAME, SNOW_ERR_NOT_ALIVE on a node without a name, SNOW_ERR_STOPPED.
   */
  async disconnect(name: string): Promise<boolean> {
    return this.#inBudget(async () => this.#clustered('disconnect').disconnect(name));
  }

  /**
   * Waits until enough visible peers are connected.
   *
   * @param options.peers how many, or which names; default 1. @param options.timeout ms; default 30 000.
   * @returns the names of the visible peers.
   * @throws SNOW_ERR_NOT_READY naming the missing peers; SNOW_ERR_BAD_OPTION; the reason of `options.signal`; SNOW_ERR_NOT_ALIVE
   * on a node without a name; SNOW_ERR_STOPPED, also when the node is stopped meanwhile.
   * @example
   * await node.ready({ peers: 2, timeout: 10_000 });
   */
  async ready(options: ReadyOptions = {}): Promise<readonly string[]> {
    checkOptionNames('ready', options, READY_OPTIONS);
    checkSignal('ready', options.signal);
    return this.#inBudget(async () => this.#clustered('ready').ready(options));
  }

  /**
   * Stops the node in order.
   *
   * 1. The supervisors at the top, and the servers with `terminate` at the top, get `shutdown`: one at a time, the last started first.
   *    Each stops its tree, with the shutdown times of its children. Peers are still connected.
   * 2. The node leaves the cluster: messages sent before go out, and peers see `goodbye`. A peer that takes none of them for a second, or not
   *    all in four seconds, loses the rest.
   * 3. Every other actor is killed.
   *
   * An actor may call it. Do not await it in a handler of a supervised actor that traps exits, or of a server with `terminate`: such an
   * actor ends in order only after its handler has returned. The stop then waits until its shutdown time or `timeout` is over, and kills
   * it without `terminate`. Call `stop` and return.
   * A second call only shortens the time: `stop({ timeout: 0 })` ends the wait.
   *
   * A node can be started again in the same process, under any name; the PIDs of the stopped node are then dead.
   *
   * @param options.timeout ms for the trees; default 10 000. Actors that have not ended by then are killed.
   * @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME.
   * @example
   * process.once('SIGTERM', () => node.stop());
   */
  override stop(options: NodeStopOptions = {}): Promise<void> {
    const limit = StopTime.limitOf(options);
    const stopped = this.#stopTime.once(() => this.#stop());
    this.#stopTime.limit(limit);
    return stopped;
  }

  /**
   * Stops the node, and then ends the process, on SIGTERM and SIGINT. A second signal ends the process at once. If the event loop is
   * blocked, a thread of the native core writes one line to standard error and ends the process.
   *
   * The exit code is `process.exitCode`, or 0, when the node was stopped in time; otherwise 128 plus the number of the signal. Several
   * nodes of a process stop at the same time. Told again for the same node, the new options hold. Stopping the node in another way removes
   * the signal handlers. In a worker thread, which gets no signals, it logs a warning and has no effect.
   *
   * @param options.timeout ms for `before` and the supervision trees; default 10 000.
   * @param options.grace ms after `timeout` until the process ends in any case; default 5000.
   * @param options.before runs first, while the node still works.
   * @returns a function that removes the signal handlers.
   * @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_ARGUMENT; SNOW_ERR_NATIVE_FAULT when the system refuses that thread.
   * @example
   * node.stopOnSignals({ timeout: 20_000, before: () => rooms.drain() });
   */
  stopOnSignals(options: StopOnSignalsOptions = {}): () => void {
    return stopOnSignals(this, options);
  }

  /** `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Lets the process end although the node listens, or, for a node without a name, although a timer waits. */
  unref(): this {
    if (this.#cluster === undefined) this.setKeepAlive(false);
    else this.#open?.unref();
    return this;
  }

  /** Keeps the process alive while the node listens, or, without a name, while a timer waits (the default). */
  ref(): this {
    if (this.#cluster === undefined) this.setKeepAlive(true);
    else this.#open?.ref();
    return this;
  }

  /**
   * Subscribes an actor to every node that comes and goes: NodeUp before the first message from a node, NodeDown
   * after the last, NodeStalled and NodeRecovered between. Ends with the actor.
   *
   * @returns the reference that `demonitorNodes` takes.
   * @throws SNOW_ERR_NOT_LOCAL when the subscriber is not an actor of this node, SNOW_ERR_BAD_OPTION, SNOW_ERR_NOT_ALIVE, SNOW_ERR_STOPPED.
   */
  monitorNodes(subscriber: Pid | AnySelf, options: { readonly hidden?: boolean } = {}): Ref {
    const pid = this.#local(subscriber);
    checkOptionNames('monitorNodes', options, SUBSCRIBE_OPTIONS);
    checkFlag('monitorNodes', 'hidden', options.hidden);
    return this.#clustered('monitorNodes').subscribe(pid, options.hidden ?? false);
  }

  /**
   * Sends the subscriber one NodeDown when that node goes down, or when it is not connected and cannot be reached. Each call brings
   * one notice.
   *
   * @returns the reference that `demonitorNodes` takes.
   * @throws SNOW_ERR_NOT_LOCAL when the subscriber is not an actor of this node, SNOW_ERR_NODE_NAME, SNOW_ERR_NOT_ALIVE, SNOW_ERR_STOPPED.
   */
  monitorNode(subscriber: Pid | AnySelf, name: string): Ref {
    return this.#clustered('monitorNode').watch(this.#local(subscriber), name);
  }

  /** Ends a subscription or a watch. False when it had ended. Throws SNOW_ERR_BAD_ARGUMENT unless `ref` is a reference. */
  demonitorNodes(ref: Ref): boolean {
    checkRef('demonitorNodes', ref);
    return this.#cluster?.monitors.cancel(ref) ?? false;
  }

  /** @internal Opens a channel for control traffic of the layers above; undefined when the node has no name or was stopped. */
  channel(name: string, listener: ChannelListener): Channel | undefined {
    return this.#open?.channel(name, listener);
  }

  /** The current state of the node in numbers. O(peers). */
  stats(): NodeStats {
    return {
      name: this.name,
      actors: this.size,
      deadLetters: { ...this.deadLetters.counts },
      peers: this.#open?.peerStats() ?? [],
      native: this.#open?.nativeStats(),
    };
  }

  /** The cluster part; undefined when the node has no name or was stopped. */
  get #open(): Cluster | undefined {
    return this.#cluster?.isOpen ? this.#cluster : undefined;
  }

  /** Keeps a loop of awaits that settle at once from starving the event loop: see ts/kernel/in-budget.ts. */
  #inBudget<T>(ask: () => Promise<T>): Promise<T> {
    return inBudget(this, null, ask());
  }

  #clustered(what: string): Cluster {
    if (this.isStopping)
      throw new SnowmeshError(
        'SNOW_ERR_STOPPED',
        `${what}: the node is stopping or was stopped; start another one`,
      );
    const cluster = this.#open;
    if (cluster !== undefined) return cluster;
    const why = `${what}: this node is not part of a cluster; start it with startNode({ name, cookie })`;
    throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', why);
  }

  #local(subscriber: Pid | AnySelf): Pid {
    const pid: unknown = subscriber instanceof Self ? subscriber.pid : subscriber;
    if (pid instanceof Pid && pid.isLocal) return pid;
    const what = pid instanceof Pid ? `${pid}, an actor of another node` : kindOf(pid);
    throw new SnowmeshError(
      'SNOW_ERR_NOT_LOCAL',
      `The subscriber must be the \`self\` or the PID of an actor of this node, not ${what}.`,
    );
  }

  /** Listeners run in a microtask of their own: an error they throw is an uncaught exception and has no effect on a session. */
  #tell<E extends keyof NodeEvents>(event: E, args: NodeEvents[E]): void {
    publishPeerEvent(this, event, args);
    if (this.listenerCount(event) === 0) return;
    queueMicrotask(() => (this as EventEmitter).emit(event, ...args));
  }

  async #stop(): Promise<void> {
    this.#cluster?.beginClose();
    await this.endTrees(this.#stopTime.isUp);
    this.#stopTime.over();
    this.introspector.close();
    await this.#cluster?.close();
    super.stop();
    stoppedWithoutSignal(this); // a signal until now waits for this stop
  }
}
