import { actorSpawn } from '../diagnostics/index.ts';
import { kindOf, SnowmeshError } from '../errors/index.ts';
import {
  after,
  ancestorsOf,
  type Birth,
  begin,
  type Cell,
  checkTimeout,
  IN_STORE,
  type Kernel,
  LIMITED,
  MailboxGate,
  type Program,
  TRAPS,
  terminate,
  waitsForInit,
  wake,
} from '../kernel/index.ts';
import { currentStore } from '../scheduler/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import {
  checkSpawnOptions,
  type SpawnOptions,
  type StartOptions,
  type StartResult,
} from './spawn-options.ts';

/** A new actor. `ref`: the reference of its monitor, with the option `monitor`. */
export interface Spawned {
  readonly pid: Pid;
  readonly ref: Ref | undefined;
  readonly cell: Cell;
}

/** Makes the actors of this runtime. Owns the programs that other nodes can spawn by name. */
export class Spawner {
  private readonly kernel: Kernel;
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  private readonly exposed: Map<string, Program> = new Map();

  constructor(kernel: Kernel, links: LinkSignals, monitors: MonitorSignals) {
    this.kernel = kernel;
    this.links = links;
    this.monitors = monitors;
  }

  /** Lets other nodes spawn a program by its name. Replaces an earlier program of the same name. */
  expose(program: Exclude<Program, (...args: never[]) => unknown>): void {
    if (!isSpec(program)) throw notSpawnable('a spec is exposed', program);
    this.exposed.set(program.name, program);
  }

  /** The program that is exposed under `name`. */
  exposedAs(name: string): Program | undefined {
    return this.exposed.get(name);
  }

  /** Makes an actor and queues it for its first turn (A1). Throws what {@link make} throws. */
  spawn(
    parent: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: SpawnOptions | undefined,
    isHandler: boolean,
  ): Spawned {
    const spawned = this.make(parent, what, args, options, isHandler);
    this.launch(spawned.cell);
    return spawned;
  }

  /**
   * Makes an actor, which {@link launch} then starts.
   *
   * @param parent The spawning actor; null: code outside of actors, or an actor of another node, which is `remoteParent`.
   * @throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_STOPPED, SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_BAD_OPTION.
   */
  make(
    parent: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: SpawnOptions | undefined,
    isHandler: boolean,
    remoteParent?: Pid,
  ): Spawned {
    const { kernel } = this;
    if (kernel.isStopped) throw new SnowmeshError('SNOW_ERR_STOPPED');
    if (typeof what !== 'function' && !isSpec(what))
      throw notSpawnable('an actor function or a spec is spawned', what);
    const parentPid = parent?.pid ?? remoteParent ?? kernel.root;
    const cell = createCell(kernel, parentPid, { what, isHandler, args }, options);
    // Stored only if Extras is probably allocated anyway; otherwise crash reports walk up the living parents.
    if (parent !== null && (parent.extra !== null || options !== undefined))
      cell.more().ancestors = ancestorsOf(parent);
    // A spawn for another node runs in the runtime's code, whose stores must not become the actor's.
    const store = remoteParent === undefined ? currentStore() : null;
    if (store !== null) {
      cell.flags |= IN_STORE;
      cell.more().store = store;
    }
    let ref: Ref | undefined;
    if (options?.link === true && parent !== null) this.links.link(parent, cell.pid);
    if (options?.monitor === true && parent !== null) {
      ref = kernel.newRef(parent.pid.local);
      parent.mailbox?.mark(ref); // no message in the mailbox can contain the new reference (B6)
      this.monitors.monitor(parent, cell.pid, ref);
    }
    if (kernel.tracing !== null) kernel.tracing.spawned(parent, cell, remoteParent !== undefined);
    return { pid: cell.pid, ref, cell };
  }

  /** Tells the subscribers of a new actor, and queues it. They may end it at once, so who waits for it must be known before. */
  launch(cell: Cell): void {
    if (actorSpawn.hasSubscribers) {
      const { kernel: runtime, pid, label, parent } = cell;
      actorSpawn.publish({ runtime, pid, label, parent });
    }
    wake(cell);
  }

