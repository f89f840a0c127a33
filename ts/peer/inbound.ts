// Signals from other nodes.

import type { Runtime } from '../actor/runtime.ts';
import { callFromAfar, stopFromAfar } from '../call/inbound-calls.ts';
import { answered } from '../call/replies.ts';
import { deliver } from '../kernel/delivery.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { type AnsweringNode, type CallRequest, ReplyStatus, SpawnStatus } from '../kernel/remote-port.ts';
import { STOP_TAG } from '../kernel/stop-request.ts';
import { Down } from '../kernel/system-message.ts';
import { Chain, Monitor } from '../link/index.ts';
import { fanOut } from '../send/fan-out.ts';
import { deliverAlias, deliverNamed } from '../send/sender.ts';
import { fireMonitor, signalExit } from '../signal/signals.ts';
import { InboundSpawns, type SpawnOrder } from '../spawn/inbound-spawns.ts';
import type { PendingSpawn } from '../spawn/spawner.ts';
import { Pid, type Ref } from '../term/index.ts';
import { type NodeLoss, NodeLosses } from './node-losses.ts';

/**
 * Signals from other nodes. `to` is the local id of our actor; `from` PIDs are remote and proven to belong to the peer
 * (their `nc` is the peer's). Every method is safe for ids that never existed.
 */
export class Inbound {
  private readonly runtime: Runtime;
  private readonly spawns: InboundSpawns;
  private readonly losses: NodeLosses;

