import { messageDrop } from '../diagnostics/index.ts';

/**
 * Why a message was lost: its actor is gone (`noproc`), no actor has the name (`no_name`), the alias is not active
 * (`alias`), a mailbox limit dropped the newest or the oldest (`dropped_new`, `dropped_old`), its receiver died first
 * (`unread`), the answer came after the caller gave up (`late_reply`), no connection could be made (`noconnection`),
 * too much waits for a peer (`remote_full`), it could not be encoded late (`unsendable`), its sender had ended (`dead_sender`),
 * or it answers what its node was not asked (`unasked`).
 */
export type DeadLetterReason =
  | 'noproc'
  | 'no_name'
  | 'alias'
  | 'dropped_new'
  | 'dropped_old'
  | 'unread'
  | 'late_reply'
  | 'noconnection'
  | 'remote_full'
  | 'unsendable'
  | 'dead_sender'
  | 'unasked';

/** Is told of lost messages: the reason, the target, how many. Never the payload. */
export type DeadLetterListener = (reason: DeadLetterReason, target: string, count: number) => void;

/** Lost messages, counted by reason: the sender is not told of a loss, the operator can see it. */
export class DeadLetters {
  private readonly tally: Record<DeadLetterReason, number> = {
    noproc: 0,
    no_name: 0,
    alias: 0,
    dropped_new: 0,
    dropped_old: 0,
    unread: 0,
    late_reply: 0,
    noconnection: 0,
    remote_full: 0,
    unsendable: 0,
    dead_sender: 0,
    unasked: 0,
  };
  private readonly listeners = new Set<DeadLetterListener>();
  private readonly runtime: object;

  /** @internal @param runtime whose messages they are. */
  constructor(runtime: object) {
    this.runtime = runtime;
  }

  /** A copy of the counts by reason. */
  get counts(): Readonly<Record<DeadLetterReason, number>> {
    return { ...this.tally };
  }

  /** How many there were of all reasons. */
  get total(): number {
    return Object.values(this.tally).reduce((sum, count) => sum + count, 0);
  }

  /** Calls `listener` for each loss from now on, on the sender's stack: keep it cheap. Returns the way to stop. */
  subscribe(listener: DeadLetterListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Counts a loss. For all floors. */
  count(reason: DeadLetterReason, target: unknown, count = 1): void {
    this.tally[reason] += count;
    if (messageDrop.hasSubscribers)
      messageDrop.publish({ runtime: this.runtime, reason, target: nameOf(target), count });
    if (this.listeners.size === 0) return;
    for (const listener of this.listeners) {
      try {
        listener(reason, nameOf(target), count);
      } catch {
        // An observer must not change what it observes.
      }
    }
  }
}

function nameOf(target: unknown): string {
  const isAddress = typeof target === 'object' && target !== null && 'node' in target && 'name' in target;
  return isAddress ? `${target.name} at ${target.node}` : String(target);
}
