import type { Pid } from '../term/index.ts';

/** Up to this many links an array is searched; beyond, maps. */
const FEW = 8;

/** One end of a link. */
export class Link {
  /** The actor whose end it is. */
  readonly owner: Pid;
  readonly partner: Pid;
  /** The id of our unlink that a remote partner has not acknowledged yet; 0: none. */
  unlinkId = 0;
  /** We linked again before that acknowledgement: until it comes, signals of the partner still concern the old link. */
  isRelinked = false;
  /** Its node was lost: it only takes a place until {@link Links.sweep}. */
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
 * The links of one actor, as Erlang's link protocol keeps them: at most one per partner (C1); a remote link that
 * we took down stays until the partner acknowledges, and signals of it are ignored meanwhile (C12, C13).
 */
export class Links {
  private readonly owner: Pid;
  private few: Link[] = [];
  /** By node number, then by local id: numbers, because a string key for each of 100 000 partners costs more than the rest. */
  private many: Map<number, Map<number, Link>> | null = null;

  constructor(owner: Pid) {
    this.owner = owner;
  }

  /** Partners, those being unlinked included. O(nodes). */
  get size(): number {
    if (this.many === null) return this.few.length;
    let size = 0;
    for (const links of this.many.values()) size += links.size;
    return size;
  }

  /** The entry of a partner, active or not. */
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

  /** Whether there is an active link. */
  has(partner: Pid): boolean {
    return this.find(partner)?.isActive === true;
  }

  /** We link. The entry when the partner has to be told; undefined: linked already. */
  link(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link === undefined) return this.add(partner);
    if (link.isActive) return undefined;
    link.isRelinked = true;
    return link;
  }

  /** The partner links to us. Ignored (undefined) while our unlink is unacknowledged, or when linked already. */
  linkedBy(partner: Pid): Link | undefined {
    return this.find(partner) === undefined ? this.add(partner) : undefined;
  }

  /** Removes the link at once: to a partner of this runtime, or of an incarnation that has ended. */
  remove(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link !== undefined) this.drop(link);
    return link;
  }

  /** The partner's node was lost. In a large table the entry keeps its place until {@link sweep}, which is far cheaper for many. */
  lose(link: Link): void {
    link.isLost = true;
    if (this.many === null) this.drop(link);
  }

  /** Clears the places of lost entries. O(entries). */
  sweep(): void {
    for (const [nc, links] of this.many ?? []) {
      const lost = [...links.values()].filter((link) => link.isLost);
      if (lost.length === links.size) this.many?.delete(nc);
      else for (const link of lost) this.drop(link);
    }
  }

  /** We unlink a remote partner with a fresh `id`. True: tell it; the entry waits for the acknowledgement. */
  unlinkRemote(partner: Pid, id: number): boolean {
    const link = this.find(partner);
    if (link === undefined || !link.isActive) return false;
    link.unlinkId = id;
    link.isRelinked = false;
    return true;
  }

  /** The partner acknowledged unlink `id`. The entry that went, if it did: a link made since then stays. */
  acknowledged(partner: Pid, id: number): Link | undefined {
    const link = this.find(partner);
    if (link === undefined || link.unlinkId === 0 || link.unlinkId !== id) return undefined;
    if (!link.isRelinked) return this.remove(partner);
    link.unlinkId = 0;
    link.isRelinked = false;
    return undefined;
  }

  /**
   * The partner unlinks: the active link that went. It had not seen our own pending unlink yet, so it will ignore the
   * link we made since (C13).
   */
  unlinkedBy(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link?.unlinkId === 0) return this.remove(partner);
    if (link !== undefined) link.isRelinked = false;
    return undefined;
  }

  /**
   * An exit signal came over the link: the active link that went. While our own unlink is pending it is a signal of the
   * old link, which cannot affect us any more (C12, C14).
   */
  broke(partner: Pid): Link | undefined {
    return this.find(partner)?.unlinkId === 0 ? this.remove(partner) : undefined;
  }

  /** All entries, those to one node oldest first. Must not change meanwhile. */
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

function* each(many: Map<number, Map<number, Link>>): Generator<Link, undefined> {
  for (const links of many.values()) yield* links.values();
}

function put(many: Map<number, Map<number, Link>>, link: Link): void {
  const { nc, local } = link.partner;
  const links = many.get(nc);
  if (links === undefined) many.set(nc, new Map([[local, link]]));
  else links.set(local, link);
}