  /** @internal */
  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.spawns = new InboundSpawns(runtime);
    this.losses = new NodeLosses(runtime, this.spawns);
  }

  deliver(to: number, message: unknown): void {
    const cell = this.runtime.table.get(to);
    if (cell === undefined) this.runtime.deadLetters.count('noproc', `<0.${to}>`);
    else deliver(cell, message);
  }

  /** To many actors of this node at once; `isOurs`: nobody else holds the message. O(actors). Throws SNOW_ERR_UNSENDABLE. */
  deliverAll(to: readonly Pid[], message: unknown, isOurs: boolean): void {
    fanOut(this.runtime, to, message, isOurs);
  }

  deliverNamed(name: string, message: unknown): void {
    deliverNamed(this.runtime, name, message);
  }

  aliasSend(alias: Ref, message: unknown): void {
    deliverAlias(this.runtime, alias, message);
  }

  link(from: Pid, to: number): void {
    const { runtime } = this;
    const cell = runtime.table.get(to);
    if (cell === undefined) return runtime.remote.exit(runtime.table.pidOf(to), from, 'noproc'); // C9
    const made = cell.links().linkedBy(from);
    if (made !== undefined) runtime.remoteLinks.add(from.nc, made);
  }

  unlink(from: Pid, to: number, id: number | bigint): void {
    const { runtime } = this;
    const made = runtime.table.get(to)?.extra?.links?.unlinkedBy(from);
    if (made !== undefined) runtime.remoteLinks.remove(from.nc, made);
    runtime.remote.unlinkAck(runtime.table.pidOf(to), from, Number(id));
  }

  unlinkAck(from: Pid, to: number, id: number | bigint): void {
    const made = this.runtime.table.get(to)?.extra?.links?.acknowledged(from, Number(id));
    if (made !== undefined) this.runtime.remoteLinks.remove(from.nc, made);
  }

  exit(from: Pid, to: number, reason: ExitReason): void {
    const cell = this.runtime.table.get(to);
    const made = cell?.extra?.links?.broke(from);
    if (cell === undefined || made === undefined) return;
    this.runtime.remoteLinks.remove(from.nc, made);
    signalExit(cell, from, reason, true);
  }

  /** `from` is of an incarnation that is over: nothing of a link to it stays, not even an unlink without its acknowledgement. */
  noPartner(from: Pid, to: number): void {
    const cell = this.runtime.table.get(to);
    const made = cell?.extra?.links?.remove(from);
    if (cell === undefined || made === undefined) return;
    this.runtime.remoteLinks.remove(from.nc, made);
    if (made.isActive) signalExit(cell, from, 'noproc', true); // C10
  }

  exit2(from: Pid, to: number, reason: ExitReason): void {
    const cell = this.runtime.table.get(to);
    if (cell !== undefined) signalExit(cell, from, reason, false);
  }

  monitor(from: Pid, ref: Ref, to: number): void {
    const { runtime } = this;
    const cell = runtime.table.get(to);
    const pid = runtime.table.pidOf(to);
    if (cell === undefined) return runtime.remote.monitorExit(pid, from, ref, 'noproc');
    const made = new Monitor(ref, from, pid);
    if (!runtime.remoteWatchers.add(made)) return;
    const more = cell.more();
    more.watchers ??= new Chain();
    more.watchers.add(made);
  }

  monitorNamed(from: Pid, ref: Ref, name: string): void {
    const pid = this.runtime.names.whereis(name);
    if (pid === undefined) this.runtime.remote.monitorExit(undefined, from, ref, 'noproc');
    else this.monitor(from, ref, pid.local);
  }

  demonitor(from: Pid, ref: Ref): void {
    const made = this.runtime.remoteWatchers.take(from, ref);
    if (made?.chain) (made.chain as unknown as Chain<Monitor>).remove(made);
  }

  /** `from` says that a monitored actor has ended; null: this node found that there is none. */
  monitorExit(from: AnsweringNode | null, to: number, ref: Ref, reason: ExitReason): void {
    const cell = this.runtime.table.get(to);
    if (cell === undefined) return;
    if (from !== null && !isFrom(from, cell.extra?.watches?.nodeOf(ref)))
      return this.runtime.deadLetters.count('unasked', ref);
    fireMonitor(cell, ref, reason);
  }

  spawn(order: SpawnOrder): void {
    this.spawns.order(order);
  }

  spawnReply(to: number, request: Ref, status: SpawnStatus, child: Pid, detail: unknown): void {
    const { runtime } = this;
    const pending = runtime.spawns.get(request.id);
    if (pending === undefined || (pending.cell?.pid ?? runtime.root).local !== to) return;
    if (runtime.nodeOf(child) !== pending.node) return; // nobody answers for another node
    if (status === SpawnStatus.ok) {
      if (pending.cell?.isDead === true) this.disown(pending, child, 'noproc');
      else if (pending.isAbandoned) this.disown(pending, child, 'abandoned');
      else this.adopt(pending, child);
    } else if (pending.isStart && child.local !== 0) this.tellOfEnd(pending, child, status, detail);
    pending.settle(status, child, detail);
  }

  spawnAck(from: Pid, to: number): void {
    this.spawns.confirmed(from, to);
  }

  /** The child is linked to and watched by its parent there; now also here. */
  private adopt({ cell, link, monitor, isStart }: PendingSpawn, child: Pid): void {
    const { runtime } = this;
    if (isStart) runtime.remote.spawnAck(cell?.pid ?? runtime.root, child);
    if (cell === null) return;
    if (link) {
      const made = cell.links().linkedBy(child);
      if (made !== undefined) runtime.remoteLinks.add(child.nc, made);
    }
    if (monitor === undefined) return;
    const watch = new Monitor(monitor, cell.pid, child);
    cell.watches().add(watch);
    runtime.remoteMonitors.add(watch.node, watch);
  }

  /** Nobody waits for this child any more: a linked one goes (N4, N6), another runs on, unwatched. A start leaves nothing (I3). */
  private disown({ cell, link, monitor, isStart }: PendingSpawn, child: Pid, reason: ExitReason): void {
    const { remote } = this.runtime;
    if (cell === null) return remote.exit2(null, child, 'kill'); // only starts come from outside of actors
    if (monitor !== undefined) remote.demonitor(cell.pid, monitor, child);
    if (isStart) remote.exit2(cell.pid, child, 'kill');
    else if (link) remote.exit(cell.pid, child, reason);
  }

  /** A start that failed: as of one here, its parent hears of the end (I2), but not of one that took too long (I3). */
  private tellOfEnd(pending: PendingSpawn, child: Pid, status: SpawnStatus, detail: ExitReason): void {
    const { cell, link, monitor } = pending;
    if (cell === null) return;
    const isTooLate = status === SpawnStatus.timedOut || pending.isAbandoned;
    const reason = isTooLate ? 'killed' : status === SpawnStatus.ignored ? 'normal' : detail;
    if (link && !isTooLate) signalExit(cell, child, reason, true);
    if (monitor !== undefined && !cell.isDead) deliver(cell, new Down(monitor, child, reason));
  }

  call(from: Pid, ref: Ref, ms: number, to: number, request: CallRequest): void {
    const cell = this.runtime.table.get(to);
    if (cell === undefined) return this.runtime.remote.reply(null, ref, ReplyStatus.noproc, undefined);
    if (!isRequest(request)) return this.runtime.remote.reply(null, ref, ReplyStatus.unknown, undefined);
    if (request[0] === STOP_TAG) stopFromAfar(cell, ref, ms, request[1][0]);
    else callFromAfar(cell, from, ref, ms, request);
  }

  callNamed(from: Pid, ref: Ref, ms: number, name: string, request: CallRequest): void {
    const pid = this.runtime.names.whereis(name);
    if (pid === undefined) this.runtime.remote.reply(null, ref, ReplyStatus.noproc, undefined);
    else this.call(from, ref, ms, pid.local, request);
  }

  /** `from` answers a call; null: this node found that the call cannot be made. */
  reply(from: AnsweringNode | null, ref: Ref, status: ReplyStatus, value: unknown): void {
    const pending = this.runtime.calls.get(ref.id);
    const isAsked = from === null || (pending?.address.equals(ref) && isFrom(from, pending.node));
    if (pending !== undefined && !isAsked) return this.runtime.deadLetters.count('unasked', ref);
    answered(this.runtime, ref, status, value);
  }

  /** See {@link NodeLosses.begin}. */
  nodeLost(nc: number, name: string): NodeLoss {
    return this.losses.begin(nc, name);
  }

  /** Whether a loss has not come to its end. */
  get isLosing(): boolean {
    return this.losses.isUnderWay;
  }

  /** Lets every loss come to its end now: what comes next is of a new session. O(ties left). */
  endLosses(): void {
    this.losses.endAll();
  }
}

/** Whether `asked`, a node number or a name, is that node. */
function isFrom({ nc, name }: AnsweringNode, asked: number | string | undefined): boolean {
  return asked === nc || asked === name;
}

/** A peer may send any term as a request. */
function isRequest(request: unknown): request is CallRequest {
  return (
    Array.isArray(request) &&
    typeof request[0] === 'string' &&
    Array.isArray(request[1]) &&
    Array.isArray(request[2]) &&
    request[2].every((waiting) => waiting instanceof Pid)
  );
}
