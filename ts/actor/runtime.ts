import { inspect } from 'node:util';
import { checkFunction, SnowmeshError } from '../errors/index.ts';
import { type Cell, cellOf, Envelope, type ExitReason, givenReason, ownCell } from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import { checkPid, type Dest } from '../send/index.ts';
import { sendExit } from '../signal/index.ts';
import type { SpawnOptions } from '../spawn/index.ts';
import { Pid } from '../term/index.ts';
import { endTrees } from './orderly-stop.ts';
import { RuntimeKernel } from './runtime-kernel.ts';
import { Self } from './self.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';
import { type Ties, tiesOf } from './ties.ts';

/**
 * The actors of one node, and what code outside of actors does with them.
 *
 * Code outside of actors has no mailbox, so it can have neither links nor monitors, and receives nothing.
 */
export class Runtime extends RuntimeKernel {
  /** @internal What `console.log` prints. */
  [inspect.custom](_depth: number): string {
    return `Runtime { actors: ${this.size}, names: ${this.names.size} }`;
  }

  /** Living actors. */
  get size(): number {
    return this.table.size;
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

  /** The messages in an actor's mailbox, oldest first. O(n): for tests and inspection. Throws SNOW_ERR_BAD_DEST. */
  mailboxOf(pid: Pid): unknown[] {
    checkPid('mailboxOf', pid);
    const mailbox = cellOf(pid)?.mailbox;
    return [...(mailbox ?? [])].map((message) => (message instanceof Envelope ? message.peek() : message));
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

  /** @internal */
  newSelf(cell: Cell): object {
    return new Self(cell);
  }

  /**
   * @internal From now on nothing is spawned for other nodes, or on them. Ends supervisors, and servers with `terminate`, in order;
   * resolves when that is done, or `timeUp` has resolved.
   */
  endTrees(timeUp: Promise<void>): Promise<void> {
    this.isStopping = true;
    return endTrees(this, timeUp);
  }
}
