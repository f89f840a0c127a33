import {
  type AnsweringNode,
  type Cell,
  cellOf,
  Down,
  deliver,
  type ExitReason,
  type Extras,
  isFrom,
  type Kernel,
  type NodeAddress,
  ownCell,
  sendReason,
} from '../kernel/index.ts';
import { Chain, Monitor, NodeIndex, RemoteWatchers, type Watches } from '../link/index.ts';
import { Pid, type Ref } from '../term/index.ts';

/** Monitors, here and with other nodes. Owns the index of remote monitors by node, and the monitors of actors here by other nodes. */
export class MonitorSignals {
  private readonly kernel: Kernel;
  private readonly byNode: NodeIndex<Monitor> = new NodeIndex();
  private readonly remoteWatchers: RemoteWatchers = new RemoteWatchers();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** How many monitors there are of actors of other nodes. O(nodes). */
  get remoteCount(): number {
    return this.byNode.size;
  }

  /** How many monitors actors of other nodes have of actors here. O(nodes). */
  get watcherCount(): number {
    return this.remoteWatchers.size;
  }

  monitor(cell: Cell, target: Pid | string | NodeAddress, ref: Ref): void {
    const { kernel } = this;
    const address = typeof target === 'string' ? { name: target, node: kernel.ownName } : target;
    const isHere = address instanceof Pid ? address.nc === 0 : kernel.isSelf(address.node);
    if (!isHere) return this.monitorRemote(cell, address, ref);
    const pid = address instanceof Pid ? address : kernel.names.whereis(address.name);
    const partner = pid === undefined ? undefined : ownCell(kernel, pid);
    if (partner === undefined) {
      kernel.aliases.endWithMonitor(ref); // the alias ends with its monitor (G8)
      return deliver(cell, new Down(ref, address, 'noproc'));
    }
    if (partner === cell) return kernel.aliases.endWithMonitor(ref); // a monitor of itself does nothing (D13)
    const made = new Monitor(ref, cell.pid, address);
    cell.watches().add(made);
    watch(partner, made);
  }

  /** Ends a monitor. False: there is none. */
  demonitor(cell: Cell, ref: Ref): boolean {
    const made = cell.extra?.watches?.take(ref);
    if (made === undefined) return false;
    this.kernel.aliases.endWithMonitor(ref);
    this.release(made, cell.pid);
    return true;
  }

  /** A monitor of `cell` fires: `from` says that its target has ended, or this node (`from` null) found no such actor. */
  fire(cell: Cell, from: AnsweringNode | null, ref: Ref, reason: ExitReason): void {
    const asked = cell.extra?.watches?.nodeOf(ref);
    if (asked === undefined) return; // it comes too late: the monitor has ended
    if (from !== null && !isFrom(from, asked)) return this.kernel.deadLetters.count('unasked', ref);
    const made = cell.extra?.watches?.take(ref);
    if (made === undefined) return;
    this.byNode.remove(made.node, made);
    this.kernel.aliases.endWithMonitor(ref);
    deliver(cell, new Down(ref, made.target, reason));
  }

  /** Adds the monitor of a child on another node that was spawned with it: the other node makes, or has made, its side. */
  adopt(cell: Cell, child: Pid | NodeAddress, ref: Ref): void {
    const made = new Monitor(ref, cell.pid, child);
    cell.watches().add(made);
    this.byNode.add(made.node, made);
  }

  /** How many monitors actors of the node with the number `nc` have of actors here. */
  countOf(nc: number): number {
    return this.remoteWatchers.countOf(nc);
  }

  /** An actor of another node monitors `cell`. */
  watchedBy(cell: Cell, from: Pid, ref: Ref): void {
    const made = new Monitor(ref, from, cell.pid);
    if (this.remoteWatchers.add(made)) watch(cell, made);
  }

  /** An actor of another node ended its monitor. */
  unwatchedBy(from: Pid, ref: Ref): void {
    const made = this.remoteWatchers.take(from, ref);
    if (made !== undefined) leaveChain(made);
  }

  /** Ends the monitors that a dead actor made. */
  dropOwn(pid: Pid, extra: Extras): void {
    for (const made of extra.watches ?? []) this.release(made, pid);
  }

  /** Sends the Down of a dead actor to each actor that monitors it. */
  announce(pid: Pid, { watchers }: Extras, reasonFor: () => ExitReason): void {
    if (watchers === null) return;
    const { kernel } = this;
    for (let made = watchers.shift(); made !== null; made = watchers.shift()) {
      const { owner, ref } = made;
      if (owner.nc !== 0) {
        this.remoteWatchers.take(owner, ref);
        sendReason((why) => kernel.remote.monitorExit(pid, owner, ref, why), reasonFor());
        continue;
      }
      const cell = cellOf(owner);
      if (cell === undefined) continue;
      cell.extra?.watches?.take(ref);
      kernel.aliases.endWithMonitor(ref);
      deliver(cell, new Down(ref, made.target, reasonFor()));
    }
  }

  /** Removes the monitors of actors of a lost node from the index and returns them. The caller then passes each to {@link lose}. */
  takeNode(node: number | string): Iterable<Monitor> {
    return this.byNode.take(node);
  }

  /** A monitor fires because the node of its target was lost. Returns the table that must be swept afterwards. */
  lose(made: Monitor): Watches | undefined {
    const cell = cellOf(made.owner);
    const watches = cell?.extra?.watches;
    if (cell === undefined || watches?.lose(made) !== true) return undefined;
    this.kernel.aliases.endWithMonitor(made.ref);
    deliver(cell, new Down(made.ref, made.target, 'noconnection'));
    return watches;
  }

  /** Drops the monitors that actors of a lost node have of actors here, and yields after each. */
  *dropWatchers(nc: number): Generator<undefined, void> {
    for (const made of this.remoteWatchers.takeNode(nc)) {
      leaveChain(made);
      yield;
    }
  }

  private monitorRemote(cell: Cell, target: Pid | NodeAddress, ref: Ref): void {
    const { remote } = this.kernel;
    const address =
      target instanceof Pid ? target : { name: target.name, node: remote.canonical(target.node) };
    const made = new Monitor(ref, cell.pid, address);
    cell.watches().add(made);
    this.byNode.add(made.node, made);
    remote.monitor(cell.pid, ref, address);
  }

  /** Removes a monitor on the side of its target, here or on the other node. */
  private release(made: Monitor, owner: Pid): void {
    if (leaveChain(made)) return;
    this.byNode.remove(made.node, made);
    this.kernel.remote.demonitor(owner, made.ref, made.target);
  }
}

function watch(target: Cell, made: Monitor): void {
  const more = target.more();
  more.watchers ??= new Chain();
  more.watchers.add(made);
}

/** Removes a monitor from the list of its target. False: the target is not on this node. */
function leaveChain(made: Monitor): boolean {
  if (made.chain === null) return false;
  (made.chain as unknown as Chain<Monitor>).remove(made);
  return true;
}
