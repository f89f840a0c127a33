import { Down, Exit, type Self, TIMEOUT, Timeout, type TimerRef } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Shutdown } from './child-spec.ts';

/** A child on its way out, and how long it may take. */
export interface Leaving {
  readonly pid: Pid;
  readonly shutdown: Shutdown;
}

/**
 * Ends one child and resolves to the reason it ended with (J15): `shutdown` first, `kill` when its time is over.
 *
 * The supervisor watches the end by a monitor of its own and not by the link, so a child that unlinked itself cannot
 * hang it (J17); one that is gone already, or whose node is lost, gives its DOWN at once. A node that does not respond is
 * lost after its liveness bound (S6); the end of further children there is known by then, and they are not asked again.
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
  return (message): message is Exit => message instanceof Exit && message.from.equals(pid);
}

function receiveDown(self: Self, ref: Ref, shutdown: number | 'infinity'): Promise<Down | typeof TIMEOUT> {
  return shutdown === 'infinity' ? self.receive<Down>(ref) : self.receive<Down>(ref, { timeout: shutdown });
}

/**
 * Ends many children at once (J16): all are asked together, and those with the same patience have one common deadline.
 * `onDown` is called for each end. O(n), whatever else is in the mailbox.
 *
 * Only for a supervisor that is about to end: it takes every message meanwhile and acts on none but the DOWNs.
 */
export async function stopAllAtOnce(
  self: Self,
  leaving: Iterable<Leaving>,
  onDown: (pid: Pid, reason: unknown) => void,
): Promise<void> {
  const waiting = new Map<number, Leaving>();
  const deadlines = new Map<number, TimerRef>();
  for (const child of leaving) {
    const { pid, shutdown } = child;
    waiting.set(self.monitor(pid).id, child);
    self.unlink(pid);
    self.sendExit(pid, shutdown === 'brutalKill' ? 'kill' : 'shutdown');
    if (typeof shutdown === 'number' && !deadlines.has(shutdown)) {
      deadlines.set(shutdown, self.startTimer(shutdown, self.pid, shutdown));
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
  for (const deadline of deadlines.values()) self.cancelTimer(deadline);
}
