// Spawns and starts that other nodes ask for.

import type { Runtime } from '../actor/runtime.ts';
import { type ActorSpec, waitsForInit } from '../actor/spec.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Cell } from '../kernel/cell.ts';
import { takeStarter, terminate } from '../kernel/death.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { sendReason } from '../kernel/far-reason.ts';
import { SpawnStatus } from '../kernel/remote-port.ts';
import type { Pid, Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { spawn } from './spawner.ts';

const LINK = 1;
const MONITOR = 2;
const START = 4;

/** What a SPAWN asks for. */
export interface SpawnOrder {
  readonly from: Pid;
  readonly request: Ref;
  readonly flags: number;
  /** The reference of the monitor, when the flags ask for one. */
  readonly monitor: Ref;
  readonly function: string;
  /** The arguments; of a start `[arguments, name | null, ms | null]`. From a peer: anything. */
  readonly term: unknown;
}

interface Birth {
  readonly args: readonly unknown[];
  readonly name?: string;
  /** ms for its init; undefined: it is not waited for. */
  readonly limit: number | undefined;
}

/** Makes actors for other nodes, and answers each request once. A peer's orders never throw. */
export class InboundSpawns {
  private readonly runtime: Runtime;
  /** Actors that were started and whose starter has not said yet that it knows of them. */
  private readonly unconfirmed = new Map<Cell, { from: Pid; forget: () => void }>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  order(order: SpawnOrder): void {
    const spec = this.runtime.exposed.get(order.function);
    if (spec === undefined) return this.reply(order, SpawnStatus.unknownFunction, order.function);
    const birth = birthOf(order);
    if (birth === undefined) return this.reply(order, SpawnStatus.failed, 'bad_arguments');
    try {
      this.make(order, spec, birth);
    } catch (error) {
      this.reply(order, SpawnStatus.failed, refusal(error, birth));
    }
  }

  /** The starter knows of its child: that is now a process like any other. */
  confirmed(from: Pid, to: number): void {
    const cell = this.runtime.table.get(to);
    const start = cell && this.unconfirmed.get(cell);
    if (cell === undefined || start === undefined || !start.from.equals(from)) return;
    this.unconfirmed.delete(cell);
    start.forget();
  }

  /** Whoever waits on a lost node may never hear of its child: one it has not confirmed goes (I3, S3). O(starts under way). */
  nodeLost(nc: number): void {
    for (const [cell, { from }] of this.unconfirmed) if (from.nc === nc) terminate(cell, 'killed');
  }

  private make(order: SpawnOrder, spec: ActorSpec, { args, name, limit }: Birth): void {
    const { runtime } = this;
    const { from, flags, monitor } = order;
    const options = name === undefined ? undefined : { name };
    const { pid, cell } = spawn(runtime, null, spec, args, options, false, from);
    if ((flags & LINK) !== 0) runtime.inbound.link(from, pid.local);
    if ((flags & MONITOR) !== 0) runtime.inbound.monitor(from, monitor, pid.local);
    if (limit !== undefined) {
      const forget = runtime.onDeath(pid, () => void this.unconfirmed.delete(cell));
      this.unconfirmed.set(cell, { from, forget });
    }
    // The reply goes before anything of the child (N5), but what its init sends.
    if (limit !== undefined && waitsForInit(spec)) this.awaitInit(order, cell, limit);
    else this.reply(order, SpawnStatus.ok, undefined, pid);
  }

  private awaitInit(order: SpawnOrder, cell: Cell, limit: number): void {
    const { runtime } = this;
    const over = (status: SpawnStatus, detail?: unknown): void => {
      runtime.timers.cancel(timer);
      this.reply(order, status, detail, cell.pid);
    };
    const timer = new InitTimer(() => {
      takeStarter(cell);
      terminate(cell, 'killed');
      over(SpawnStatus.timedOut);
    });
    cell.more().starter = {
      ready: () => over(SpawnStatus.ok),
      ignored: () => over(SpawnStatus.ignored),
      failed: (reason) => over(SpawnStatus.failed, reason),
    };
    runtime.timers.start(timer, limit);
  }

  private reply({ from, request }: SpawnOrder, status: SpawnStatus, detail: ExitReason, child?: Pid): void {
    const { remote } = this.runtime;
    sendReason((reason) => remote.spawnReply(child, from, request, status, reason), detail);
  }
}

class InitTimer extends Timer {
  private readonly act: () => void;

  constructor(act: () => void) {
    super();
    this.act = act;
  }

  fire(): void {
    this.act();
  }
}

function birthOf({ flags, term }: SpawnOrder): Birth | undefined {
  if (!Array.isArray(term)) return undefined;
  if ((flags & START) === 0) return { args: term, limit: undefined };
  const [args, name, ms] = term as unknown[];
  if (!Array.isArray(args) || (name !== null && typeof name !== 'string')) return undefined;
  if (ms !== null && !(Number.isSafeInteger(ms) && (ms as number) >= 0)) return undefined;
  return {
    args,
    limit: (ms as number | null) ?? Number.POSITIVE_INFINITY,
    ...(name === null ? undefined : { name }),
  };
}

function refusal(error: unknown, { limit }: Birth): ExitReason {
  if (limit === undefined || !(error instanceof SnowmeshError)) return String(error);
  return error.code === 'SNOW_ERR_NAME_TAKEN' ? { alreadyStarted: error.details?.['holder'] } : error.code;
}
