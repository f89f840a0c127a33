import { inspect } from 'node:util';
import { checkFunction, SnowmeshError } from '../errors/index.ts';
import {
  type Birth,
  type Cell,
  cellOf,
  copyReason,
  Envelope,
  type ExitReason,
  ownCell,
} from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import { checkPid, type Dest, givenPid } from '../send/index.ts';
import { sendExit } from '../signal/index.ts';
import type { SpawnOptions } from '../spawn/index.ts';
import { Pid } from '../term/index.ts';
import { type LinkCounts, linkCountsOf } from './link-counts.ts';
import { endTrees } from './orderly-stop.ts';
import { RuntimeKernel } from './runtime-kernel.ts';
import { Self } from './self.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';

/**
 * The actors of one node, as code outside of actors uses them: a Node is one.
 *
 * Code outside of actors has no mailbox. It can send, spawn and call, but it can neither receive messages nor have links or monitors.
 */
export class Runtime extends RuntimeKernel {
  /** @internal What `console.log` prints. */
  [inspect.custom](_depth: number): string {
    return `Runtime { actors: ${this.size}, names: ${this.names.size} }`;
  }

  /** @internal What a log of JSON lines gets. */
  toJSON(): unknown {
    return { actors: this.size, names: this.names.size };
  }

  /** How many actors live on this node. */
  get size(): number {
    return this.table.size;
  }

