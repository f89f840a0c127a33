import type { Runtime } from '../actor/runtime.ts';
import type { Startable } from '../actor/spec.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Cell } from '../kernel/cell.ts';
import { checkTimeout } from '../kernel/receive.ts';
import { Timer } from '../timers/index.ts';
import { spawnOn } from './spawner.ts';
import type { StartOptions, StartResult } from './start-result.ts';

/** Why a start is given up here, should the other node not do it. */
const TOO_LATE = Symbol('snowmesh.too-late');

/**
 * Starts an actor on another node, from what is exposed there, and waits until its init is done there (rules I1-I3, S5).
 *
 * The other node keeps the time, too: it kills a child whose init takes too long. When its answer does not come in time either,
 * the child is killed as soon as it is heard of.
 */
export async function startFar(
  runtime: Runtime,
  cell: Cell | null,
  what: Startable,
  args: readonly unknown[],
  options: StartOptions,
  node: string,
): Promise<StartResult> {
  const { timers } = runtime;
  const { name, link = false, monitor = false } = options;
  const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : checkTimeout(options.timeout);
  const controller = new AbortController();
  const timer = new Deadline(controller);
  try {
    const { signal } = controller;
    const started = spawnOn(runtime, cell, node, what, args, { link, monitor, signal }, { name, timeout });
    timers.start(timer, timeout);
    const { pid, ref } = await started;
    return { ok: true, pid: pid as never, ref };
  } catch (error) {
    if (error === TOO_LATE) return { ok: false, reason: 'timeout' };
    if (!(error instanceof SnowmeshError)) return { ok: false, reason: String(error) };
    const { code, details = {} } = error;
    if (details['ignore'] === true) return { ok: false, ignore: true };
    return { ok: false, reason: 'reason' in details ? details['reason'] : code };
  } finally {
    timers.cancel(timer);
  }
}

class Deadline extends Timer {
  private readonly controller: AbortController;

  constructor(controller: AbortController) {
    super();
    this.controller = controller;
  }

  fire(): void {
    this.controller.abort(TOO_LATE);
  }
}
