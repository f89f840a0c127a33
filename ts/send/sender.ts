import { SnowmeshError } from '../errors/index.ts';
import {
  type Cell,
  cellOf,
  deliver,
  deliverEnvelope,
  deliverSent,
  Envelope,
  type Kernel,
  ownCell,
  type TracingPort,
} from '../kernel/index.ts';
import type { MonitorSignals } from '../signal/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { checkDest, type Dest } from './dest.ts';

/** Sends messages by address - a PID, a name, a name on a node, an alias - and one message to many actors. */
export class Sender {
  private readonly kernel: Kernel;
  private readonly monitors: MonitorSignals;

  constructor(kernel: Kernel, monitors: MonitorSignals) {
    this.kernel = kernel;
    this.monitors = monitors;
  }

  /** Sends a message of user code. `from` null: code outside of actors. */
  send(from: Cell | null, to: Dest<never>, message: unknown): void {
    const { tracing } = this.kernel;
    if (tracing === null || tracing.isOutside(from)) this.sendPlain(from, to, message, deliver);
    else this.sendTraced(tracing, from, to, message);
  }

  // Not inlined into `send`: V8 allocates the context of a closure in each call of its function, also when the closure is not made.
  private sendTraced(tracing: TracingPort, from: Cell | null, to: Dest<never>, message: unknown): void {
    tracing.send(from, to, () => this.sendPlain(from, to, message, deliverSent));
  }

  /** @param enter puts the message into the mailbox of an actor of this runtime; outside of traces there is no context to store. */
  private sendPlain(from: Cell | null, to: Dest<never>, message: unknown, enter: typeof deliver): void {
    const { kernel } = this;
    if (to instanceof Pid) {
      if (to.nc !== 0) return kernel.remote.send(from === null ? null : from.pid, to, message);
      const copy = copyTerm(message);
      const cell = ownCell(kernel, to);
      return cell === undefined ? kernel.deadLetters.count('noproc', to) : enter(cell, copy);
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

  /** Sends to a local name. If no actor has it, the message is counted as lost, as between nodes (F4). */
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
      this.monitors.demonitor(entry.cell, alias); // ends the monitor that the alias belongs to, if any
    }
    deliverSent(entry.cell, message);
  }

  /**
   * Puts one message into the mailboxes of many actors of this node. O(actors).
   *
   * A handler's mailbox gets an Envelope, which is opened - copied - in its turn (B8). So a message that waits in a thousand mailboxes
   * is in memory once, and each copy is short-lived.
   *
   * @param isOurs No other code holds `message`; otherwise it is copied first.
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP; then no actor has got the message.
   */
  fanOut(to: readonly Pid[], message: unknown, isOurs: boolean): void {
    const own = isOurs ? message : copyTerm(message);
    // A value whose copy is the value itself, such as a string, is shared by all.
    const isShared = to.length > 1 && copyTerm(own) !== own;
    const envelope = isShared ? new Envelope(own, to.length) : undefined;
    for (const pid of to) {
      const cell = cellOf(pid);
      if (cell === undefined) this.kernel.deadLetters.count('noproc', pid);
      else if (envelope === undefined) deliverSent(cell, own);
      else deliverEnvelope(cell, envelope);
    }
  }

  private deliverTo(pid: Pid, message: unknown): void {
    const cell = cellOf(pid);
    if (cell === undefined) this.kernel.deadLetters.count('noproc', pid);
    else deliverSent(cell, message);
  }

  private nameOrThrow(name: string): Pid {
    const pid = this.kernel.names.whereis(name);
    if (pid !== undefined) return pid;
    throw new SnowmeshError(
      'SNOW_ERR_NAME_UNKNOWN',
      `No actor of this node is registered as ${JSON.stringify(name)}: look it up with whereis first, or send to { name, node }, which never throws.`,
      {
        details: { name },
      },
    );
  }
}