  /** {@link spawn} with options of user code. `parent` null: code outside of actors. */
  spawnWith(parent: Cell | null, what: Program, args: readonly unknown[], options: SpawnOptions): Spawned {
    checkSpawnOptions('spawnWith', options, parent !== null);
    return this.spawn(parent, what, args, options, false);
  }

  /** Spawns an actor and waits until its init is done. Returns no promise if the outcome is known at once. */
  start(
    parent: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: StartOptions,
  ): StartResult | Promise<StartResult> {
    const limit = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
    let spawned: Spawned;
    try {
      spawned = this.make(parent, what, args, options, false);
    } catch (error) {
      if (error instanceof SnowmeshError && error.code === 'SNOW_ERR_NAME_TAKEN') {
        return { ok: false, reason: { alreadyStarted: error.details?.['holder'] } };
      }
      throw error;
    }
    const { pid, ref, cell } = spawned;
    if (!waitsForInit(what)) {
      this.launch(cell);
      return { ok: true, pid: pid as never, ref };
    }
    let result: StartResult | undefined;
    let report = (made: StartResult): void => {
      result = made;
    };
    cell.more().starter = {
      ready: () => report({ ok: true, pid: pid as never, ref }),
      ignored: () => report({ ok: false, ignore: true, ref }),
      failed: (reason) => report({ ok: false, reason, ref }),
    };
    const waits = parent?.more();
    if (waits !== undefined) (waits.starts ??= new Set()).add(cell);
    this.launch(cell);
    if (!cell.isDead && typeof what !== 'function' && what.kind === 'handler') beginNow(cell, waits);
    if (result !== undefined) {
      waits?.starts?.delete(cell);
      return result;
    }
    return new Promise((settle) => {
      const resolve = (made: StartResult): void => {
        waits?.starts?.delete(cell);
        if (parent?.isDead !== true) settle(made); // the promise of a dead actor stays pending (A7)
      };
      const cancel = after(this.kernel, limit, () => {
        if (parent !== null) this.links.unlink(parent, pid); // it gets no exit signal (I3); a monitor still fires, with `killed`
        cell.more().starter = null;
        terminate(cell, 'killed');
        resolve({ ok: false, reason: 'timeout', ref });
      });
      report = (made) => {
        cancel();
        resolve(made);
      };
    });
  }
}

/** @param wanted what is taken, as a sentence. */
function notSpawnable(wanted: string, given: unknown): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', `Only ${wanted}, not ${kindOf(given)}.`);
}

function isSpec(what: Program): boolean {
  return typeof what === 'object' && what !== null && (what.kind === 'function' || what.kind === 'handler');
}

/** Runs the init on the stack of the starting actor, and marks that actor as waiting: its code has not returned, but it cannot receive. */
function beginNow(cell: Cell, waits: Cell['extra'] | undefined): void {
  if (waits == null) return begin(cell);
  const wasStarting = waits.isStarting;
  waits.isStarting = true;
  begin(cell);
  waits.isStarting = wasStarting;
}

/** Makes the control block of a new actor. {@link wake} then queues it for its first turn. */
function createCell(kernel: Kernel, parent: Pid, birth: Birth, options: SpawnOptions | undefined): Cell {
  const gate = options?.mailbox === undefined ? null : new MailboxGate(options.mailbox);
  const local = kernel.table.nextId();
  const label = options?.label ?? (birth.what.name || 'anonymous');
  const cell = kernel.newCell(local, parent, label, birth);
  if (options?.name !== undefined) kernel.names.register(options.name, cell.pid); // it may throw: then nothing is left of the actor
  kernel.table.add(local, cell);
  if (options === undefined) return cell;
  if (options.trapExit === true) cell.flags |= TRAPS;
  if (gate !== null) {
    cell.flags |= LIMITED;
    cell.more().gate = gate;
  }
  return cell;
}
