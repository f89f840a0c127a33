import { OldestFirst } from '../collections/index.ts';
import {
  Cell,
  inBudget,
  inSend,
  type Kernel,
  type MailboxGate,
  type NodeAddress,
  ownCell,
} from '../kernel/index.ts';
import { checkDest, type Dest, type Sender } from '../send/index.ts';
import { Pid, Ref } from '../term/index.ts';
import { CallError } from './call-error.ts';
import type { OutboundCalls } from './outbound-calls.ts';

/** Actors of other nodes whose mailbox is known not to block. One more costs a round trip. */
const MAX_UNLIMITED = 4096;

/** `sendWait`: waits for room in the target's mailbox if its limit has the policy `block`, and in the send queue to its node. */
export class AwaitedSends {
  private readonly kernel: Kernel;
  private readonly sender: Sender;
  private readonly calls: OutboundCalls;
  /**
   * Actors of other nodes whose mailbox does not have the policy `block`, by the key of their PID: sends to them need no answer. Each
   * message brings other objects for the same PIDs.
   */
  private readonly unlimited = new OldestFirst<string, true>();

  constructor(kernel: Kernel, sender: Sender, calls: OutboundCalls) {
    this.kernel = kernel;
    this.sender = sender;
    this.calls = calls;
  }

  /** Sends once there is room. `from` null: code outside of actors. If `from` dies, the promise stays pending (A7). */
  send(from: Cell | null, to: Dest<never>, message: unknown): Promise<void> {
    return inBudget(this.kernel, from, this.sendWhenRoom(from, to, message));
  }

  private async sendWhenRoom(from: Cell | null, to: Dest<never>, message: unknown): Promise<void> {
    checkDest(to);
    for (;;) {
      const target = this.targetOf(to);
      if (target === undefined || target instanceof Cell) {
        const gate = blockingGate(target);
        if (gate === undefined) return this.sender.send(from, to, message);
        await gate.room(from);
        const isSame = from?.isDead !== true && this.targetOf(to) === target;
        // The sender died, or the name belongs to another actor now: the next blocked sender gets the place.
        gate.use(() => isSame && this.sender.send(from, to, message));
        if (isSame) return;
      } else {
        const room = this.kernel.remote.whenWritable(target);
        if (room === undefined) return this.sendRemote(from, target, message);
        await room;
      }
      if (from?.isDead === true) return;
    }
  }

  /** Resolves when the message is in the mailbox, or the target is gone. */
  private async sendRemote(from: Cell | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> {
    const pid = from === null ? null : from.pid;
    if (to instanceof Pid && this.unlimited.has(to.key))
      return inSend(this.kernel, from, to, () => this.kernel.remote.sendInSlices(pid, to, message));
    try {
      const isBlocking = await inSend(this.kernel, from, to, () => this.calls.deliver(pid, to, message));
      if (isBlocking === false && to instanceof Pid) this.needsNoAnswer(to);
    } catch (error) {
      if (!(error instanceof CallError) || error.state === 'overload') throw error;
      // The target has ended: the message is lost, as with `send`. Its node counts it, unless that cannot be reached.
      if (error.state === 'nodedown') this.kernel.deadLetters.count('noconnection', to);
    }
  }

  private needsNoAnswer({ key }: Pid): void {
    this.unlimited.set(key, true);
    if (this.unlimited.size > MAX_UNLIMITED) this.unlimited.takeOldest();
  }

  /** The local actor that `to` denotes now, or an address on another node; undefined: no actor. */
  private targetOf(to: Dest<never>): Cell | Exclude<Dest<never>, string> | undefined {
    const { kernel } = this;
    if (to instanceof Ref) return to.nc === 0 ? kernel.aliases.get(to)?.cell : to;
    const isName = typeof to === 'string';
    if (!isName && !(to instanceof Pid) && !kernel.isSelf(to.node)) return to;
    const pid = to instanceof Pid ? to : kernel.names.whereis(isName ? to : to.name);
    if (pid === undefined || pid.nc !== 0) return pid;
    return ownCell(kernel, pid);
  }
}

/** The limit that blocks a sender to this target now, if any. */
function blockingGate(target: Cell | undefined): MailboxGate | undefined {
  const gate = target?.extra?.gate;
  return gate?.policy === 'block' && gate.blocks ? gate : undefined;
}
