import type { Pid } from '../term/index.ts';

/** Up to this many links an array is searched; beyond, a map. */
const FEW = 8;

/** One end of a link. */
export class Link {
  /** Whose end it is. */
  readonly owner: Pid;
  readonly partner: Pid;
  /** The id of our unlink that a remote partner has not acknowledged yet; 0: none. */
  unlinkId = 0;
  /** We linked again before that acknowledgement: until it comes, signals of the partner still concern the old link. */
  isRelinked = false;

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
 * The links of one actor, as Erlang's link protocol keeps them: at most one per partner (rule C1); a remote link that
 * we took down stays until the partner acknowledges, and signals of it are ignored meanwhile (rules C12, C13).
 */
export class Links {
  private readonly owner: Pid;
  private few: Link[] = [];
  private many: Map<number | string, Link> | null = null;

  constructor(owner: Pid) {
    this.owner = owner;
  }

  /** Partners, those being unlinked included. */
  get size(): number {
    return this.many?.size ?? this.few.length;
  }

  /** The entry of a partner, active or not. */
  find(partner: Pid): Link | undefined {
    if (this.many !== null) return this.many.get(keyOf(partner));
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

  /** We unlink a partner of this runtime: gone at once. */
  remove(partner: Pid): Link | undefined {
    if (this.many !== null) {
      const key = keyOf(partner);
      const link = this.many.get(key);
      if (link !== undefined) this.many.delete(key);
      return link;
    }
    const at = this.few.findIndex(
      (link) => link.partner.local === partner.local && link.partner.nc === partner.nc,
    );
    return at < 0 ? undefined : this.few.splice(at, 1)[0];
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
   * link we made since (rule C13).
   */
  unlinkedBy(partner: Pid): Link | undefined {
    const link = this.find(partner);
    if (link?.unlinkId === 0) return this.remove(partner);
    if (link !== undefined) link.isRelinked = false;
    return undefined;
  }

  /**
   * An exit signal came over the link: the active link that went. While our own unlink is pending it is a signal of the
   * old link, which can not affect us any more (rules C12, C14).
   */
  broke(partner: Pid): Link | undefined {
    return this.find(partner)?.unlinkId === 0 ? this.remove(partner) : undefined;
  }

  /** All entries, oldest first. Must not change meanwhile. */
  [Symbol.iterator](): IterableIterator<Link> {
    return (this.many ?? this.few).values();
  }

  private add(partner: Pid): Link {
    const link = new Link(this.owner, partner);
    if (this.many !== null) this.many.set(keyOf(partner), link);
    else if (this.few.push(link) > FEW) {
      this.many = new Map(this.few.map((each) => [keyOf(each.partner), each]));
      this.few = [];
    }
    return link;
  }
}

function keyOf(pid: Pid): number | string {
  return pid.nc === 0 ? pid.local : pid.key;
}
