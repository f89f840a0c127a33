import type { RoomMessage } from './room-message.ts';

/** How a message continues those of its origin: it is the next one, it was here already, or messages before it are missing. */
export type ArrivalOrder = 'next' | 'repeat' | 'gap';

const NONE: readonly RoomMessage[] = [];

/**
 * The messages of one origin in one room.
 *
 * Each message names the message before it of the same origin. So consecutive kept messages prove that nothing is missing between them, and
 * `newest` proves that nothing is missing after them.
 */
export class OriginLog {
  /**
   * Every message up to this sequence has arrived here, or was sent before the room followed the origin. Undefined: the room does not follow
   * the origin.
   */
  last: number | undefined = undefined;
  /** Sequence of the newest message that is known to exist; 0: none is known. */
  newest = 0;
  /** The kept messages, by ascending sequence. */
  readonly kept: RoomMessage[] = [];
  /** Messages after `last` are missing and are being fetched: members will get them, or be told `resync`. */
  isAwaited = false;
  /** When the last message arrived that was dropped because of a limit, in ms of the monotonic clock. */
  droppedAt = Number.NEGATIVE_INFINITY;
  /** All members say that they have the messages up to this sequence. Undefined: nothing was said, or it is known. */
  #claimed: number | undefined = undefined;

  /** The room follows the origin; messages up to `sequence` are not for it. */
  startAt(sequence: number): void {
    this.last = Math.max(this.last ?? 0, sequence);
  }

  /**
   * A member follows the origin from `sequence` on, so the room follows it at least from there, but not from before `newest`.
   *
   * @param claimed what the member says that it has. That may be a lie, so it counts only once the origin has said what it has sent.
   */
  followFrom(sequence: number, claimed: number): void {
    const { last } = this;
    const from = Math.max(sequence, this.newest);
    this.last = Math.min(last ?? from, from);
    if (last === undefined) this.#claimed = claimed;
    else if (this.#claimed !== undefined) this.#claimed = Math.min(this.#claimed, claimed);
  }

  /** Members get the messages up to `sequence`: those that have not said that they have some of them, get the ones after it, too. */
  reach(sequence: number): void {
    this.last = sequence;
    this.#claimed = undefined;
  }

  /** The origin itself says that it has sent `counter` messages: members that said that they have some of them do. */
  believe(counter: number): void {
    if (this.#claimed !== undefined) this.startAt(Math.min(this.#claimed, counter));
    this.#claimed = undefined;
  }

  /** A message with this sequence exists, whether it arrives here or not. */
  noteNewest(sequence: number): void {
    this.newest = Math.max(this.newest, sequence);
  }

  orderOf({ sequence, previous }: RoomMessage): ArrivalOrder {
    const { last } = this;
    if (last === undefined) return 'next';
    return sequence <= last ? 'repeat' : previous <= last ? 'next' : 'gap';
  }

  /** Sorts the kept messages after some were added at the end, and removes duplicates. */
  sortKept(): void {
    const { kept } = this;
    kept.sort((a, b) => a.sequence - b.sequence);
    const unique = kept.filter((each, index) => each.sequence !== kept[index - 1]?.sequence);
    kept.splice(0, kept.length, ...unique);
  }

  /** The kept messages that follow `last` without a gap. `last` becomes the sequence of the newest of them. */
  advance(): RoomMessage[] {
    if (this.last === undefined) return [];
    const next = this.following(this.last);
    const end = next.at(-1);
    if (end !== undefined) this.reach(end.sequence);
    return next;
  }

  /** Gives up the messages that are missing before the first kept message after `last`. False: nothing is missing there. */
  skipGap(): boolean {
    const { last } = this;
    if (last === undefined) return false;
    const first = this.kept.find(({ sequence }) => sequence > last);
    if (first === undefined || first.previous <= last) return false;
    this.last = first.previous;
    return true;
  }

  /** The kept messages that follow the message `after` without a gap. */
  following(after: number): RoomMessage[] {
    const found: RoomMessage[] = [];
    let end = after;
    for (const message of this.kept) {
      if (message.sequence <= end) continue;
      if (message.previous > end) break;
      found.push(message);
      end = message.sequence;
    }
    return found;
  }

  /**
   * Whether a client that has the messages up to `seen`, and gets `row` after them, may lack others. What members wait for, it gets as one of
   * them.
   */
  hasGap(seen: number, row: readonly RoomMessage[]): boolean {
    const reached = row.at(-1)?.sequence ?? seen;
    return reached < this.newest && !(this.isAwaited && reached >= (this.last ?? Number.POSITIVE_INFINITY));
  }

  /**
   * The origin itself says that it has sent `counter` messages, the last one into this room with the sequence `newest`. Removes what peers
   * reported beyond that.
   *
   * @returns the removed messages; undefined: peers reported nothing beyond it.
   */
  correct(counter: number, newest: number): RoomMessage[] | undefined {
    if (Math.max(this.newest, this.last ?? 0) <= counter) return undefined;
    this.newest = newest;
    this.last = undefined;
    const from = this.kept.findIndex(({ sequence }) => sequence > counter);
    return from < 0 ? [] : this.kept.splice(from);
  }

  /** Drops the oldest kept message because of a limit, and returns it. */
  dropOldest(): RoomMessage | undefined {
    const dropped = this.kept.shift();
    if (dropped !== undefined) this.droppedAt = dropped.arrivedAt;
    return dropped;
  }

  /** Removes and returns the kept messages that arrived before `time`, in ms of the monotonic clock. */
  takeOlder(time: number): readonly RoomMessage[] {
    const { kept } = this;
    let count = 0;
    while (count < kept.length && (kept[count] as RoomMessage).arrivedAt < time) count++;
    return count === 0 ? NONE : kept.splice(0, count);
  }
}
