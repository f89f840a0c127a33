import type { Pid } from '../term/index.ts';

/** What the partner's tables are keyed by: local PIDs are canonical objects, others compare by value. */
export function pidKey(pid: Pid): Pid | string {
  return pid.nc === 0 ? pid : pid.key;
}

interface Link {
  readonly pid: Pid;
  /** 0 while linked; else the id of our unlink that the remote partner has not acknowledged yet. */
  unlinkId: number;
}

/**
 * The links of one actor, as Erlang's link protocol keeps them: at most one per partner (C1); a remote link that we
 * took down stays in the table until the partner acknowledges, and signals of it are ignored meanwhile (C12, C13).
 */
export class Links {
  private readonly table = new Map<Pid | string, Link>();

  /** Partners, those being unlinked included. */
  get size(): number {
    return this.table.size;
  }

  /** We link. True: the partner has to be told. */
  link(pid: Pid): boolean {
    const key = pidKey(pid);
    const link = this.table.get(key);
    if (link === undefined) {
      this.table.set(key, { pid, unlinkId: 0 });
      return true;
    }
    const wasUnlinking = link.unlinkId !== 0;
    link.unlinkId = 0;
    return wasUnlinking;
  }

  /** We unlink a partner of this runtime: gone at once. False: there was no link. */
  remove(pid: Pid): boolean {
    return this.table.delete(pidKey(pid));
  }

  /** We unlink a remote partner with a fresh `id`. True: send UNLINK; the entry waits for the acknowledgement. */
  unlinkRemote(pid: Pid, id: number): boolean {
    const link = this.table.get(pidKey(pid));
    if (link === undefined || link.unlinkId !== 0) return false;
    link.unlinkId = id;
    return true;
  }

  /** The partner acknowledged unlink `id`. */
  acknowledged(pid: Pid, id: number): void {
    const key = pidKey(pid);
    if (this.table.get(key)?.unlinkId === id) this.table.delete(key);
  }

  /** The remote partner links to us. Ignored while our unlink is unacknowledged. */
  linkedBy(pid: Pid): void {
    const key = pidKey(pid);
    if (!this.table.has(key)) this.table.set(key, { pid, unlinkId: 0 });
  }

  /** The remote partner unlinks. Our own pending unlink stays until its acknowledgement. */
  unlinkedBy(pid: Pid): void {
    const key = pidKey(pid);
    if (this.table.get(key)?.unlinkId === 0) this.table.delete(key);
  }

  /** An exit signal came over the link. True: there is an active link, now gone. */
  broke(pid: Pid): boolean {
    const key = pidKey(pid);
    if (this.table.get(key)?.unlinkId !== 0) return false;
    return this.table.delete(key);
  }

  /** Whether there is an active link. */
  has(pid: Pid): boolean {
    return this.table.get(pidKey(pid))?.unlinkId === 0;
  }

  /** Takes out every partner on node number `nc`; those with an active link are returned. O(links). */
  takeNode(nc: number): Pid[] {
    const lost: Pid[] = [];
    for (const [key, link] of this.table) {
      if (link.pid.nc !== nc) continue;
      this.table.delete(key);
      if (link.unlinkId === 0) lost.push(link.pid);
    }
    return lost;
  }

  /** Active partners, oldest first. */
  *[Symbol.iterator](): Iterator<Pid> {
    for (const link of this.table.values()) if (link.unlinkId === 0) yield link.pid;
  }
}
