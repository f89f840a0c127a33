import type { Cursor } from '../client/index.ts';
import {
  ENDED_ORIGINS_KEPT,
  MAX_CURSOR,
  MAX_ROOM_ORIGINS,
  MESSAGE_OVERHEAD_BYTES,
  type ResumeLimits,
} from './limits.ts';
import { type ArrivalOrder, OriginLog } from './origin-log.ts';
import { type ForgottenOrigin, inOrderOfArrival, type RoomMessage } from './room-message.ts';

/** An origin of which no message is kept, because of a limit. */
export interface Dropped {
  readonly origin: string;
  /** When its newest message arrived that was dropped, in ms of the monotonic clock. */
  readonly arrivedAt: number;
}

/** The last messages of one room, of all origins, for clients that reconnect. */
export class ReplayRing {
  #count = 0;
  #bytes = 0;
  readonly #logs = new Map<string, OriginLog>();
  /** With more origins than this, `tooManyOrigins` looks for ended ones. */
  #mostOrigins = MAX_ROOM_ORIGINS;

  /** Number of kept messages. */
  get size(): number {
    return this.#count;
  }

  /** Estimated memory of the kept messages. Unit: bytes. */
  get memoryBytes(): number {
    return this.#bytes + this.#count * MESSAGE_OVERHEAD_BYTES;
  }

  /** Sequence up to which no message of an origin is missing; undefined: the room does not follow the origin. */
  last(origin: string): number | undefined {
    return this.#logs.get(origin)?.last;
  }

  knows(origin: string): boolean {
    return this.#logs.has(origin);
  }

  /** Sequence of the newest message of an origin; 0: none is known. */
  newest(origin: string): number {
    return this.#logs.get(origin)?.newest ?? 0;
  }

  /** The greatest sequence that is known of an origin: of a message that arrived here, or that exists; 0: none is known. */
  latest(origin: string): number {
    const log = this.#logs.get(origin);
    return Math.max(log?.newest ?? 0, log?.last ?? 0);
  }

  /** Sequence of the newest kept message of an origin. */
  newestKept(origin: string): number | undefined {
    return this.#logs.get(origin)?.kept.at(-1)?.sequence;
  }

