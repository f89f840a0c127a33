import {
  type Cell,
  cellOf,
  type ExitReason,
  type Extras,
  type Kernel,
  ownCell,
  sendReason,
} from '../kernel/index.ts';
import { type Link, type Links, NodeIndex } from '../link/index.ts';
import type { Pid } from '../term/index.ts';
import { receiveExit } from './exit-signals.ts';

/** Links between actors, here and with other nodes. Owns the index of remote links by node. */
export class LinkSignals {
  private readonly kernel: Kernel;
  private readonly byNode: NodeIndex<Link> = new NodeIndex();
  private unlinkIds = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Links to actors of other nodes. O(nodes). */
  get remoteCount(): number {
    return this.byNode.size;
  }

  /** `cell` links to `to`. If `to` is local and dead, `cell` gets the exit signal `noproc` (C8). */
  link(cell: Cell, to: Pid): void {
    if (to.nc !== 0) return this.linkRemote(cell, to);
    if (to.local === cell.pid.local) return; // a link to itself does nothing (C2)
    const partner = ownCell(this.kernel, to);
    if (partner !== undefined) {
      if (cell.links().link(to) !== undefined) partner.links().linkedBy(cell.pid);
      return;
    }
    // If they are still linked, the partner has just died and its exit signal is queued.
    if (cell.extra?.links?.has(to) !== true) receiveExit(cell, to, 'noproc', true);
  }

  unlink(cell: Cell, to: Pid): void {
    const links = cell.extra?.links;
    if (links === null || links === undefined) return;
    if (to.nc === 0) {
      if (links.remove(to) !== undefined) cellOf(to)?.extra?.links?.remove(cell.pid);
      return;
    }
    const id = ++this.unlinkIds;
    if (links.unlinkRemote(to, id)) this.kernel.remote.unlink(cell.pid, to, id);
  }

  /** How many links there are to actors of the node with the number `nc`. */
  countOf(nc: number): number {
    return this.byNode.countOf(nc);
  }

  /** `from`, an actor of another node, linked to `cell`, or was spawned by it with a link. */
  linkedBy(cell: Cell, from: Pid): void {
    const made = cell.links().linkedBy(from);
    if (made !== undefined) this.byNode.add(from.nc, made);
  }

  /** A remote partner unlinked. */
  unlinkedBy(cell: Cell, from: Pid): void {
    const made = cell.extra?.links?.unlinkedBy(from);
    if (made !== undefined) this.byNode.remove(from.nc, made);
  }

  /** A remote partner acknowledged unlink `id`. */
  acknowledged(cell: Cell, from: Pid, id: number): void {
    const made = cell.extra?.links?.acknowledged(from, id);
    if (made !== undefined) this.byNode.remove(from.nc, made);
  }

  /** The exit signal of a remote partner arrived. */
  partnerExited(cell: Cell, from: Pid, reason: ExitReason): void {
    const made = cell.extra?.links?.partnerExited(from);
    if (made === undefined) return;
    this.byNode.remove(from.nc, made);
    receiveExit(cell, from, reason, true);
  }

  /**
   * A child on another node, started with a link, ended in its init; the reply to the start says so. The parent gets one exit signal,
   * also if it has linked itself to the child meanwhile, and none if it has unlinked itself.
   */
  childFailed(cell: Cell, child: Pid, reason: ExitReason): void {
    if (cell.extra?.links?.find(child) === undefined) receiveExit(cell, child, reason, true);
    else this.partnerExited(cell, child, reason);
  }

  /** Removes the link to a remote partner without an exit signal: the owner of `links` ends, and the partner learns it another way. */
  removeSilently(links: Links, partner: Pid): void {
    const made = links.remove(partner);
    if (made !== undefined) this.byNode.remove(partner.nc, made);
  }

  /** `from` belongs to an incarnation that has ended: its link is removed, also one that waits for the acknowledgement of an unlink. */
  partnerGone(cell: Cell, from: Pid): void {
    const made = cell.extra?.links?.remove(from);
    if (made === undefined) return;
    this.byNode.remove(from.nc, made);
    if (made.isActive) receiveExit(cell, from, 'noproc', true); // a link to an earlier incarnation: `noproc` (C10)
  }

  /** Sends the exit signals of a dead actor to its partners. */
  announce(pid: Pid, extra: Extras, reasonFor: () => ExitReason): void {
    for (const made of extra.links ?? []) {
      const { partner } = made;
      if (partner.nc !== 0) {
        this.byNode.remove(partner.nc, made);
        if (made.isActive) sendReason((why) => this.kernel.remote.exit(pid, partner, why), reasonFor());
        continue;
      }
      const cell = cellOf(partner);
      if (cell === undefined) continue;
      // A partner that has unlinked gets no exit signal (C12).
      if (cell.extra?.links?.remove(pid) !== undefined) receiveExit(cell, pid, reasonFor(), true);
    }
  }

  /** Removes the links to a lost node from the index and returns them. The caller then passes each to {@link lose}. */
  takeNode(node: number | string): Iterable<Link> {
    return this.byNode.take(node);
  }

  /** Ends a link because the node of its partner was lost. Returns the table that must be swept afterwards. */
  lose(made: Link): Links | undefined {
    const cell = cellOf(made.owner);
    const links = cell?.extra?.links;
    if (cell === undefined || !links || made.isLost) return undefined;
    links.lose(made);
    if (made.isActive) receiveExit(cell, made.partner, 'noconnection', true, true);
    return links;
  }

  private linkRemote(cell: Cell, to: Pid): void {
    // An old link to a lost node may not have been ended yet. End it first: it must not count as the new link.
    const old = cell.extra?.links?.find(to);
    if (old !== undefined && !this.byNode.has(to.nc, old)) {
      this.lose(old);
      if (cell.isDead) return;
    }
    const made = cell.links().link(to);
    if (made === undefined) return;
    this.byNode.add(to.nc, made);
    this.kernel.remote.link(cell.pid, to);
  }
}
