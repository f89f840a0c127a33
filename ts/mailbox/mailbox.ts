import { Cursors, type FreshKey, type Keys } from './cursors.ts';
import { HOLE, SEGMENT, Segment } from './segment.ts';

/** What {@link Mailbox.take} returns when nothing matches. */
export const NOTHING: unique symbol = Symbol('snowmesh.nothing');

/** Which messages `take` takes. */
export interface Matcher {
  /** Whether it takes this one. If it throws, `take` throws the same and takes nothing. It may add messages, but not take any. */
  takes(message: unknown): boolean;
  /**
   * The position of the first in `slots[from]` to `slots[to - 1]` that it takes, or -1. Such a matcher runs no code that could change
   * the mailbox, and does not take HOLE.
   */
  readonly firstIn?: ((slots: readonly unknown[], from: number, to: number) => number) | undefined;
  /**
   * Takes every message that matches one of the keys of the search; this matcher takes only some of them. Absent: this matcher takes
   * them all. The mailbox remembers for the keys how far it searched with `broad`.
   */
  readonly broad?: Matcher | undefined;
}

/** With so many messages a mailbox is long. */
export const LONG_MAILBOX = 10_000;

/** Who is told that a mailbox is long. */
export interface MailboxOwner {
  /** The mailbox has become long, or twice as long as it was then, or four times, … */
  mailboxIsLong(): void;
}

/** The value of `only` when it holds no message. */
const EMPTY: unique symbol = Symbol('snowmesh.empty');

/**
 * A queue of messages.
 *
 * ```
 *   one message:   only
 *   more:          head                         tail
 *                  [ · · · m m H m … m ] ◄──► [ m m m m _ _ _ _ ]       H: a hole, taken from the middle
 *                          ▲ start                      ▲ end
 * ```
 *
 * Either the single message is in `only`, or all messages are in segments. A segment without messages leaves the chain at once,
 * wherever it is: taking messages from behind a long backlog leaves no empty segments.
 */
export class Mailbox {
  /** How many messages are in it. */
  size = 0;
  private only: unknown = EMPTY;
  /** @internal */
  head: Segment | null = null;
  /** @internal */
  tail: Segment | null = null;
  /** Made when a position is first remembered. */
  private cursors: Cursors | null = null;

  /** Puts a message at the end. O(1). `owner` is told of a long mailbox. */
  push(message: unknown, owner?: MailboxOwner): void {
    if (this.size++ === 0) {
      this.only = message;
      return;
    }
    if (this.only !== EMPTY) this.unfold();
    this.append(message, owner);
  }

  /** Removes and returns the oldest message. `size` must not be 0. O(1). */
  shift(): unknown {
    this.size--;
    if (this.only !== EMPTY) {
      const message = this.only;
      this.only = EMPTY;
      return message;
    }
    const head = this.head as Segment;
    const { slots } = head;
    let index = head.start;
    while (slots[index] === HOLE) index++;
    const message = slots[index];
    slots[index] = undefined;
    head.start = index + 1;
    if (--head.live === 0) this.release(head);
    return message;
  }

  /**
   * Removes and returns the oldest message that `matcher` takes, or NOTHING. With `keys`, the mailbox remembers how far it searched:
   * the next `take` with the same keys continues there. O(messages that were not tested for these keys yet).
   */
  take(matcher: Matcher, keys: Keys): unknown {
    if (this.size === 0) return NOTHING;
    let tested = 0;
    if (this.only !== EMPTY) {
      const message = this.only;
      // The matcher may be user code that adds messages: the tested one may be in a segment now. Or it has ended its own actor.
      if (matcher.takes(message)) return this.size === 0 ? NOTHING : this.shift();
      // A broad matcher may still take it: then the search for the keys stays before it.
      if (matcher.broad === undefined) tested = 1;
      if (this.only !== EMPTY) this.unfold();
    }
    return this.search(matcher, keys, tested);
  }

  /** Remembers that no message now in the mailbox can match `key`, which is a new reference. O(1). */
  mark(key: FreshKey): void {
    if (this.size === 0) return;
    if (this.only !== EMPTY) this.unfold();
    const tail = this.tail as Segment;
    this.memory().mark(key, tail, tail.end);
  }

  /**
   * The first message since `key` was marked, often the one that {@link take} looks for. HOLE, NOTHING, undefined: only a search can tell.
   * O(1).
   */
  firstSince(key: FreshKey): unknown {
    const mark = this.cursors?.marked(key);
    if (mark === undefined || mark.index >= mark.segment.end) return NOTHING;
    return mark.segment.slots[mark.index];
  }

  /** Removes the message that {@link firstSince} returned. O(1). */
  removeFirstSince(key: FreshKey): void {
    const mark = this.cursors?.marked(key);
    if (mark !== undefined) this.remove(mark.segment, mark.index);
  }

  /** Drops what is remembered for `key`. */
  forget(key: unknown): void {
    this.cursors?.forget(key);
  }

