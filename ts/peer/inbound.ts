import type { InboundCalls } from '../call/index.ts';
import { type AnsweringNode, deliverSent, type ExitReason, type Kernel } from '../kernel/index.ts';
import { type LinkSignals, type MonitorSignals, receiveExit } from '../signal/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/**
 * Signals from other nodes for an actor of this node, given by its local id `to`. The `from` PIDs belong to the peer: the network layer
 * has checked them. Every method ignores ids that never existed, or answers `noproc`.
 */
export class Inbound {
  private readonly kernel: Kernel;
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  private readonly calls: InboundCalls;

  constructor(kernel: Kernel, links: LinkSignals, monitors: MonitorSignals, calls: InboundCalls) {
    this.kernel = kernel;
    this.links = links;
    this.monitors = monitors;
    this.calls = calls;
  }

  deliver(to: number, message: unknown): void {
    const cell = this.kernel.table.get(to);
    if (cell === undefined) this.kernel.deadLetters.count('noproc', `<0.${to}>`);
    else deliverSent(cell, message);
  }

  link(from: Pid, to: number): void {
    const { table, remote } = this.kernel;
    const cell = table.get(to);
    if (cell === undefined)
      remote.exit(table.pidOf(to), from, 'noproc'); // a link to a dead PID: one exit signal (C9)
    else this.links.linkedBy(cell, from);
  }

  unlink(from: Pid, to: number, id: number | bigint): void {
    const { table, remote } = this.kernel;
    const cell = table.get(to);
    if (cell !== undefined) this.links.unlinkedBy(cell, from);
    remote.unlinkAck(table.pidOf(to), from, id);
  }

  unlinkAck(from: Pid, to: number, id: number | bigint): void {
    const cell = this.kernel.table.get(to);
    if (cell !== undefined) this.links.acknowledged(cell, from, Number(id));
  }

  /** The exit signal of a link. */
  exit(from: Pid, to: number, reason: ExitReason): void {
    const cell = this.kernel.table.get(to);
    if (cell !== undefined) this.links.partnerExited(cell, from, reason);
  }

  /** `from` belongs to an incarnation of its node that has ended. */
  noPartner(from: Pid, to: number): void {
    const cell = this.kernel.table.get(to);
    if (cell !== undefined) this.links.partnerGone(cell, from);
  }

  /** An explicit exit signal. */
  exit2(from: Pid, to: number, reason: ExitReason): void {
    const cell = this.kernel.table.get(to);
    if (cell !== undefined) receiveExit(cell, from, reason, false);
  }

  monitor(from: Pid, ref: Ref, to: number): void {
    const { table, remote } = this.kernel;
    const cell = table.get(to);
    if (cell === undefined) remote.monitorExit(table.pidOf(to), from, ref, 'noproc');
    else this.monitors.watchedBy(cell, from, ref);
  }

  monitorNamed(from: Pid, ref: Ref, name: string): void {
    const { names, remote } = this.kernel;
    const pid = names.whereis(name);
    if (pid === undefined) remote.monitorExit(undefined, from, ref, 'noproc');
    else this.monitor(from, ref, pid.local);
  }

  /** A monitor fires: `from` says that its target has ended, or this node (`from` null) found no such actor. */
  monitorExit(from: AnsweringNode | null, to: number, ref: Ref, reason: ExitReason): void {
    const cell = this.kernel.table.get(to);
    if (cell !== undefined) this.monitors.fire(cell, from, ref, reason);
  }

  /** `bytes`: the encoded length of the request. */
  call(from: Pid, ref: Ref, ms: number, to: number, request: unknown, bytes = 0): void {
    this.calls.arrive(this.kernel.table.get(to), from, ref, ms, request, bytes);
  }

  callNamed(from: Pid, ref: Ref, ms: number, name: string, request: unknown, bytes = 0): void {
    const { names, table } = this.kernel;
    const pid = names.whereis(name);
    this.calls.arrive(pid && table.get(pid.local), from, ref, ms, request, bytes);
  }
}
