import { actorSpawn } from '../diagnostics/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import {
  after,
  ancestorsOf,
  type Birth,
  begin,
  Cell,
  checkTimeout,
  DEAD,
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

/** A new actor. `ref`: of the monitor that was asked for. */
export interface Spawned {
  readonly pid: Pid;
  readonly ref: Ref | undefined;
  readonly cell: Cell;
}

/** Makes the actors of this runtime. Owns the programs that other nodes may spawn by name. */
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

  /** Lets other nodes spawn a program by its name; the latest of a name counts. */
  expose(program: Exclude<Program, (...args: never[]) => unknown>): void {
    if (!isSpec(program)) throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE');
    this.exposed.set(program.name, program);
  }

  /** The program that other nodes spawn under `name`. */
  exposedAs(name: string): Program | undefined {
    return this.exposed.get(name);
  }

  /**
   * Makes an actor; it runs soon (A1).
   *
   * @param parent The spawning actor; null: code outside of actors, or `farParent`, an actor of another node.
   * @throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_STOPPED, SNOW_ERR_NOT_SPAWNABLE, SNOW_ERR_BAD_OPTION.
   */
  spawn(
    parent: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: SpawnOptions | undefined,
    isHandler: boolean,
    farParent?: Pid,
  ): Spawned {
    const { kernel } = this;
    if (kernel.isStopped) throw new SnowmeshError('SNOW_ERR_STOPPED');
    if (typeof what !== 'function' && !isSpec(what)) throw new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE');
    const parentPid = parent?.pid ?? farParent ?? kernel.root;
    const cell = createCell(kernel, parentPid, { what, isHandler, args }, options);
    // Stored only where Extras is likely allocated already; otherwise crash reports walk the living parents.
    if (parent !== null && (parent.extra !== null || options !== undefined))
      cell.more().ancestors = ancestorsOf(parent);
    // The code that spawns for another node is the runtime's: whatever store it runs in is none of the actor's.
    const store = farParent === undefined ? currentStore() : null;
    if (store !== null) {
      cell.flags |= IN_STORE;
      cell.more().store = store;
    }
    let ref: Ref | undefined;
    if (options?.link === true && parent !== null) this.links.link(parent, cell.pid);
    if (options?.monitor === true && parent !== null) {
      ref = kernel.newRef(parent.pid.local);
      parent.mailbox?.mark(ref); // no message in the mailbox carries it yet (B6)
      this.monitors.monitor(parent, cell.pid, ref);
    }
    if (kernel.tracing !== null) kernel.tracing.spawned(parent, cell, farParent !== undefined);
    wake(cell);
    return { pid: cell.pid, ref, cell };
  }

  /** {@link spawn} with options that a user gave. `parent` null: code outside of actors. */
  spawnWith(parent: Cell | null, what: Program, args: readonly unknown[], options: SpawnOptions): Spawned {
    checkSpawnOptions('spawnWith', options, parent !== null);
    return this.spawn(parent, what, args, options, false);
  }

  /** Spawns, and waits until the init is done. The result comes at once when there is nothing to wait for. */
  start(
    parent: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: StartOptions,
  ): StartResult | Promise<StartResult> {
    const limit = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
    let spawned: Spawned;
    try {
      spawned = this.spawn(parent, what, args, options, false);
    } catch (error) {
      if (error instanceof SnowmeshError && error.code === 'SNOW_ERR_NAME_TAKEN') {
        return { ok: false, reason: { alreadyStarted: error.details?.['holder'] } };
      }
      throw error;
    }
    const { pid, ref, cell } = spawned;
    if (!waitsForInit(what)) return { ok: true, pid: pid as never, ref };
    let result: StartResult | undefined;
    let tell = (made: StartResult): void => {
      result = made;
    };
    cell.more().starter = {
      ready: () => tell({ ok: true, pid: pid as never, ref }),
      ignored: () => tell({ ok: false, ignore: true, ref }),
      failed: (reason) => tell({ ok: false, reason, ref }),
    };
    const waits = parent?.more();
    if (waits !== undefined) (waits.starts ??= new Set()).add(cell);
    if (typeof what !== 'function' && what.kind === 'handler') beginNow(cell, waits);
    if (result !== undefined) {
      waits?.starts?.delete(cell);
      return result;
    }
    return new Promise((settle) => {
      const resolve = (made: StartResult): void => {
        waits?.starts?.delete(cell);
        if (parent?.isDead !== true) settle(made); // nothing resumes a dead actor (A7)
      };
      const cancel = after(this.kernel, limit, () => {
        tell = resolve;
        if (parent !== null) this.abandon(parent, spawned, options);
        cell.more().starter = null;
        terminate(cell, 'killed');
        resolve({ ok: false, reason: 'timeout', ref });
      });
      tell = (made) => {
        cancel();
        resolve(made);
      };
    });
  }

  /** No exit signal of a child that never started reaches its parent (I3); a monitor that was asked for still says `killed`. */
  private abandon(parent: Cell, { pid, ref }: Spawned, options: StartOptions): void {
    this.links.unlink(parent, pid);
    if (ref !== undefined && options.monitor !== true) this.monitors.demonitor(parent, ref);
  }
}

function isSpec(what: Program): boolean {
  return typeof what === 'object' && what !== null && (what.kind === 'function' || what.kind === 'handler');
}

/** Runs the init on the stack of the actor that starts it, which waits for it although its own code has not returned. */
function beginNow(cell: Cell, waits: Cell['extra'] | undefined): void {
  if (waits == null) return begin(cell);
  const wasStarting = waits.isStarting;
  waits.isStarting = true;
  begin(cell);
  waits.isStarting = wasStarting;
}

/** Makes the control block of a new actor; it runs when `wake` gives it a turn. */
function createCell(kernel: Kernel, parent: Pid, birth: Birth, options: SpawnOptions | undefined): Cell {
  const gate = options?.mailbox === undefined ? null : new MailboxGate(options.mailbox);
  const local = kernel.table.nextId();
  const label = options?.label ?? (birth.what.name || 'anonymous');
  const cell = new Cell(kernel, local, parent, label, birth);
  kernel.table.add(local, cell);
  if (options === undefined) return announced(cell);
  if (options.trapExit === true) cell.flags |= TRAPS;
  if (gate !== null) {
    cell.flags |= LIMITED;
    cell.more().gate = gate;
  }
  if (options.name !== undefined) {
    try {
      kernel.names.register(options.name, cell.pid);
    } catch (error) {
      cell.flags |= DEAD;
      cell.pid.route = undefined;
      kernel.table.remove(local);
      throw error;
    }
  }
  return announced(cell);
}

function announced(cell: Cell): Cell {
  if (actorSpawn.hasSubscribers) {
    const { kernel: runtime, pid, label, parent } = cell;
    actorSpawn.publish({ runtime, pid, label, parent });
  }
  return cell;
}
