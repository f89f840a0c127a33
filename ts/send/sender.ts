import { SnowmeshError } from '../errors/index.ts';
import { Cell, cellOf, deliver, Envelope, type Kernel, type MailboxGate, ownCell } from '../kernel/index.ts';
import type { MonitorSignals } from '../signal/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { checkDest, type Dest } from './dest.ts';

/** Messages by address: a PID, a name, a name on a node, an alias; and one message for many actors. */
export class Sender {
  private readonly kernel: Kernel;
  private readonly monitors: MonitorSignals;

  constructor(kernel: Kernel, monitors: MonitorSignals) {
    this.kernel = kernel;
    this.monitors = monitors;
  }

  /** Sends a message of user code. `from` null: code outside of actors. */
  send(from: Cell | null, to: Dest<never>, message: unknown): void {
    const { kernel } = this;
    if (to instanceof Pid) {
      if (to.nc !== 0) return kernel.remote.send(from === null ? null : from.pid, to, message);
      const copy = copyTerm(message);
      const cell = ownCell(kernel, to);
      return cell === undefined ? kernel.deadLetters.count('noproc', to) : deliver(cell, copy);
    }
    const pid = from === null ? null : from.pid;
    if (typeof to === 'string') return this.deliverTo(this.nameOrThrow(to), copyTerm(message));
    if (to instanceof Ref) {
      if (to.nc !== 0) return kernel.remote.sendAlias(pid, to, message);
      return this.deliverAlias(to, copyTerm(message));
    }
    checkDest(to);
    if (kernel.isSelf(to.node)) return this.deliverNamed(to.name, copyTerm(message));
    kernel.remote.sendNamed(pid, to.name, to.node, message);
  }

  /** Sends when there is room in the target's mailbox (policy `block`), or on the way to its node. */
  async sendWait(from: Cell, to: Dest<never>, message: unknown): Promise<void> {
    checkDest(to);
    const { remote } = this.kernel;
    for (;;) {
      const target = this.targetOf(to);
      const gate = target instanceof Cell ? target.extra?.gate : undefined;
      const room = target instanceof Cell ? roomIn(gate, from) : target && remote.whenWritable(target);
      if (room === undefined) {
        if (target === undefined || target instanceof Cell) return this.send(from, to, message);
        try {
          await remote.sendGently(from.pid, target, message);
        } catch (error) {
          if (!from.isDead) throw error;
        }
        return from.isDead ? new Promise(() => {}) : undefined; // nothing resumes a dead actor (A7)
      }
      await room;
      // Resumed but not sending to this target: the next blocked sender takes the place.
      if (from.isDead || this.targetOf(to) !== target) gate?.release();
      if (from.isDead) return new Promise(() => {}); // nothing resumes a dead actor (A7)
    }
  }

  /** To a name that may be free: then the message is lost and counted, as between nodes (F4). */
  deliverNamed(name: string, message: unknown): void {
    const pid = this.kernel.names.whereis(name);
    if (pid === undefined) this.kernel.deadLetters.count('no_name', name);
    else this.deliverTo(pid, message);
  }

  deliverAlias(alias: Ref, message: unknown): void {
    const { aliases, deadLetters } = this.kernel;
    const entry = aliases.get(alias);
    if (entry === undefined) return deadLetters.count('alias', alias);
    if (entry.mode === 'reply') {
      aliases.end(entry);
      this.monitors.demonitor(entry.cell, alias); // the monitor that the alias was made with
    }
    deliver(entry.cell, message);
  }

  /**
   * Puts one message into the mailboxes of many actors of this node. O(actors).
   *
   * A handler's mailbox gets the message in an envelope, and it is copied when its turn comes (B8): what waits in a thousand
   * mailboxes lies in memory once, and a copy made just before it is handled mostly dies young. A function actor may look
   * at what it does not take, so it gets its copy at once.
   *
   * @param isOurs Nobody else holds `message`; otherwise it is copied first.
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP; then no actor has got it.
   */
  fanOut(to: readonly Pid[], message: unknown, isOurs: boolean): void {
    const own = isOurs ? message : copyTerm(message);
    // A value that is the same as its copy can be shared by all.
    const isShared = to.length > 1 && copyTerm(own) !== own;
    const envelope = isShared ? new Envelope(own, to.length) : undefined;
    for (const pid of to) {
      const cell = cellOf(pid);
      if (cell === undefined) this.kernel.deadLetters.count('noproc', pid);
      else if (envelope === undefined) deliver(cell, own);
      else deliver(cell, cell.body === null ? envelope.open() : envelope);
    }
  }

  private deliverTo(pid: Pid, message: unknown): void {
    const cell = cellOf(pid);
    if (cell === undefined) this.kernel.deadLetters.count('noproc', pid);
    else deliver(cell, message);
  }

  private nameOrThrow(name: string): Pid {
    const pid = this.kernel.names.whereis(name);
    if (pid !== undefined) return pid;
    throw new SnowmeshError(
      'SNOW_ERR_NAME_UNKNOWN',
      `Nobody is registered as ${JSON.stringify(name)} here.`,
      {
        details: { name },
      },
    );
  }

  /** The actor here that `to` means now, or the address of one on another node; undefined: no actor. */
  private targetOf(to: Dest<never>): Cell | Exclude<Dest<never>, string> | undefined {
    const { kernel } = this;
    if (to instanceof Ref) return to.nc === 0 ? kernel.aliases.get(to)?.cell : to;
    const isName = typeof to === 'string';
    if (!isName && !(to instanceof Pid) && !kernel.isSelf(to.node)) return to;
    const pid = to instanceof Pid ? to : kernel.names.whereis(isName ? to : to.name);
    if (pid === undefined || pid.nc === 0) return pid === undefined ? undefined : ownCell(kernel, pid);
    return pid;
  }
}

function roomIn(gate: MailboxGate | null | undefined, from: Cell): Promise<void> | undefined {
  return gate?.policy === 'block' && gate.isFull ? gate.room(from) : undefined;
}
