import { Down, type Self, TIMEOUT, Timeout } from '../actor/index.ts';
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
 * hang it (J17); one that is gone already, or whose node is lost, gives its DOWN at once.
 */
export async function stopChild(self: Self, { pid, shutdown }: Leaving): Promise<unknown> {
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

function receiveDown(self: Self, ref: Ref, shutdown: number | 'infinity'): Promise<Down | typeof TIMEOUT> {
  return shutdown === 'infinity' ? self.receive<Down>(ref) : self.receive<Down>(ref, { timeout: shutdown });
}

/**
 * Ends many children at once (J16): all are asked together, and those with the same patience have one common deadline.
 * `onDown` hears of each end. O(n), whatever else is in the mailbox.
 *
 * Only for a supervisor that is about to end: it takes every message meanwhile and acts on none but the DOWNs.
 */
export async function stopAllAtOnce(
  self: Self,
  leaving: Iterable<Leaving>,
  onDown: (pid: Pid, reason: unknown) => void,
): Promise<void> {
  const waiting = new Map<string, Pid>();
  const byPatience = new Map<number, Pid[]>();
  for (const { pid, shutdown } of leaving) {
    waiting.set(self.monitor(pid).key, pid);
    self.unlink(pid);
    self.sendExit(pid, shutdown === 'brutalKill' ? 'kill' : 'shutdown');
    if (typeof shutdown !== 'number') continue;
    const group = byPatience.get(shutdown);
    if (group === undefined) byPatience.set(shutdown, [pid]);
    else group.push(pid);
  }
  const deadlines = [...byPatience].map(([patience, group]) =>
    self.startTimer(patience, self.pid, group.length),
  );
  const groups = new Map([...byPatience.values()].map((group, index) => [deadlines[index], group]));
  while (waiting.size > 0) {
    const message = await self.receive();
    if (message instanceof Down) {
      const pid = waiting.get(message.ref.key);
      if (pid === undefined) continue;
      waiting.delete(message.ref.key);
      onDown(pid, message.reason);
    } else if (message instanceof Timeout) {
      // Those of the group that are gone do not mind.
      for (const pid of groups.get(message.ref) ?? []) self.sendExit(pid, 'kill');
    }
  }
  for (const deadline of deadlines) self.cancelTimer(deadline);
}
