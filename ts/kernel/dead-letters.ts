import { inspect } from 'node:util';
import { messageDrop } from '../diagnostics/index.ts';
import { checkFunction } from '../errors/index.ts';
import { promiseOf } from './promise.ts';

/**
 * Why a message was lost.
 *
 * - `noproc`: its receiver has ended
 * - `no_name`: no actor has the name
 * - `alias`: the alias is not active
 * - `dropped_new`, `dropped_old`: the limit of the mailbox dropped it, as the newest or as the oldest message
 * - `unread`: its receiver ended before it took the message
 * - `late_reply`: the answer came after the caller gave up
 * - `noconnection`: the other node could not be reached
 * - `remote_full`: too many bytes waited to be sent to the other node
 * - `unsendable`: a timer fired with a message that is too large to be sent to another node
 * - `dead_sender`: its sender had ended
 * - `unasked`: a node answered a request that was sent to another node
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

/** Gets each loss: the reason, the target as text, and how many messages. It never gets the messages. */
export type DeadLetterListener = (reason: DeadLetterReason, target: string, count: number) => void;

/**
 * Counts lost messages by reason. A sender does not learn that its message was lost, as in Erlang; these counts show it.
 *
 * @example
 * node.deadLetters.subscribe((reason, target, count) => console.warn(`${count} lost for ${target}: ${reason}`));
 */
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
  readonly #runtime: object;

  /** @internal @param runtime whose messages they are. */
  constructor(runtime: object) {
    this.#runtime = runtime;
  }

  /** The counts by reason: a copy. */
  get counts(): Readonly<Record<DeadLetterReason, number>> {
    return { ...this.tally };
  }

  /** @internal What a log of JSON lines gets: the counts. */
  toJSON(): Readonly<Record<DeadLetterReason, number>> {
    return this.counts;
  }

  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    return `DeadLetters ${inspect(this.tally)}`;
  }

  /** How many messages were lost, for all reasons together. */
  get total(): number {
    return Object.values(this.tally).reduce((sum, count) => sum + count, 0);
  }

  /**
   * Calls `listener` for each loss from now on. It runs on the sender's stack, so it should do little; what it throws is ignored.
   *
   * @returns A function that ends the subscription.
   * @throws SNOW_ERR_BAD_ARGUMENT when `listener` is not a function.
   */
  subscribe(listener: DeadLetterListener): () => void {
    checkFunction('subscribe', listener);
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** @internal Counts a loss. */
  count(reason: DeadLetterReason, target: unknown, count = 1): void {
    this.tally[reason] += count;
    if (messageDrop.hasSubscribers)
      messageDrop.publish({ runtime: this.#runtime, reason, target: nameOf(target), count });
    if (this.listeners.size === 0) return;
    for (const listener of this.listeners) {
      try {
        promiseOf(listener(reason, nameOf(target), count))?.catch(() => {});
      } catch {
        // A listener that fails must not disturb the sender.
      }
    }
  }
}

function nameOf(target: unknown): string {
  const isAddress = typeof target === 'object' && target !== null && 'node' in target && 'name' in target;
  return isAddress ? `${target.name} at ${target.node}` : String(target);
}
