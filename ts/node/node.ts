import { EventEmitter } from 'node:events';
import { type Dest, Runtime, type RuntimeOptions, type Self } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Channel, ChannelListener } from './channels.ts';
import type { Cluster } from './cluster.ts';
import type { NodeEvents, NodeKind, NodeStats } from './node-events.ts';
import { NO_NODE } from './node-name.ts';
import type { ReadyOptions } from './readiness.ts';

/** A runtime that is an emitter, too. A class has one base only, so it gets the methods of EventEmitter from here. */
const EmittingRuntime = class extends Runtime {} as new (
  options: RuntimeOptions,
) => Runtime & EventEmitter<NodeEvents>;
const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(EventEmitter.prototype);
Object.defineProperties(EmittingRuntime.prototype, methods);

/**
 * A running node: the actors of this process, and the other nodes they can reach. Made by {@link startNode}.
 *
 * It keeps the OS process alive while it listens or, without a name, while one of its actors, calls or starts waits for a
 * timer; `unref` changes that. `stop` (or `await using`) leaves no handle,
 * thread or timer behind.
 */
export class Node extends EmittingRuntime implements AsyncDisposable {
  #cluster: Cluster | undefined;
  #stopping: Promise<void> | undefined;

  /** The node itself, under the name that an actor has for it: `self.runtime`. */
  get runtime(): this {
    return this;
  }

  /** @internal Makes it part of a cluster: from now on it has a name. */
  join(cluster: Cluster): void {
    this.#cluster = cluster;
    cluster.announce((event, ...args) => this.#tell(event, args));
  }

  /** The full name with the port, `nonode@nohost` without one or after `stop`. */
  get name(): string {
    return this.#open?.name ?? NO_NODE;
  }

  /** Whether other nodes can connect to it: it has a name and was not stopped. */
  get isListening(): boolean {
    return this.#open !== undefined;
  }

  /** Whether `stop` has been called. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Whether it was started with `hidden`. */
  get isHidden(): boolean {
    return this.#cluster?.isHidden ?? false;
  }

  /** The port it listens on; 0 for a node without a name. */
  get port(): number {
    return this.#cluster?.port ?? 0;
  }

  /** 64 random bits that tell this start from any other; 0n for a node without a name. */
  get incarnation(): bigint {
    return this.#cluster?.incarnation ?? 0n;
  }

  /** The authenticated peers, without this node and without duplicates. O(peers). */
  nodes(kind: NodeKind = 'visible'): string[] {
    return this.#open?.nodes(kind) ?? [];
  }

  /**
   * Connects to a node. Our own name is connected already.
   *
   * @param name `name@host:port`.
   * @returns true when there is a session, false when it could not be made (within `handshakeMs`).
   * @throws SNOW_ERR_NODE_NAME for what is no name, SNOW_ERR_NOT_ALIVE on a node without a name.
   */
  connect(name: string): Promise<boolean> {
    return this.#clustered('connect').connect(name);
  }

  /**
   * Ends the session with a node; what was sent before goes out first. Using the node again connects anew, unless `autoConnect` says otherwise.
   *
   * @returns true when it is down and all links, monitors and calls over it have fired, false when there was no session.
   * @throws SNOW_ERR_NODE_NAME, SNOW_ERR_NOT_ALIVE
   */
  disconnect(name: string): Promise<boolean> {
    return this.#clustered('disconnect').disconnect(name);
  }

  /**
   * Waits until enough visible peers are connected.
   *
   * @param options.peers how many, or which names; default 1. @param options.timeout ms; default 30 000.
   * @returns the names of the visible peers.
   * @throws SNOW_ERR_NOT_READY naming the missing peers; SNOW_ERR_BAD_OPTION; the reason of `options.signal`; SNOW_ERR_NOT_ALIVE,
   * also when the node is stopped meanwhile.
   * @example
   * await node.ready({ peers: 2, timeout: 10_000 });
   */
  async ready(options: ReadyOptions = {}): Promise<readonly string[]> {
    return this.#clustered('ready').ready(options);
  }

  /**
   * Leaves the cluster - peers are told at once, what was sent before goes out - and ends every actor.
   * A node can be started again in the same process, under any name; its PIDs of before are then dead.
   */
  override stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
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
   * Sends, and resolves when the peer has room for more: at once unless it is above its high-water mark. Bytes beyond 1 MiB
   * are copied slice by slice, so that nothing else stands behind them: do not change them before it resolves.
   */
  async sendWait<M>(to: Dest<M>, message: M): Promise<void> {
    const remote = this.#cluster?.remote;
    if (remote === undefined || typeof to !== 'object' || !remote.isFar(to)) return this.send(to, message);
    await remote.sendGently(null, to, message);
    await remote.whenWritable(to);
  }

  /**
   * Subscribes an actor to every node that comes and goes: NodeUp before the first message from a node, NodeDown
   * after the last, NodeStalled and NodeRecovered between. Ends with the actor.
   *
   * @returns what `demonitorNodes` takes.
   */
  monitorNodes(subscriber: Pid | Self, options: { readonly hidden?: boolean } = {}): Ref {
    const pid = this.#local(subscriber);
    return this.#clustered('monitorNodes').subscribe(pid, options.hidden ?? false);
  }

  /**
   * One NodeDown when that node goes down, or cannot be reached when it is not connected now. Each call is one
   * notice.
   */
  monitorNode(subscriber: Pid | Self, name: string): Ref {
    return this.#clustered('monitorNode').watch(this.#local(subscriber), name);
  }

  /** Ends a subscription or a watch. False when it had ended. */
  demonitorNodes(ref: Ref): boolean {
    return this.#cluster?.monitors.cancel(ref) ?? false;
  }

  /** @internal Control traffic of the floors above, by name; undefined for a node without a name, or stopped. */
  channel(name: string, listener: ChannelListener): Channel | undefined {
    return this.#open?.channel(name, listener);
  }

  /** Figures of the moment. O(peers). */
  stats(): NodeStats {
    return {
      name: this.name,
      actors: this.size,
      deadLetters: { ...this.deadLetters.counts },
      peers: this.#open?.peerStats() ?? [],
      native: this.#open?.nativeStats(),
    };
  }

  /** The cluster half while it runs. */
  get #open(): Cluster | undefined {
    return this.#cluster?.isOpen ? this.#cluster : undefined;
  }

  #clustered(what: string): Cluster {
    const cluster = this.#open;
    if (cluster !== undefined) return cluster;
    const why = this.#cluster === undefined ? 'it was started without a name' : 'it was stopped';
    throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', `${what}: this node is not part of a cluster, ${why}`);
  }

  #local(subscriber: Pid | Self): Pid {
    return 'pid' in subscriber ? (subscriber.pid as Pid) : subscriber;
  }

  /** Listeners run on their own: a throw is an uncaught exception, as with any emitter, and disturbs no session. */
  #tell<E extends keyof NodeEvents>(event: E, args: NodeEvents[E]): void {
    if (this.listenerCount(event) === 0) return;
    queueMicrotask(() => (this as EventEmitter).emit(event, ...args));
  }

  async #stop(): Promise<void> {
    await this.#cluster?.close();
    super.stop();
  }
}
