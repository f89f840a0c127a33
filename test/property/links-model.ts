// Links, monitors and exit signals as the rules tell them (C1-C16, D1-D15, E1-E6), in the plainest way: actors are
// numbers, and every signal is handled the moment it is sent.

export interface Mail {
  readonly kind: 'exit' | 'down' | 'text';
  readonly from: number;
  readonly what: unknown;
  /** Of a DOWN: the number of the monitor. */
  readonly monitor?: number;
}

interface ModelActor {
  isAlive: boolean;
  traps: boolean;
  readonly links: Set<number>;
  mail: Mail[];
}

interface ModelMonitor {
  readonly owner: number;
  readonly target: number;
  isActive: boolean;
}

export class LinksModel {
  readonly actors: ModelActor[] = [];
  readonly monitors: ModelMonitor[] = [];

  spawn(parent: number | undefined, options: { link: boolean; monitor: boolean; traps: boolean }): number {
    const child = this.actors.push({ isAlive: true, traps: options.traps, links: new Set(), mail: [] }) - 1;
    if (parent === undefined) return child;
    if (options.link) this.link(parent, child);
    if (options.monitor) this.monitor(parent, child);
    return child;
  }

  at(index: number): ModelActor {
    return this.actors[index] as ModelActor;
  }

  send(from: number, to: number, what: unknown): void {
    this.deliver(to, { kind: 'text', from, what });
  }

  link(from: number, to: number): void {
    if (from === to) return; // C2
    if (!this.at(to).isAlive) return this.signal(to, from, 'noproc'); // C8
    this.at(from).links.add(to);
    this.at(to).links.add(from);
  }

  unlink(from: number, to: number): void {
    this.at(from).links.delete(to);
    this.at(to).links.delete(from);
  }

  monitor(owner: number, target: number): void {
    const monitor = this.monitors.push({ owner, target, isActive: owner !== target }) - 1; // D13
    if (this.at(target).isAlive) return;
    this.fire(monitor, 'noproc'); // D2
  }

  demonitor(owner: number, monitor: number, flush: boolean): boolean {
    const entry = this.monitors[monitor] as ModelMonitor;
    if (entry.owner !== owner) return false; // D8
    const was = entry.isActive;
    entry.isActive = false;
    const actor = this.at(owner);
    if (!was && flush) actor.mail = actor.mail.filter((mail) => mail.monitor !== monitor); // D6
    return was;
  }

  /** An explicit exit signal. */
  exit(from: number, to: number, reason: unknown): void {
    const target = this.at(to);
    if (reason === 'kill')
      this.die(to, 'killed'); // E3
    else if (from === to && reason === 'normal' && !target.traps)
      this.die(to, 'normal'); // E2
    else this.signal(from, to, reason);
  }

  die(index: number, reason: unknown): void {
    const actor = this.at(index);
    if (!actor.isAlive) return;
    actor.isAlive = false;
    actor.mail = [];
    for (const entry of this.monitors) if (entry.owner === index) entry.isActive = false;
    const partners = [...actor.links];
    for (const partner of partners) this.unlink(index, partner);
    for (const partner of partners) this.signal(index, partner, reason);
    for (const [monitor, { target, isActive }] of this.monitors.entries()) {
      if (isActive && target === index) this.fire(monitor, reason);
    }
  }

  /** What counts as an actor's mailbox: order is promised per sender only. */
  mailOf(index: number): Map<number, Mail[]> {
    return bySender(this.at(index).mail);
  }

  private signal(from: number, to: number, reason: unknown): void {
    const { isAlive, traps } = this.at(to);
    if (!isAlive) return;
    if (traps) this.deliver(to, { kind: 'exit', from, what: reason });
    else if (reason !== 'normal') this.die(to, reason);
  }

  private fire(monitor: number, reason: unknown): void {
    const entry = this.monitors[monitor] as ModelMonitor;
    entry.isActive = false;
    this.deliver(entry.owner, { kind: 'down', from: entry.target, what: reason, monitor });
  }

  private deliver(to: number, mail: Mail): void {
    if (this.at(to).isAlive) this.at(to).mail.push(mail);
  }
}

export function bySender(mails: readonly Mail[]): Map<number, Mail[]> {
  const senders = new Map<number, Mail[]>();
  for (const mail of mails.toSorted((a, b) => a.from - b.from)) {
    const own = senders.get(mail.from);
    if (own === undefined) senders.set(mail.from, [mail]);
    else own.push(mail);
  }
  return senders;
}
