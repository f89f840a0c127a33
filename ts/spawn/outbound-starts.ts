import type { RingSearch } from '../call/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import {
  after,
  type Cell,
  checkTimeout,
  type Kernel,
  type Program,
  type RemoteWait,
} from '../kernel/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { OutboundSpawns } from './outbound-spawns.ts';
import type { StartOptions, StartResult } from './spawn-options.ts';

/** The abort reason of a start that got no reply in time. */
const TOO_LATE = Symbol('snowmesh.too-late');

/** The abort reason of a start that is part of a ring of waiting actors. */
class Ring {
  readonly pids: readonly Pid[];

  constructor(pids: readonly Pid[]) {
    this.pids = pids;
  }
}

/** Starts on other nodes: spawns whose reply comes when the init is done. */
export class OutboundStarts {
  private readonly kernel: Kernel;
  private readonly spawns: OutboundSpawns;
  private readonly rings: RingSearch;

  constructor(kernel: Kernel, spawns: OutboundSpawns, rings: RingSearch) {
    this.kernel = kernel;
    this.spawns = spawns;
    this.rings = rings;
  }

  /**
   * Starts on another node what is exposed there under the name of `what`, and waits until its init is done.
   *
   * Both nodes measure the timeout. The other node kills a child whose init takes too long. If the reply is late, this node kills the
   * child when it comes.
   */
  async start(
    cell: Cell | null,
    what: Program,
    args: readonly unknown[],
    options: StartOptions,
    node: string,
  ): Promise<StartResult> {
    const { name, link = false, monitor = false } = options;
    const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
    const controller = new AbortController();
    const { signal } = controller;
    let cancel: (() => void) | undefined;
    let wait: RemoteWait | undefined;
    let ref: Ref | undefined; // of the monitor
    const over = (): void => {
      cancel?.();
      if (wait === undefined) return;
      cell?.extra?.remoteStarts?.delete(wait);
      this.rings.forgetStart(wait);
    };
    const forget = cell?.onDeath(over); // the promise of a dead actor stays pending (A7)
    const began = (address: Ref, where: string, watch: Ref | undefined): void => {
      ref = watch;
      if (cell !== null) wait = this.wait(cell, address, where, (ring) => controller.abort(new Ring(ring)));
    };
    try {
      const started = this.spawns.spawn(
        cell,
        node,
        what,
        args,
        { link, monitor, signal },
        { name, timeout, began },
      );
      cancel = after(this.kernel, timeout, () => controller.abort(TOO_LATE));
      const { pid } = await started;
      return { ok: true, pid: pid as never, ref };
    } catch (error) {
      if (error === TOO_LATE) return { ok: false, reason: 'timeout', ref };
      if (error instanceof Ring) return { ok: false, reason: { cycle: error.pids }, ref };
      if (!(error instanceof SnowmeshError)) return { ok: false, reason: String(error) };
      const { code, details = {} } = error;
      const told = details['ref'] as Ref | undefined;
      if (details['ignore'] === true) return { ok: false, ignore: true, ref: told };
      return { ok: false, reason: 'reason' in details ? details['reason'] : code, ref: told };
    } finally {
      forget?.();
      over();
    }
  }

  /** Records that an actor waits for a start. */
  private wait(caller: Cell, address: Ref, node: string, closesRing: RemoteWait['closesRing']): RemoteWait {
    const started = this.kernel.now();
    const wait: RemoteWait = { caller, address, node, to: undefined, started, probedAgeMs: 0, closesRing };
    const more = caller.more();
    more.remoteStarts ??= new Set();
    more.remoteStarts.add(wait);
    this.rings.watchStart(wait);
    return wait;
  }
}
