import {
  Cell,
  inPace,
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

/** Sends that wait for room: in the target's mailbox when its limit has the policy `block`, and on the way to its node. */
export class AwaitedSends {
  private readonly kernel: Kernel;
  private readonly sender: Sender;
  private readonly calls: OutboundCalls;
  /** Actors of other nodes whose mailbox makes no sender wait: what is sent to them needs no answer. */
  private readonly unlimited = new WeakSet<Pid>();

  constructor(kernel: Kernel, sender: Sender, calls: OutboundCalls) {
    this.kernel = kernel;
    this.sender = sender;
    this.calls = calls;
  }

  /** Sends once there is room. `from` null: code outside of actors. Once `from` is dead, the promise stays pending (A7). */
  send(from: Cell | null, to: Dest<never>, message: unknown): Promise<void> {
    return inPace(this.kernel, from, this.sendWhenRoom(from, to, message));
  }

  private async sendWhenRoom(from: Cell | null, to: Dest<never>, message: unknown): Promise<void> {
    checkDest(to);
    for (;;) {
      const target = this.targetOf(to);
      if (target === undefined || target instanceof Cell) {
        const gate = blockingGate(target);
        if (gate === undefined) return this.sender.send(from, to, message);
        await gate.room(from);
        const isMeant = from?.isDead !== true && this.targetOf(to) === target;
        // Not sending to this target: the next blocked sender takes the place.
        gate.use(() => isMeant && this.sender.send(from, to, message));
        if (isMeant) return;
      } else {
        const room = this.kernel.remote.whenWritable(target);
        if (room === undefined) return this.sendFar(from, target, message);
        await room;
      }
      if (from?.isDead === true) return;
    }
  }

  /** Resolves when the message is in the mailbox, or the target is gone. */
  private async sendFar(from: Cell | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> {
    const pid = from === null ? null : from.pid;
    if (to instanceof Pid && this.unlimited.has(to))
      return inSend(this.kernel, from, to, () => this.kernel.remote.sendGently(pid, to, message));
    try {
      const isBlocking = await inSend(this.kernel, from, to, () => this.calls.deliver(pid, to, message));
      if (isBlocking === false && to instanceof Pid) this.unlimited.add(to);
    } catch (error) {
      if (!(error instanceof CallError) || error.state === 'overload') throw error;
      // The target is gone: the message is lost, as with `send`. The other node counts it, unless it is out of reach.
      if (error.state === 'nodedown') this.kernel.deadLetters.count('noconnection', to);
    }
  }

  /** The actor here that `to` means now, or the address of one on another node; undefined: no actor. */
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

/** The limit that makes a sender wait now. */
function blockingGate(target: Cell | undefined): MailboxGate | undefined {
  const gate = target?.extra?.gate;
  return gate?.policy === 'block' && gate.isFull ? gate : undefined;
}