  /** Drops all messages; returns how many there were. */
  clear(): number {
    const dropped = this.size;
    for (let segment = this.head; segment !== null; ) {
      const { next } = segment;
      segment.release();
      segment = next;
    }
    this.only = EMPTY;
    this.size = 0;
    this.head = this.tail = this.cursors = null;
    return dropped;
  }

  /** The messages, oldest first. O(n). The mailbox must not change meanwhile. */
  *[Symbol.iterator](): Iterator<unknown> {
    if (this.only !== EMPTY) yield this.only;
    for (let segment = this.head; segment !== null; segment = segment.next) {
      for (let index = segment.start; index < segment.end; index++) {
        if (segment.slots[index] !== HOLE) yield segment.slots[index];
      }
    }
  }

  /** @param tested how many messages at the front the matcher has refused already. */
  private search(matcher: Matcher, keys: Keys, tested: number): unknown {
    if (this.head === null) return NOTHING;
    const hasKeys = !Array.isArray(keys) || keys.length > 0;
    const from = hasKeys && this.cursors !== null ? this.cursors.start(keys, this) : null;
    const broad = hasKeys ? matcher.broad : undefined;
    let index = this.firstFrom(
      from?.segment ?? this.head,
      from?.index ?? this.head.start + tested,
      broad ?? matcher,
    );
    if (index < 0) {
      if (hasKeys && this.tail !== null) this.memory().advance(keys, from, this.tail, this.tail.end, this);
      return NOTHING;
    }
    if (hasKeys) this.memory().advance(keys, from, reached, index, this);
    if (broad !== undefined) index = this.firstFrom(reached, index, matcher);
    return index < 0 ? NOTHING : this.remove(reached, index);
  }

  /** The position of the first message from `index` of `from` on that `matcher` takes, or -1. `reached` is its segment then. */
  private firstFrom(from: Segment, index: number, matcher: Matcher): number {
    let segment = from;
    let start = Math.max(index, segment.start);
    for (;;) {
      const found =
        matcher.firstIn === undefined
          ? firstThatPasses(matcher, segment, start)
          : matcher.firstIn(segment.slots, start, segment.end);
      if (found >= 0) {
        reached = segment;
        return found;
      }
      // The mailbox is empty now if the matcher ended its own actor.
      if (this.head === null || segment.next === null) return -1;
      segment = segment.next;
      start = segment.start;
    }
  }

  private remove(segment: Segment, index: number): unknown {
    const message = segment.slots[index];
    this.size--;
    if (index === segment.start) {
      segment.slots[index] = undefined;
      segment.start = index + 1;
    } else segment.slots[index] = HOLE;
    if (--segment.live === 0) this.release(segment);
    return message;
  }

  private append(message: unknown, owner?: MailboxOwner): void {
    let tail = this.tail;
    if (tail === null || tail.end === SEGMENT) tail = this.grow(owner);
    tail.slots[tail.end++] = message;
    tail.live++;
  }

  /** Moves the only message into a segment. */
  private unfold(): void {
    const message = this.only;
    this.only = EMPTY;
    this.append(message);
  }

  private grow(owner: MailboxOwner | undefined): Segment {
    if (this.size >= LONG_MAILBOX) this.tell(owner);
    const last = this.tail;
    const segment = Segment.take(last === null ? 0 : last.base + SEGMENT);
    segment.previous = last;
    if (last === null) this.head = segment;
    else last.next = segment;
    this.tail = segment;
    if (last !== null && last.live === 0) this.release(last);
    return segment;
  }

  /** Since the segment before this one was added, at most SEGMENT messages came: a mark is passed in one of these steps. */
  private tell(owner: MailboxOwner | undefined): void {
    let mark = LONG_MAILBOX;
    while (2 * mark <= this.size) mark *= 2;
    if (this.size - mark < SEGMENT) owner?.mailboxIsLong();
  }

  /** Takes a segment without messages out of the chain. */
  private release(segment: Segment): void {
    const { previous, next } = segment;
    if (this.size === 0) {
      // An empty mailbox needs no cursors. The tail may be another segment, whose messages were taken before.
      if (this.tail !== segment) this.tail?.release();
      this.head = this.tail = null;
      this.cursors?.clear();
    } else if (next === null) {
      // The tail stays: it has unused slots, and cursors point to its end.
      return;
    } else {
      if (previous === null) this.head = next;
      else previous.next = next;
      next.previous = previous;
    }
    segment.release();
  }

  private memory(): Cursors {
    this.cursors ??= new Cursors();
    return this.cursors;
  }
}

/** The segment of the position that `firstFrom` returned last. Read it at once: the next search overwrites it. */
let reached: Segment;

/**
 * The position of the first message of `segment` from `index` on that user code takes, or -1. That code may add messages to the
 * segment, or empty the mailbox: then the segment may be in use elsewhere.
 */
function firstThatPasses(matcher: Matcher, segment: Segment, index: number): number {
  const { slots, use } = segment;
  for (let at = index; at < segment.end; at++) {
    const message = slots[at];
    if (message === HOLE) continue;
    const passes = matcher.takes(message);
    if (segment.use !== use) return -1;
    if (passes) return at;
  }
  return -1;
}
