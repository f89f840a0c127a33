// Messages that this node has not had in order: after a split, a full outbox, or for a client that comes back here. Peers keep
// what they broadcast and what they received, and send it on request.
import type { Runtime } from '../actor/index.ts';
import type { Cursor, ResyncReason } from '../client/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { HISTORY_MS, MAX_CURSOR, MAX_ENDED, type ResumeLimits } from './limits.ts';
import { type BaseEntry, type EndedOrigin, MAX_TOLD, type ToldMessage } from './messages.ts';
import type { PeerSide } from './peer-side.ts';
import type { Peers } from './peers.ts';
import type { Requests } from './requests.ts';
import type { Room } from './room.ts';
import { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';

/** What a peer has told. */
interface Told {
  /** The teller's own origin. */
  readonly from: string;
  readonly messages: readonly RoomMessage[];
  readonly newest: readonly (readonly [origin: string, sequence: number])[];
  /** Origins that have ended within the window, as the teller saw it. */
  readonly ended: readonly EndedOrigin[];
}

/** What follows from messages that came late. */
export interface HistoryListener {
  /** They are the next ones for the members. */
  next(room: Room<Connection>, message: RoomMessage): void;
  /** The room may know more origins than before. */
  grew(room: Room<Connection>): void;
  /** Messages of an origin that has ended came from another peer, or late from itself. */
  late(room: Room<Connection>, origin: string): void;
  /** Something is missing and will not come. @param corrected an origin whose numbers were said to be greater than they are. */
  gap(room: Room<Connection>, corrected?: string): void;
}

export class History {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #requests: Requests;
  readonly #resume: ResumeLimits;
  readonly #listener: HistoryListener;
  /** Messages of other clusters come in. */
  isBridged = false;
  /** Origins that have ended within the window, oldest first. */
  readonly #ended = new OldestFirst<string, { readonly at: number; readonly wasLost: boolean }>();

  constructor(
    runtime: Runtime,
    table: RoomTable,
    peers: Peers,
    requests: Requests,
    resume: ResumeLimits,
    listener: HistoryListener,
  ) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#requests = requests;
    this.#resume = resume;
    this.#listener = listener;
    // As if it were lost and had come back.
    table.onGivenUp = () => this.ended(table.origin, true);
  }

  /** A peer will send what it broadcasts into a room from `counter` on. What it broadcast before, while it was away, is asked for. */
  based(side: PeerSide, [name, counter, newest]: BaseEntry): void {
    const room = this.#table.get(name);
    if (room === undefined) return;
    const isCorrected = room.ring.correct(side.origin, counter, newest);
    const last = room.ring.last(side.origin);
    room.ring.heardOf(side.origin, newest);
    if (last === undefined || newest <= last) room.ring.startAt(side.origin, counter);
    else this.fill(side, room, side.origin);
    if (isCorrected) this.#listener.gap(room, side.origin);
    this.#listener.grew(room);
  }

  /** A message of a peer came that is not the next one. */
  early(side: PeerSide, room: Room<Connection>, message: RoomMessage): void {
    room.ring.merge([message], this.#resume);
    this.#table.kept(room);
    this.fill(side, room, side.origin);
  }

  /** Asks a peer for what is missing of an origin: its own, or one that has ended. */
  fill(side: PeerSide, room: Room<Connection>, origin: string): void {
    const what = `${origin} ${room.name}`;
    if (side.asked.has(what)) return;
    side.asked.add(what);
    const after = room.ring.last(origin) ?? 0;
    void this.#ask([side], room.name, [[origin, after]]).then((answers) => {
      side.asked.delete(what);
      if (this.#table.get(room.name) !== room) return;
      // An origin that has connected again meanwhile sends its messages itself.
      if (origin !== side.origin && this.#peers.hasOrigin(origin)) return;
      const newest = room.ring.newestKept(origin);
      this.#merge(origin, room, answers as Told[]);
      if (this.hasEnded(origin) && room.ring.newestKept(origin) !== newest) this.#listener.late(room, origin);
      if (origin === side.origin) this.#catchUp(origin, room, answers as Told[]);
    });
  }

  /** A peer asks. What its full outbox does not take is dropped, as if this node had not answered: its clients are told `resync`. */
  asked(side: PeerSide, ref: number, name: string, after: readonly (readonly [string, number])[]): void {
    const ring = this.#table.get(name)?.ring;
    const now = this.#runtime.now();
    const messages = (ring?.keptAfter(new Map(after)) ?? [])
      .slice(-MAX_TOLD)
      .map(
        ({ origin, sequence, previous, content, except, arrivedAt }): ToldMessage => [
          origin,
          sequence,
          previous,
          content.kind,
          content.payload,
          except,
          Math.max(0, now - arrivedAt),
        ],
      );
    const newest = (ring?.newestOfAll() ?? []).slice(0, MAX_CURSOR);
    this.#peers.offer(side, ['told', ref, name, messages, newest, this.#recentlyEnded().slice(-MAX_ENDED)]);
  }

  /** A peer has told. */
  told(
    side: PeerSide,
    ref: number,
    messages: readonly ToldMessage[],
    newest: Told['newest'],
    ended: Told['ended'],
  ): void {
    const now = this.#runtime.now();
    const all = messages.map(
      ([origin, sequence, previous, kind, payload, except, age]) =>
        new RoomMessage(
          { origin, sequence, previous },
          { kind, payload },
          except,
          now - Math.min(age, this.#resume.windowMs),
        ),
    );
    this.#requests.answered(side, ref, { from: side.origin, messages: all, newest, ended } satisfies Told);
  }

  /** An origin broadcasts no more. @param wasLost what its node had kept for others is gone, too. */
  ended(origin: string, wasLost: boolean): void {
    if (this.#resume.windowMs === 0 || origin === '') return;
    const { wasLost: before = false } = this.#ended.get(origin) ?? {};
    this.#ended.renew(origin, { at: this.#runtime.now(), wasLost: wasLost || before });
    if (this.#ended.size > MAX_ENDED) this.#ended.takeOldest();
  }

  /** Whether an origin has ended, as far as is remembered. */
  hasEnded(origin: string): boolean {
    return this.#ended.get(origin) !== undefined;
  }

  /** Those that have ended within the window. */
  endedOrigins(): string[] {
    return this.#recentlyEnded().map(([origin]) => origin);
  }

  /** A node that seemed lost is there. */
  returned(origin: string): void {
    this.#ended.delete(origin);
  }

  /**
   * Everything that a client which has seen `cursor` has missed, in order per origin; what this node has not kept is asked for first.
   * A reason: it cannot be proved that nothing is missing.
   *
   * @param from sequences up to which nothing concerns it.
   */
  async missed(room: Room<Connection>, cursor: Cursor, from: Cursor): Promise<RoomMessage[] | ResyncReason> {
    const gaps = new Set<string>();
    const kept = room.ring.missed(cursor, from, gaps);
    const unknown = unknownIn(room, cursor, kept ?? []);
    if (kept !== undefined && unknown.length === 0) return kept;
    const wanted = [...new Set([...gaps, ...unknown])]
      .slice(0, MAX_CURSOR)
      .map((origin): [string, number] => [origin, Math.max(cursor[origin] ?? 0, from[origin] ?? 0)]);
    const answers = (await this.#ask(this.#peers.all(), room.name, wanted)) as Told[];
    if (!this.#learn(room, new Map(wanted), answers)) return 'lost';
    const missed = room.ring.missed(cursor, from, new Set());
    if (missed === undefined) return 'window';
    const gone = unknownIn(room, cursor, missed);
    return gone.length === 0 || this.#isHarmless(gone, answers) ? missed : 'lost';
  }

  /**
   * Whether origins that nobody knows in a room have broadcast nothing there. What a node broadcasts at least one other keeps, so the end of one node
   * loses nothing; with the end of another one that may be lost. What ended before the window the client has seen to its end.
   */
  #isHarmless(gone: readonly string[], answers: readonly Told[]): boolean {
    const ended = new Map(this.#recentlyEnded());
    // A node that knows no peer and no end of these was not there to keep anything.
    if (answers.length === 0 && !gone.every((origin) => ended.has(origin))) return false;
    for (const answer of answers)
      for (const [origin, wasLost] of answer.ended) ended.set(origin, wasLost || ended.get(origin) === true);
    // One of another cluster ends unseen, and nobody stands in for the node that had its messages.
    if (this.isBridged && gone.some((origin) => !this.#peers.wasHere(origin))) return false;
    let lost = 0;
    for (const [origin, wasLost] of ended) if (wasLost || gone.includes(origin)) lost++;
    return lost <= 1;
  }

  /**
   * Takes over what peers have told about origins that do not speak for themselves: this node knows its own messages, and a
   * peer that it listens to tells its own.
   *
   * @param wanted what they were asked for. @returns false: they name more origins than a room may have.
   */
  #learn(room: Room<Connection>, wanted: ReadonlyMap<string, number>, answers: readonly Told[]): boolean {
    const { ring } = room;
    const present = new Set([this.#table.origin]);
    for (const { origin } of this.#peers.all()) if (ring.last(origin) !== undefined) present.add(origin);
    let isAll = true;
    for (const { from, messages, newest } of answers) {
      const mayBe = (origin: string, sequence: number): boolean =>
        origin === from || !present.has(origin) || sequence <= ring.newest(origin);
      const asked = messages.filter(
        ({ origin, sequence }) =>
          sequence > (wanted.get(origin) ?? Number.POSITIVE_INFINITY) && mayBe(origin, sequence),
      );
      ring.merge(asked, this.#resume);
      for (const [origin, sequence] of newest)
        if (mayBe(origin, sequence) && !ring.heardFromOthers(origin, sequence)) isAll = false;
    }
    this.#table.kept(room);
    this.#listener.grew(room);
    return isAll;
  }

  /** Adds the answers and delivers all that is in order. What is still missing before them is given up with `resync`. */
  #merge(origin: string, room: Room<Connection>, answers: readonly Told[]): void {
    for (const { messages } of answers)
      room.ring.merge(
        messages.filter((message) => message.origin === origin),
        this.#resume,
      );
    this.#advance(origin, room);
    while (room.ring.skipGap(origin)) {
      this.#listener.gap(room);
      this.#advance(origin, room);
    }
  }

  /** Gives up, with `resync`, the messages that the origin has sent and has not kept. */
  #catchUp(origin: string, room: Room<Connection>, answers: readonly Told[]): void {
    const [told] = answers;
    const newest = told?.newest.find(([each]) => each === origin)?.[1] ?? 0;
    if (newest <= (room.ring.last(origin) ?? 0)) return;
    room.ring.startAt(origin, newest);
    this.#listener.gap(room);
  }

  #advance(origin: string, room: Room<Connection>): void {
    for (const message of room.ring.advance(origin)) this.#listener.next(room, message);
    this.#table.kept(room);
  }

  #ask(
    peers: Iterable<PeerSide>,
    room: string,
    after: readonly (readonly [string, number])[],
  ): Promise<unknown[]> {
    return this.#requests.ask(peers, HISTORY_MS, (side, ref) =>
      this.#peers.send(side, ['ask', ref, room, after]),
    );
  }

  #recentlyEnded(): EndedOrigin[] {
    const from = this.#runtime.now() - this.#resume.windowMs;
    for (const [origin, { at }] of this.#ended) {
      if (at >= from) break;
      this.#ended.delete(origin);
    }
    return Array.from(this.#ended, ([origin, { wasLost }]) => [origin, wasLost]);
  }
}

/** Origins of a cursor that a room does not know. Those it is told to forget by what it missed are no question any more. */
function unknownIn(room: Room<Connection>, cursor: Cursor, missed: readonly RoomMessage[]): string[] {
  const forgotten = new Set(missed.flatMap((message) => message.forgotten ?? []).map(([origin]) => origin));
  return Object.keys(cursor).filter((origin) => !room.ring.knows(origin) && !forgotten.has(origin));
}