  /**
   * Spawns an actor from a function, or from a spec made by `defineActor`, `defineServer`, … As Erlang's `spawn`. O(1).
   *
   * @param args The arguments of its code after `self`. They are passed as they are, not copied.
   * @returns Its PID, at once. Its code runs later.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   * @example
   * const pid = node.spawn(async (self) => console.log(await self.receive()));
   */
  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.spawner.spawn(null, start, args, undefined, false).pid as Pid<never> as Pid<N>;
  }

  /**
   * Spawns an actor whose handler is called once for each message, instead of a function that awaits them: several times faster, and
   * smaller in memory. O(1).
   *
   * @param init Makes the handler, in the actor's first turn.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   * @example
   * const pid = node.spawnHandler(() => ({ onMessage: (message) => console.log(message) }));
   */
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N> {
    return this.spawner.spawn(null, init as never, args, undefined, true).pid as Pid<never> as Pid<N>;
  }

  /**
   * {@link spawn} with {@link SpawnOptions}. `link` and `monitor` need an actor: use its `self.spawnWith`.
   *
   * @throws As `spawn`; SNOW_ERR_NAME_TAKEN, SNOW_ERR_BAD_NAME; SNOW_ERR_BAD_OPTION, also for `link` and `monitor`. Then no actor is
   * spawned.
   * @example
   * node.spawnWith({ name: 'printer', mailbox: { max: 1000 } }, async (self) => console.log(await self.receive()));
   */
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions,
    start: Startable<N, A>,
    ...args: A
  ): Pid<N> {
    return this.spawner.spawnWith(null, start, args, options).pid as Pid<never> as Pid<N>;
  }

  /**
   * Sends a copy of a message, without waiting. A message to an actor that has ended is lost and counted in `deadLetters`. As Erlang's
   * `!`. O(size of the message).
   *
   * @throws SNOW_ERR_NAME_UNKNOWN for a local name that no actor has; SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE for the
   * message; SNOW_ERR_BAD_DEST, SNOW_ERR_NODE_NAME, SNOW_ERR_FOREIGN_PID for the target.
   * @example
   * node.send({ name: 'printer', node: 'one@127.0.0.1:4001' }, { text: 'hello' });
   */
  send<T>(to: Dest<T>, message: T): void {
    this.sender.send(null, to as Dest<never>, message);
  }

  /**
   * {@link send} that waits while the target's mailbox is full (limit policy `block`), or the send queue to its node is. `self.sendWait`
   * says what it costs.
   *
   * @returns Resolves when the message is in the mailbox, or the target has ended.
   * @throws As a rejection: what `send` throws, and SNOW_ERR_CALL_OVERLOAD.
   */
  async sendWait<T>(to: Dest<T>, message: T): Promise<void> {
    await this.awaitedSends.send(null, to as Dest<never>, message);
  }

  /**
   * Sends an exit signal: the actor ends with `reason`, unless it traps exits or the reason is `normal`. The reason `kill` cannot be
   * trapped. As Erlang's `exit/2`.
   *
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID, SNOW_ERR_UNSENDABLE, SNOW_ERR_FOREIGN_PID.
   */
  sendExit(pid: Pid, reason: ExitReason): void {
    checkPid('sendExit', pid);
    sendExit(this, null, pid, copyReason(reason));
  }

  /**
   * Whether an actor of this node lives. Always false for an actor of another node: monitor it instead. As Erlang's
   * `is_process_alive`. Throws SNOW_ERR_BAD_DEST when `pid` is not a PID.
   */
  isAlive(pid: Pid): boolean {
    checkPid('isAlive', pid);
    return cellOf(pid)?.kernel === this;
  }

  /**
   * Counts the links and monitors of an actor of this node. As Erlang's `process_info` with `links`, `monitors`, `monitored_by`.
   * O(links and monitors).
   *
   * @returns undefined for an actor that has ended or lives on another node.
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID.
   * @example
   * node.linkCounts(pid)?.monitoredBy; // 2
   */
  linkCounts(pid: Pid): LinkCounts | undefined {
    checkPid('linkCounts', pid);
    return linkCountsOf(this, this.spawns, pid);
  }

  /**
   * The name of the node that a PID belongs to. A PID from before a restart of this node has its name, too. As Erlang's `node/1`.
   *
   * @returns undefined for a PID that is not of this node and did not come from another one.
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID; SNOW_ERR_FOREIGN_PID for an actor of another node object of this process.
   */
  nodeOf(pid: Pid): string | undefined {
    checkPid('nodeOf', pid);
    if (pid.nc !== 0) return this.remote.nodeOf(pid);
    ownCell(this, pid);
    return this.ownName;
  }

  /**
   * Registers a living actor of this node under a local name. The name is free again when the actor ends. As Erlang's `register`.
   *
   * @throws SNOW_ERR_NAME_TAKEN (details.holder), SNOW_ERR_BAD_NAME, SNOW_ERR_NOT_LOCAL.
   */
  register(name: string, pid: Pid): void {
    if (!(pid instanceof Pid) || !this.isAlive(pid)) {
      throw new SnowmeshError(
        'SNOW_ERR_NOT_LOCAL',
        `${givenPid(pid)} is no living actor of this node: only an actor of this node can get a local name. Register it on its own node.`,
      );
    }
    this.names.register(name, pid);
  }

  /** Frees a local name. Returns false if no actor had it. Throws SNOW_ERR_BAD_NAME when `name` is not a string. */
  unregister(name: string): boolean {
    return this.names.unregister(name);
  }

  /** The actor that has a local name; undefined: none. O(1). Throws SNOW_ERR_BAD_NAME when `name` is not a string. */
  whereis(name: string): Pid | undefined {
    return this.names.whereis(name);
  }

  /** All local names. O(names). */
  registered(): string[] {
    return this.names.registered();
  }

  /**
   * Lets other nodes spawn and start this spec by its name. Replaces an earlier spec of the same name.
   *
   * @throws SNOW_ERR_NOT_SPAWNABLE when `spec` is not a spec.
   * @example
   * node.expose(worker); // on another node: await self.spawnOn('one@127.0.0.1:4001', worker, [])
   */
  expose<N, A extends readonly unknown[]>(spec: ActorSpec<N, A>): void {
    this.spawner.expose(spec);
  }

  /**
   * The messages in the mailbox of an actor of this node, oldest first, for tests and inspection. Empty for any other PID. O(messages).
   * Throws SNOW_ERR_BAD_DEST when `pid` is not a PID.
   */
  mailboxOf(pid: Pid): unknown[] {
    checkPid('mailboxOf', pid);
    const cell = cellOf(pid);
    const mailbox = cell?.kernel === this ? cell.mailbox : null;
    return [...(mailbox ?? [])].map((message) => (message instanceof Envelope ? message.peek() : message));
  }

  /**
   * Calls back once when an actor of this node ends, after its names are free; for any other PID at once, with `noproc`. What the
   * callback throws, or rejects with, is logged.
   *
   * @returns A function that cancels it.
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID, SNOW_ERR_BAD_ARGUMENT when `callback` is not a function.
   */
  onDeath(pid: Pid, callback: (pid: Pid, reason: ExitReason) => void): () => void {
    checkPid('onDeath', pid);
    checkFunction('onDeath', callback);
    const cell = cellOf(pid);
    if (cell?.kernel === this) return cell.onDeath(inCurrentStore(callback));
    this.guard(() => callback(pid, 'noproc'));
    return () => {};
  }

  /** @internal */
  newCell(local: number, parent: Pid, label: string, birth: Birth): Cell {
    return new (Self as unknown as typeof Cell)(this, local, parent, label, birth);
  }

  /**
   * @internal Refuses spawns for other nodes and on them from now on, and stops supervisors, and servers with `terminate`, in order.
   * Resolves when that is done, or when `timeUp` has resolved.
   */
  async endTrees(timeUp: Promise<void>): Promise<void> {
    this.isStopping = true;
    await endTrees(this, timeUp);
    this.callStopListeners();
  }
}
