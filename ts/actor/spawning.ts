import { inspect } from 'node:util';
import { forActor, never } from '../kernel/index.ts';
import { checkSpawnOptions, type RemoteSpawnOptions, type SpawnOptions } from '../spawn/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Runtime } from './runtime.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';
import { Timing } from './timing.ts';

/** The part of an actor's `self` that spawns actors. */
export class Spawning extends Timing {
  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    const { pid, label, parent, mailbox, isDead } = this.cell;
    const waiting = isDead ? 'dead' : `mailbox: ${mailbox === null ? 0 : mailbox.size}`;
    return `Self { ${pid}, label: ${inspect(label)}, parent: ${parent}, ${waiting} }`;
  }

  /** @internal What a log of JSON lines gets: its PID. */
  toJSON(): string {
    return this.cell.pid.toJSON();
  }

  /** The actors of this node, as code outside of actors uses them. */
  get runtime(): Runtime {
    // Every Kernel is a RuntimeKernel, and Runtime is the only class that extends that.
    return this.cell.kernel as Runtime;
  }

  /**
   * Spawns an actor from a function, or from a spec made by `defineActor`, `defineServer`, …, without a link or a monitor. As Erlang's
   * `spawn`. O(1).
   *
   * @param args The arguments of its code after `self`. They are passed as they are, not copied, so they may hold functions.
   * @returns Its PID, at once. Its code runs later.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   * @example
   * const pid = self.spawn(async (child) => console.log(await child.receive()));
   */
  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.make(start, args, undefined, false).pid as Pid<never> as Pid<N>;
  }

  /** {@link spawn} with a link to this actor, made before the child runs. As Erlang's `spawn_link`. */
  spawnLink<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.make(start, args, { link: true }, false).pid as Pid<never> as Pid<N>;
  }

  /** {@link spawn} with a monitor of the child, made before the child runs. As Erlang's `spawn_monitor`. */
  spawnMonitor<N, A extends readonly unknown[]>(
    start: Startable<N, A>,
    ...args: A
  ): { pid: Pid<N>; ref: Ref } {
    const { pid, ref } = this.make(start, args, { monitor: true }, false);
    return { pid: pid as Pid<never> as Pid<N>, ref: ref as Ref };
  }

  /**
   * Spawns an actor whose handler is called once for each message, instead of a function that awaits them: several times faster, and
   * smaller in memory. O(1).
   *
   * @param init Makes the handler, in the actor's first turn.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   */
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N> {
    return this.make(init as never, args, undefined, true).pid as Pid<never> as Pid<N>;
  }

  /**
   * {@link spawn} with {@link SpawnOptions}. As Erlang's `spawn_opt`.
   *
   * @returns Its PID; with the option `monitor` its PID and the reference of the monitor.
   * @throws As `spawn`; SNOW_ERR_NAME_TAKEN, SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_OPTION. Then no actor is spawned.
   * @example
   * const { pid, ref } = self.spawnWith({ monitor: true, name: 'worker' }, work);
   */
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions & { readonly monitor: true },
    start: Startable<N, A>,
    ...args: A
  ): { pid: Pid<N>; ref: Ref };
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions & { readonly monitor?: false },
    start: Startable<N, A>,
    ...args: A
  ): Pid<N>;
  spawnWith<N, A extends readonly unknown[]>(
    options: SpawnOptions,
    start: Startable<N, A>,
    ...args: A
  ): Pid<N> | { pid: Pid<N>; ref: Ref };
  spawnWith(options: SpawnOptions, start: Startable, ...args: unknown[]): unknown {
    checkSpawnOptions('spawnWith', options, true);
    const { pid, ref } = this.make(start, args, options, false);
    return options.monitor === true ? { pid, ref } : pid;
  }

  /**
   * Spawns on another node what is exposed there under the name of `spec`. As Erlang's `spawn_request`. It costs one round trip.
   *
   * @param node The full name of the node. This node's own name is valid, too.
   * @param args The arguments of the actor's code after `self`. They are copied like a message.
   * @param options `link`, `monitor`: made before the child runs. `signal`: when it fires before the reply, the promise rejects with its
   * reason; a linked child then ends with `abandoned`, any other child runs on.
   * @returns The child's PID and the reference of its monitor, before any message of the child arrives.
   * @throws Always as a rejection: SNOW_ERR_SPAWN (details.reason: `noconnection`, `unknown_function`, or why the spawn was refused);
   * SNOW_ERR_NOT_SPAWNABLE for a function or anything else that is not a spec; SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP and
   * SNOW_ERR_TOO_LARGE for the arguments; SNOW_ERR_NODE_NAME, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_STOPPED.
   * @example
   * const { pid } = await self.spawnOn('two@127.0.0.1:4002', worker, [], { link: true });
   */
  spawnOn<N, A extends readonly unknown[]>(
    node: string,
    spec: ActorSpec<N, A>,
    args: A,
    options: RemoteSpawnOptions = {},
  ): Promise<{ pid: Pid<N>; ref: Ref | undefined }> {
    if (this.isOver) return never();
    return forActor(this.runtime.spawns.spawn(this.cell, node, spec, args, options)) as Promise<never>;
  }

  private make(
    start: Startable,
    args: readonly unknown[],
    options: SpawnOptions | undefined,
    isHandler: boolean,
  ): { pid: Pid; ref: Ref | undefined } {
    const { runtime, cell } = this;
    if (!this.isOver) return runtime.spawner.spawn(cell, start, args, options, isHandler);
    return { pid: runtime.pidOf(runtime.table.nextId()), ref: runtime.newRef(cell.pid.local) };
  }
}
