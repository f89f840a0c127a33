import { SeededMap } from '../collections/index.ts';
import type { Pid } from '../term/index.ts';

/** Up to this many links are in an array; more are in maps. */
const FEW = 8;

/** One end of a link. */
export class Link {
  /** The actor that has this end. */
  readonly owner: Pid;
  readonly partner: Pid;
  /** The id of the owner's unlink that the remote partner has not acknowledged yet; 0: none. */
  unlinkId = 0;
  /** The owner linked again before that acknowledgement. Until it comes, signals of the partner still belong to the old link. */
  isRelinked = false;
  /** The partner's node was lost: the entry is unused and stays only until {@link Links.sweep}. */
  isLost = false;

  constructor(owner: Pid, partner: Pid) {
    this.owner = owner;
    this.partner = partner;
  }

  /** Whether its owner counts as linked. */
  get isActive(): boolean {
    return this.unlinkId === 0 || this.isRelinked;
  }
}

/**
 * The links of one actor, by Erlang's link protocol: at most one for each partner (C1). A remote link that the owner has unlinked stays
 * in the table until the partner acknowledges it; its signals are ignored meanwhile (C12, C13).
 */
export class Links {
  private readonly owner: Pid;
  private few: Link[] = [];
  /** By node number, then by local id. String keys would take more memory than the links themselves. */
  private many: Map<number, SeededMap<Link>> | null = null;

  constructor(owner: Pid) {
    this.owner = owner;
  }

  /** How many entries there are, those that wait for an acknowledgement included. O(nodes). */
  get size(): number {
    if (this.many === null) return this.few.length;
    let size = 0;
    for (const links of this.many.values()) size += links.size;
    return size;
  }

  /** The link to a partner, active or not. */
  find(partner: Pid): Link | undefined {
    if (this.many !== null) {
      const link = this.many.get(partner.nc)?.get(partner.local);
      return link?.isLost === true ? undefined : link;
    }
    for (const link of this.few) {
      if (link.partner.local === partner.local && link.partner.nc === partner.nc) return link;
    }
    return undefined;
  }

  /** Whether there is an active link to a partner. */
  has(partner: Pid): boolean {
    return this.find(partner)?.isActive === true;
  }

  /** The owner links. Returns the link if the partner must get a LINK; undefined: linked already. */
  link(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link === undefined) return this.add(partner);
    if (link.isActive) return undefined;
    link.isRelinked = true;
    return link;
  }

  /** The partner links to the owner. Undefined: ignored, because an unlink is not acknowledged yet, or they are linked already. */
  linkedBy(partner: Pid): Link | undefined {
    return this.find(partner) === undefined ? this.add(partner) : undefined;
  }

  /** Removes the link at once, without an acknowledgement: the partner is local, or of an incarnation that has ended. */
  remove(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link !== undefined) this.drop(link);
    return link;
  }

  /** The partner's node was lost. In a large table the entry stays until {@link sweep}: removing many one by one costs far more. */
  lose(link: Link): void {
    link.isLost = true;
    if (this.many === null) this.drop(link);
  }

  /** Removes the entries of lost nodes. O(entries). */
  sweep(): void {
    for (const [nc, links] of this.many ?? []) {
      const lost = [...links.values()].filter((link) => link.isLost);
      if (lost.length === links.size) this.many?.delete(nc);
      else for (const link of lost) this.drop(link);
    }
  }

  /** The owner unlinks a remote partner with a new `id`. True: send an UNLINK; the entry waits for the acknowledgement. */
  unlinkRemote(partner: Pid, id: number): boolean {
    const link = this.find(partner);
    if (link === undefined || !link.isActive) return false;
    link.unlinkId = id;
    link.isRelinked = false;
    return true;
  }

  /** The partner acknowledged unlink `id`. Returns the link if it was removed; a link made since the unlink stays. */
  acknowledged(partner: Pid, id: number): Link | undefined {
    const link = this.find(partner);
    if (link === undefined || link.unlinkId === 0 || link.unlinkId !== id) return undefined;
    if (!link.isRelinked) return this.remove(partner);
    link.unlinkId = 0;
    link.isRelinked = false;
    return undefined;
  }

  /**
   * The partner unlinks. Returns the active link that was removed. If the owner has unlinked and linked again, the partner had not seen
   * the unlink yet, so it will ignore the new link: it ends here, too (C13).
   */
  unlinkedBy(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link?.unlinkId === 0) return this.remove(partner);
    if (link !== undefined) link.isRelinked = false;
    return undefined;
  }

  /**
   * An exit signal came over the link. Returns the active link that was removed. While an unlink is not acknowledged, the signal belongs
   * to the old link and is ignored (C12, C14).
   */
  partnerExited(partner: Pid): Link | undefined {
    return this.find(partner)?.unlinkId === 0 ? this.remove(partner) : undefined;
  }

  /** All entries; those of one node oldest first. The table must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<Link> {
    return this.many === null ? this.few.values() : each(this.many);
  }

  private drop(link: Link): void {
    if (this.many === null) {
      const at = this.few.indexOf(link);
      if (at >= 0) this.few.splice(at, 1);
      return;
    }
    const { nc, local } = link.partner;
    const links = this.many.get(nc);
    links?.delete(local);
    if (links?.size === 0) this.many.delete(nc);
  }

  private add(partner: Pid): Link {
    const link = new Link(this.owner, partner);
    if (this.many !== null) put(this.many, link);
    else if (this.few.push(link) > FEW) {
      this.many = new Map();
      for (const one of this.few) put(this.many, one);
      this.few = [];
    }
    return link;
  }
}

function* each(many: Map<number, SeededMap<Link>>): Generator<Link, undefined> {
  for (const links of many.values()) yield* links.values();
}

function put(many: Map<number, SeededMap<Link>>, link: Link): void {
  const { nc, local } = link.partner;
  const links = many.get(nc);
  if (links !== undefined) return links.set(local, link);
  const first = new SeededMap<Link>();
  first.set(local, link);
  many.set(nc, first);
}
