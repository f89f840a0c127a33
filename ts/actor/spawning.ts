import { inspect } from 'node:util';
import type { Cell } from '../kernel/index.ts';
import { checkSpawnOptions, type RemoteSpawnOptions, type SpawnOptions } from '../spawn/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Runtime } from './runtime.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';

/** The part of an actor's `self` that starts other actors. */
export class Spawning {
  /** @internal */
  readonly cell: Cell;

  /** @internal */
  constructor(cell: Cell) {
    this.cell = cell;
  }

  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    const { pid, label, parent, mailbox, isDead } = this.cell;
    const waiting = isDead ? 'dead' : `mailbox: ${mailbox === null ? 0 : mailbox.size}`;
    return `Self { ${pid}, label: ${inspect(label)}, parent: ${parent}, ${waiting} }`;
  }

  /** All actors of this node. */
  get runtime(): Runtime {
    // Runtime is the only Kernel, and the one that made this.
    return this.cell.kernel as Runtime;
  }

  /**
   * Starts an actor: a function over a mailbox, or what `defineActor`, `defineServer`, … made. No ties. O(1).
   *
   * @returns Its PID, at once; its code runs later.
   * @param args What it gets after its `self`: as they are, not copied, so that functions can be handed over, too.
   * @throws SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_STOPPED.
   * @example
   * const pid = self.spawn(async (child) => console.log(await child.receive()));
   */
  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.make(start, args, undefined, false).pid as Pid<never> as Pid<N>;
  }

  /** Spawns and links in one step. */
  spawnLink<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N> {
    return this.make(start, args, { link: true }, false).pid as Pid<never> as Pid<N>;
  }

  /** Spawns and monitors in one step. */
  spawnMonitor<N, A extends readonly unknown[]>(
    start: Startable<N, A>,
    ...args: A
  ): { pid: Pid<N>; ref: Ref } {
    const { pid, ref } = this.make(start, args, { monitor: true }, false);
    return { pid: pid as Pid<never> as Pid<N>, ref: ref as Ref };
  }

  /** Starts an actor that is called once per message instead of awaiting them: several times faster and smaller. */
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N> {
    return this.make(init as never, args, undefined, true).pid as Pid<never> as Pid<N>;
  }

  /**
   * `spawn` with {@link SpawnOptions}.
   *
   * @returns Its PID; with the option `monitor` its PID and the reference of the monitor.
   * @throws As `spawn`, and SNOW_ERR_NAME_TAKEN, SNOW_ERR_BAD_OPTION; then nothing is started.
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
   * Spawns on another node what is exposed there under the name of `spec`; linked and monitored from its first moment.
   *
   * @param node Full name of the node; our own is fine.
   * @param args What the actor gets; copied like a message.
   * @param options `link`, `monitor`; `signal`: gives up and rejects with its reason - a linked child then ends with
   * `abandoned`, another one runs on.
   * @returns The child's PID, and the reference of its monitor. Nothing of the child comes before.
   * @throws (as a rejection, always) SNOW_ERR_SPAWN (details.reason: noconnection, unknown_function, or why its start failed),
   * SNOW_ERR_NOT_SPAWNABLE for a bare function or what is no spec, SNOW_ERR_UNSENDABLE and SNOW_ERR_TOO_LARGE for the arguments,
   * SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_STOPPED.
   */
  spawnOn<N, A extends readonly unknown[]>(
    node: string,
    spec: ActorSpec<N, A>,
    args: A,
    options: RemoteSpawnOptions = {},
  ): Promise<{ pid: Pid<N>; ref: Ref | undefined }> {
    if (this.isOver) return never();
    return this.runtime.spawns.spawn(this.cell, node, spec, args, options) as Promise<never>;
  }

  /** @internal Nothing that its code still does has an effect. */
  get isOver(): boolean {
    return this.cell.isOver;
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

/** The promise of a dead actor: nothing resumes it. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
