/**
 * Why a message reached nobody: its actor is gone (`noproc`), nobody has the name (`noname`), the alias is not active (`noalias`), a
 * mailbox limit dropped it (`mailbox_full`), no connection could be made (`noconnection`), too much waits for a peer (`overflow`),
 * or a peer sent something addressed to an earlier life (`stale`).
 */
export type DeadLetterReason =
  | 'noproc'
  | 'noname'
  | 'noalias'
  | 'mailbox_full'
  | 'noconnection'
  | 'overflow'
  | 'stale';

/** Messages that reached nobody, counted by reason. Losing a message is silent for the sender, never for the operator. */
export class DeadLetters {
  /** Called for each; keep it cheap. An error it throws is ignored. */
  onDeadLetter: ((reason: DeadLetterReason, to: string) => void) | undefined;
  private readonly counts = new Map<DeadLetterReason, number>();

  add(reason: DeadLetterReason, to: unknown, count = 1): void {
    if (count === 0) return;
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + count);
    if (this.onDeadLetter === undefined) return;
    try {
      this.onDeadLetter(reason, String(to));
    } catch {
      // An observer must not change what it observes.
    }
  }

  /** How many so far, of one reason or of all. */
  count(reason?: DeadLetterReason): number {
    if (reason !== undefined) return this.counts.get(reason) ?? 0;
    let sum = 0;
    for (const count of this.counts.values()) sum += count;
    return sum;
  }

  /** All counts by reason. */
  toJSON(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }
}
