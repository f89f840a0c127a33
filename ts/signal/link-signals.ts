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

  /** `cell` links to `to`. A local partner that is dead answers with the exit signal `noproc` (C8). */
  link(cell: Cell, to: Pid): void {
    if (to.nc !== 0) return this.linkRemote(cell, to);
    if (to.local === cell.pid.local) return; // a link to itself does nothing (C2)
    const partner = ownCell(this.kernel, to);
    if (partner !== undefined) {
      if (cell.links().link(to) !== undefined) partner.links().linkedBy(cell.pid);
      return;
    }
    // Still linked: the partner died just now, and its exit signal is queued.
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

  /** Links with actors of that node. */
  countOf(nc: number): number {
    return this.byNode.countOf(nc);
  }

  /** An actor of another node linked to `cell`, or is its child and linked since its birth. */
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

  /** The exit signal of a remote partner. */
  broke(cell: Cell, from: Pid, reason: ExitReason): void {
    const made = cell.extra?.links?.broke(from);
    if (made === undefined) return;
    this.byNode.remove(from.nc, made);
    receiveExit(cell, from, reason, true);
  }

  /**
   * A child whose start asked for a link ended in its init on another node, and the reply to the start says so: a parent that has
   * linked itself to it meanwhile is told once, and one that has unlinked itself is not.
   */
  childFailed(cell: Cell, child: Pid, reason: ExitReason): void {
    if (cell.extra?.links?.find(child) === undefined) receiveExit(cell, child, reason, true);
    else this.broke(cell, child, reason);
  }

  /** The owner of `links` is ending, and `partner`, on another node, is told of that without an exit signal. */
  endUntold(links: Links, partner: Pid): void {
    const made = links.remove(partner);
    if (made !== undefined) this.byNode.remove(partner.nc, made);
  }

  /** `from` belongs to an incarnation that has ended: no part of a link to it stays, not even an unlink without its acknowledgement. */
  partnerGone(cell: Cell, from: Pid): void {
    const made = cell.extra?.links?.remove(from);
    if (made === undefined) return;
    this.byNode.remove(from.nc, made);
    if (made.isActive) receiveExit(cell, from, 'noproc', true); // C10
  }

  /** Tells the partners of a dead actor. */
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
      // No exit signal arrives over a link that the partner has taken down (C12).
      if (cell.extra?.links?.remove(pid) !== undefined) receiveExit(cell, pid, reasonFor(), true);
    }
  }

  /** Takes the links to a lost node out of the index: each is then given to {@link lose}. */
  takeNode(node: number | string): Iterable<Link> {
    return this.byNode.take(node);
  }

  /** A link ends because the node of its partner was lost. Gives the table where it leaves a place to be swept. */
  lose(made: Link): Links | undefined {
    const cell = cellOf(made.owner);
    const links = cell?.extra?.links;
    if (cell === undefined || !links || made.isLost) return undefined;
    links.lose(made);
    if (made.isActive) receiveExit(cell, made.partner, 'noconnection', true, true);
    return links;
  }

  private linkRemote(cell: Cell, to: Pid): void {
    // A link whose node was lost and that has not ended yet ends first: it must not become the new one.
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
