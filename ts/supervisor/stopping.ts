import { Down, Exit, type Self, TIMEOUT, Timeout } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Shutdown } from './child-spec.ts';

/** A child to stop, and its time limit. */
export interface Leaving {
  readonly pid: Pid;
  readonly shutdown: Shutdown;
}

/**
 * Stops one child and resolves to its exit reason (J15): sends `shutdown`, then `kill` when its time is over.
 *
 * The supervisor waits for the DOWN of a monitor, not for the exit of the link, so a child that unlinked itself cannot block it (J17). A
 * child that has ended, or whose node is lost, sends its DOWN at once. A node that does not respond counts as lost after `downMs` (S6).
 * The ends of further children on that node are in the mailbox then: they are not stopped again.
 */
export async function stopChild(self: Self, { pid, shutdown }: Leaving): Promise<unknown> {
  const gone = pid.isLocal ? TIMEOUT : await self.receive(endOf(pid), { timeout: 0 });
  if (gone !== TIMEOUT) return gone.reason;
  const ref = self.monitor(pid);
  self.unlink(pid);
  if (shutdown !== 'brutalKill') {
    self.sendExit(pid, 'shutdown');
    const down = await receiveDown(self, ref, shutdown);
    if (down !== TIMEOUT) return down.reason;
  }
  self.sendExit(pid, 'kill');
  return (await self.receive<Down>(ref)).reason;
}

function endOf(pid: Pid): (message: unknown) => message is Exit {
  return (message): message is Exit =>
    message instanceof Exit && Exit.isEnd(message) && message.from.equals(pid);
}

function receiveDown(self: Self, ref: Ref, shutdown: number | 'infinity'): Promise<Down | typeof TIMEOUT> {
  return shutdown === 'infinity' ? self.receive<Down>(ref) : self.receive<Down>(ref, { timeout: shutdown });
}

/**
 * Stops many children in parallel (J16): all are sent `shutdown` first, and those with the same time limit share one timer.
 * `onDown` is called for each end. O(n), whatever else is in the mailbox.
 *
 * Only for a supervisor that is about to end: it receives every message meanwhile and drops all but the DOWNs.
 */
export async function stopAllAtOnce(
  self: Self,
  leaving: Iterable<Leaving>,
  onDown: (pid: Pid, reason: unknown) => void,
): Promise<void> {
  const waiting = new Map<number, Leaving>();
  const deadlines = new Set<number>();
  for (const child of leaving) {
    const { pid, shutdown } = child;
    waiting.set(self.monitor(pid).id, child);
    self.unlink(pid);
    self.sendExit(pid, shutdown === 'brutalKill' ? 'kill' : 'shutdown');
    if (typeof shutdown === 'number' && !deadlines.has(shutdown)) {
      deadlines.add(shutdown);
      self.startTimer(shutdown, self.pid, shutdown);
    }
  }
  while (waiting.size > 0) {
    const message = await self.receive();
    if (message instanceof Down) {
      const child = waiting.get(message.ref.id);
      if (child === undefined) continue;
      waiting.delete(message.ref.id);
      onDown(child.pid, message.reason);
    } else if (message instanceof Timeout) {
      for (const { pid, shutdown } of waiting.values()) {
        if (shutdown === message.message) self.sendExit(pid, 'kill');
      }
    }
  }
}
