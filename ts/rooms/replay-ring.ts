import type { Cursor } from '../client/index.ts';
import {
  ENDED_ORIGINS_KEPT,
  MAX_CURSOR,
  MAX_ROOM_ORIGINS,
  MESSAGE_OVERHEAD_BYTES,
  type ResumeLimits,
} from './limits.ts';
import { type ForgottenOrigin, inOrderOfArrival, type RoomMessage } from './room-message.ts';

/** What is known of one origin in one room. */
interface Position {
  /** Everything of the origin up to this sequence has come, or was before this node listened; undefined: it does not listen. */
  last: number | undefined;
  /** The newest message that there was, as far as is known. */
  newest: number;
  /** Kept messages, in order. */
  readonly kept: RoomMessage[];
}

/** What a message is to a room that follows its origin. */
export type Verdict = 'next' | 'repeat' | 'gap';

/**
 * The last messages of one room, of all origins, for clients that reconnect.
 *
 * Each message names the one before it of its origin, so a row of kept messages proves by itself that nothing is missing
 * between them; `newest` proves that nothing is missing behind them.
 */
export class ReplayRing {
  #count = 0;
  #bytes = 0;
  readonly #positions = new Map<string, Position>();
  /** With more origins, `tooManyOrigins` looks for some to be forgotten. */
  #mostOrigins = MAX_ROOM_ORIGINS;

  /** Messages kept. */
  get size(): number {
    return this.#count;
  }

  /** What the kept messages take in memory, about. */
  get weight(): number {
    return this.#bytes + this.#count * MESSAGE_OVERHEAD_BYTES;
  }

  /** Sequence up to which nothing of an origin is missing; undefined: nothing is known of it. */
  last(origin: string): number | undefined {
    return this.#positions.get(origin)?.last;
  }

  knows(origin: string): boolean {
    return this.#positions.has(origin);
  }

  /** Sequence of the newest message of an origin; 0: none. */
  newest(origin: string): number {
    return this.#positions.get(origin)?.newest ?? 0;
  }

  /** Sequence of the newest kept message of an origin. */
  newestKept(origin: string): number | undefined {
    return this.#positions.get(origin)?.kept.at(-1)?.sequence;
  }