  /** Each origin with the sequence up to which none of its messages is missing: the cursor of a client that joins now. */
  cursor(): Cursor {
    const cursor: Record<string, number> = {};
    for (const [origin, { last, newest }] of this.#logs) cursor[origin] = last ?? newest;
    return cursor;
  }

  /** Each origin with the sequence of its newest message. */
  newestOfAll(): [origin: string, newest: number][] {
    return Array.from(this.#logs, ([origin, { newest }]) => [origin, newest]);
  }

  /** The room follows an origin; its messages up to `sequence` are not for this room. */
  startAt(origin: string, sequence: number): void {
    this.#logOf(origin).startAt(sequence);
  }

  /**
   * A member follows each of these origins from a sequence on. Messages of an origin that is not connected are requested from there when it
   * connects again. If members differ, they are requested from the least sequence, but not from before the newest message known here.
   *
   * @param claimed the position that the member claims.
   */
  followFrom(from: Cursor, claimed: Cursor): void {
    for (const [origin, sequence] of Object.entries(from))
      this.#logOf(origin).followFrom(sequence, claimed[origin] ?? sequence);
  }

  /** An origin says that it has sent `counter` messages: what members said that they have of them counts. */
  believe(origin: string, counter: number): void {
    this.#logs.get(origin)?.believe(counter);
  }

  /** A message of an origin with this sequence exists, whether it arrives here or not. */
  noteNewest(origin: string, sequence: number): void {
    this.#logOf(origin).noteNewest(sequence);
  }

  /**
   * `noteNewest` for what a node says about another one. False: it is ignored, because the room knows so many origins that a cursor could not
   * hold all of them.
   */
  noteNewestFromPeer(origin: string, sequence: number): boolean {
    if (!this.knows(origin) && this.#logs.size >= MAX_CURSOR / 2) return false;
    this.noteNewest(origin, sequence);
    return true;
  }

  /**
   * The origin itself says that it has sent `counter` messages, the last one into this room with the sequence `newest`. What other nodes
   * reported beyond that is dropped.
   *
   * @returns whether other nodes reported more: then members may have skipped messages.
   */
  correct(origin: string, counter: number, newest: number): boolean {
    const removed = this.#logs.get(origin)?.correct(counter, newest);
    if (removed === undefined) return false;
    for (const message of removed) this.#subtract(message);
    return true;
  }

  /** Whether a message is the next of its origin. */
  orderOf(message: RoomMessage): ArrivalOrder {
    return this.#logs.get(message.origin)?.orderOf(message) ?? 'next';
  }

  /** Adds the next message of its origin. */
  push(message: RoomMessage, limits: ResumeLimits): void {
    const log = this.#logOf(message.origin);
    log.reach(message.sequence);
    log.noteNewest(message.sequence);
    if (limits.windowMs > 0) this.#keep(log, message, limits);
  }

  /** Adds a message before which others of its origin are missing. */
  hold(message: RoomMessage, limits: ResumeLimits): void {
    const log = this.#logOf(message.origin);
    log.noteNewest(message.sequence);
    this.#keep(log, message, limits);
  }

  /** Adds messages that peers have kept, in any order; duplicates are dropped. O(messages kept). */
  merge(messages: readonly RoomMessage[], limits: ResumeLimits): void {
    const touched = new Set<OriginLog>();
    for (const message of messages) {
      const log = this.#logOf(message.origin);
      log.kept.push(message);
      log.noteNewest(message.sequence);
      touched.add(log);
    }
    for (const log of touched) log.sortKept();
    this.#count = this.#bytes = 0;
    for (const { kept } of this.#logs.values()) for (const message of kept) this.#add(message);
    this.#shrink(limits);
  }

  /** Whether missing messages of an origin are being fetched for the members. */
  setAwaited(origin: string, isAwaited: boolean): void {
    const log = this.#logs.get(origin);
    if (log !== undefined) log.isAwaited = isAwaited;
  }

  /** The kept messages of an origin that have become the next ones, in order. */
  advance(origin: string): RoomMessage[] {
    return this.#logs.get(origin)?.advance() ?? [];
  }

  /** Gives up the messages of an origin that are missing before its first kept one. False: none is missing there. */
  skipGap(origin: string): boolean {
    return this.#logs.get(origin)?.skipGap() ?? false;
  }

  /**
   * The messages that a client with the position `cursor` has missed, in order per origin. Undefined: messages may be missing. Of an origin
   * that is not in the cursor the client has got nothing.
   *
   * @param from sequences up to which messages are not for this client.
   * @param gaps receives the origins of which messages are missing.
   */
  missed(cursor: Cursor, from: Cursor, gaps: Set<string>): RoomMessage[] | undefined {
    const rows: RoomMessage[][] = [];
    const seenOf = (origin: string): number => Math.max(cursor[origin] ?? 0, from[origin] ?? 0);
    for (const [origin, log] of this.#logs) {
      const seen = seenOf(origin);
      const row = log.following(seen);
      for (const { forgotten } of row)
        for (const [each, last] of forgotten ?? [])
          if (!this.knows(each) && seenOf(each) < last) gaps.add(each);
      if (log.hasGap(seen, row)) gaps.add(origin);
      rows.push(row);
    }
    return gaps.size > 0 ? undefined : inOrderOfArrival(rows);
  }

  /** All kept messages, in order per origin. */
  *allKept(): Generator<RoomMessage, void> {
    for (const { kept } of this.#logs.values()) yield* kept;
  }

  /** For each pair of an origin and a sequence: the kept messages of the origin after that sequence. */
  keptAfter(wanted: Iterable<readonly [origin: string, after: number]>): RoomMessage[] {
    const found: RoomMessage[] = [];
    for (const [origin, after] of wanted)
      for (const message of this.#logs.get(origin)?.kept ?? [])
        if (message.sequence > after) found.push(message);
    return found;
  }

  /**
   * Ended origins that the room should forget, because it knows too many: first those without kept messages, then the oldest. O(1), or
   * O(origins) after many new origins.
   */
  tooManyOrigins(isPresent: (origin: string) => boolean): ForgottenOrigin[] {
    if (this.#logs.size <= this.#mostOrigins) return [];
    const ended = [...this.#logs].filter(([origin]) => !isPresent(origin));
    ended.sort(([, a], [, b]) => Number(a.kept.length > 0) - Number(b.kept.length > 0));
    const tooMany = ended.slice(0, Math.max(0, ended.length - ENDED_ORIGINS_KEPT));
    const left = this.#logs.size - tooMany.length;
    this.#mostOrigins = Math.max(MAX_ROOM_ORIGINS, left + ENDED_ORIGINS_KEPT);
    return tooMany.map(([origin, { newest }]) => [origin, newest]);
  }

  /** Forgets origins, except those that are present and those of which a newer message is known here. */
  forgetOrigins(origins: readonly ForgottenOrigin[], isPresent: (origin: string) => boolean): void {
    for (const [origin, newest] of origins) {
      const log = this.#logs.get(origin);
      if (log === undefined || log.newest > newest || isPresent(origin)) continue;
      for (const message of log.kept) this.#subtract(message);
      this.#logs.delete(origin);
    }
  }

  /** Drops all kept messages, because all rooms together have too many. */
  empty(): void {
    this.#count = this.#bytes = 0;
    for (const log of this.#logs.values()) while (log.kept.length > 0) log.dropOldest();
  }

  /** The origins of which all messages were dropped because of a limit, the newest of them not before `time`. O(origins). */
  dropped(time: number): readonly Dropped[] {
    const dropped: Dropped[] = [];
    for (const [origin, { kept, droppedAt }] of this.#logs)
      if (kept.length === 0 && droppedAt >= time) dropped.push({ origin, arrivedAt: droppedAt });
    return dropped;
  }

  /** Drops the messages that arrived before `time`, in ms of the monotonic clock. */
  expire(time: number): void {
    for (const log of this.#logs.values()) for (const message of log.takeOlder(time)) this.#subtract(message);
  }

  /** O(1), or as `merge` if a later message of the origin is here already: a peer may have sent it. */
  #keep(log: OriginLog, message: RoomMessage, limits: ResumeLimits): void {
    if ((log.kept.at(-1)?.sequence ?? 0) >= message.sequence) return this.merge([message], limits);
    log.kept.push(message);
    this.#add(message);
    this.#shrink(limits);
  }

  #logOf(origin: string): OriginLog {
    let log = this.#logs.get(origin);
    if (log === undefined) this.#logs.set(origin, (log = new OriginLog()));
    return log;
  }

  /** Drops the oldest messages until the limits are kept. O(origins) for each dropped message. */
  #shrink(limits: ResumeLimits): void {
    while (this.#count > limits.count || this.#bytes > limits.bytes) {
      let oldest: OriginLog | undefined;
      for (const log of this.#logs.values()) {
        const [head] = log.kept;
        if (head !== undefined && head.arrivedAt < (oldest?.kept[0]?.arrivedAt ?? Number.POSITIVE_INFINITY))
          oldest = log;
      }
      const dropped = oldest?.dropOldest();
      if (dropped === undefined) return;
      this.#subtract(dropped);
    }
  }

  #add({ content }: RoomMessage): void {
    this.#count++;
    this.#bytes += content.payload.length;
  }

  #subtract({ content }: RoomMessage): void {
    this.#count--;
    this.#bytes -= content.payload.length;
  }
}