  /** Origins and the sequences up to which nothing of them is missing: what a client that joins now starts from. */
  cursor(): Cursor {
    const cursor: Record<string, number> = {};
    for (const [origin, { last, newest }] of this.#positions) cursor[origin] = last ?? newest;
    return cursor;
  }

  /** The newest message of each origin. */
  newestOfAll(): [origin: string, newest: number][] {
    return Array.from(this.#positions, ([origin, { newest }]) => [origin, newest]);
  }

  /** Nothing of an origin up to `sequence` concerns this room: it listens from there on. */
  startAt(origin: string, sequence: number): void {
    const position = this.#positionOf(origin);
    position.last = Math.max(position.last ?? 0, sequence);
  }

  /**
   * A member has these origins from a sequence each. An origin that is not connected is requested from there when it connects again. If
   * members differ, it is requested from the least, but not before the newest message that is known here.
   */
  followOn(from: Cursor): void {
    for (const [origin, sequence] of Object.entries(from)) {
      const position = this.#positionOf(origin);
      const { last, newest } = position;
      position.last = Math.min(last ?? sequence, Math.max(sequence, newest));
      if (last === undefined) this.advance(origin);
    }
  }

  /** There was such a message of an origin, whether it comes here or not. */
  heardOf(origin: string, sequence: number): void {
    const position = this.#positionOf(origin);
    position.newest = Math.max(position.newest, sequence);
  }

  /** A node that is not the origin says so. False: it is not noted, too many origins are known: a cursor has to hold them all. */
  heardFromOthers(origin: string, sequence: number): boolean {
    if (!this.knows(origin) && this.#positions.size >= MAX_CURSOR / 2) return false;
    this.heardOf(origin, sequence);
    return true;
  }

  /**
   * The origin itself says what it has sent: `counter` messages, the last one into this room was `newest`. What others said
   * beyond that is forgotten.
   *
   * @returns whether others said anything beyond: members may have skipped messages for it.
   */
  correct(origin: string, counter: number, newest: number): boolean {
    const position = this.#positions.get(origin);
    if (position === undefined || Math.max(position.newest, position.last ?? 0) <= counter) return false;
    position.newest = newest;
    position.last = undefined;
    const from = position.kept.findIndex(({ sequence }) => sequence > counter);
    if (from >= 0)
      for (const { content } of position.kept.splice(from)) this.#forget(1, content.payload.length);
    return true;
  }

  /** Whether a message is the next of its origin. */
  judge({ origin, sequence, previous }: RoomMessage): Verdict {
    const last = this.#positions.get(origin)?.last;
    if (last === undefined) return 'next';
    return sequence <= last ? 'repeat' : previous <= last ? 'next' : 'gap';
  }

  /** Takes a message that was judged to be the next. */
  push(message: RoomMessage, limits: ResumeLimits): void {
    const position = this.#positionOf(message.origin);
    position.last = message.sequence;
    position.newest = Math.max(position.newest, message.sequence);
    if (limits.windowMs === 0) return;
    // A later one may be here already: told by another peer.
    if ((position.kept.at(-1)?.sequence ?? 0) >= message.sequence) return this.merge([message], limits);
    position.kept.push(message);
    this.#count++;
    this.#bytes += message.content.payload.length;
    this.#shrink(limits);
  }

  /**
   * Adds messages that others have kept, or that came before earlier ones: those that are missing here, wherever they belong.
   * O(messages kept).
   */
  merge(messages: readonly RoomMessage[], limits: ResumeLimits): void {
    const touched = new Set<Position>();
    for (const message of messages) {
      const position = this.#positionOf(message.origin);
      position.kept.push(message);
      position.newest = Math.max(position.newest, message.sequence);
      touched.add(position);
    }
    for (const { kept } of touched) {
      kept.sort((a, b) => a.sequence - b.sequence);
      const unique = kept.filter((each, index) => each.sequence !== kept[index - 1]?.sequence);
      kept.splice(0, kept.length, ...unique);
    }
    this.#count = this.#bytes = 0;
    for (const { kept } of this.#positions.values())
      for (const { content } of kept) this.#forget(-1, -content.payload.length);
    this.#shrink(limits);
  }

  /** The messages of an origin that have become the next ones, in order. */
  advance(origin: string): RoomMessage[] {
    const position = this.#positions.get(origin);
    if (position?.last === undefined) return [];
    const next: RoomMessage[] = [];
    for (const message of position.kept) {
      if (message.sequence <= position.last) continue;
      if (message.previous > position.last) break;
      position.last = message.sequence;
      next.push(message);
    }
    return next;
  }

  /** Gives up what is missing before the first message that waits for it. False: none waits. */
  skipGap(origin: string): boolean {
    const position = this.#positions.get(origin);
    const last = position?.last;
    if (position === undefined || last === undefined) return false;
    const first = position.kept.find(({ sequence }) => sequence > last);
    if (first === undefined || first.previous <= last) return false;
    position.last = first.previous;
    return true;
  }

  /**
   * What a client that has seen `cursor` has missed, in order per origin; undefined: it cannot be proved that nothing is missing.
   * Of an origin that is not in the cursor it has seen nothing.
   *
   * @param from sequences up to which nothing concerns it.
   * @param gaps gets the origins of which something is missing.
   */
  missed(cursor: Cursor, from: Cursor, gaps: Set<string>): RoomMessage[] | undefined {
    const rows: RoomMessage[][] = [];
    const seenOf = (origin: string): number => Math.max(cursor[origin] ?? 0, from[origin] ?? 0);
    for (const [origin, { kept, newest }] of this.#positions) {
      let seen = seenOf(origin);
      const row: RoomMessage[] = [];
      for (const message of kept) {
        if (message.sequence <= seen) continue;
        if (message.previous > seen) break;
        row.push(message);
        seen = message.sequence;
        for (const [each, last] of message.forgotten ?? [])
          if (!this.knows(each) && seenOf(each) < last) gaps.add(each);
      }
      if (seen < newest) gaps.add(origin);
      rows.push(row);
    }
    return gaps.size > 0 ? undefined : inOrderOfArrival(rows);
  }

  /** The kept messages of some origins behind a sequence each. */
  keptAfter(wanted: Iterable<readonly [origin: string, after: number]>): RoomMessage[] {
    const found: RoomMessage[] = [];
    for (const [origin, after] of wanted)
      for (const message of this.#positions.get(origin)?.kept ?? [])
        if (message.sequence > after) found.push(message);
    return found;
  }

  /**
   * Ended origins to be forgotten, when there are more than a room should know: first those of which nothing is kept, then the oldest.
   * O(1), or O(origins) once after many have come.
   */
  tooManyOrigins(isPresent: (origin: string) => boolean): ForgottenOrigin[] {
    if (this.#positions.size <= this.#mostOrigins) return [];
    const ended = [...this.#positions].filter(([origin]) => !isPresent(origin));
    ended.sort(([, a], [, b]) => Number(a.kept.length > 0) - Number(b.kept.length > 0));
    const tooMany = ended.slice(0, Math.max(0, ended.length - ENDED_ORIGINS_KEPT));
    const left = this.#positions.size - tooMany.length;
    this.#mostOrigins = Math.max(MAX_ROOM_ORIGINS, left + ENDED_ORIGINS_KEPT);
    return tooMany.map(([origin, { newest }]) => [origin, newest]);
  }

  /** Forgets origins, but not one of which more is known here than of those that say so. */
  forgetOrigins(origins: readonly ForgottenOrigin[], isPresent: (origin: string) => boolean): void {
    for (const [origin, newest] of origins) {
      const position = this.#positions.get(origin);
      if (position === undefined || position.newest > newest || isPresent(origin)) continue;
      for (const { content } of position.kept) this.#forget(1, content.payload.length);
      this.#positions.delete(origin);
    }
  }

  /** Drops all kept messages. */
  empty(): void {
    this.#count = this.#bytes = 0;
    for (const { kept } of this.#positions.values()) kept.length = 0;
  }

  /** Drops what arrived before `time`. */
  expire(time: number): void {
    for (const { kept } of this.#positions.values()) {
      let gone = 0;
      while (gone < kept.length && (kept[gone] as RoomMessage).arrivedAt < time) gone++;
      if (gone > 0)
        for (const message of kept.splice(0, gone)) this.#forget(1, message.content.payload.length);
    }
  }

  #positionOf(origin: string): Position {
    let position = this.#positions.get(origin);
    if (position === undefined) {
      position = { last: undefined, newest: 0, kept: [] };
      this.#positions.set(origin, position);
    }
    return position;
  }

  /** O(origins) for each that goes. */
  #shrink(limits: ResumeLimits): void {
    while (this.#count > limits.count || this.#bytes > limits.bytes) {
      let oldest: Position | undefined;
      for (const position of this.#positions.values()) {
        const [head] = position.kept;
        if (head !== undefined && head.arrivedAt < (oldest?.kept[0]?.arrivedAt ?? Number.POSITIVE_INFINITY))
          oldest = position;
      }
      const dropped = oldest?.kept.shift();
      if (dropped === undefined) return;
      this.#forget(1, dropped.content.payload.length);
    }
  }

  #forget(count: number, bytes: number): void {
    this.#count -= count;
    this.#bytes -= bytes;
  }
}
