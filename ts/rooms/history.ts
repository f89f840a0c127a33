// What peers are asked for, and what they answer: messages that are missing here, for members or for a client that resumes. Peers keep what
// they broadcast and what they received, and send it on request.
import type { Runtime } from '../actor/index.ts';
import type { Cursor, ResyncReason } from '../client/index.ts';
import { SharedOldest } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { HISTORY_MS, MAX_CURSOR, MAX_ENDED, MAX_LOSSES, type ResumeLimits } from './limits.ts';
import { type EndedOrigin, messageOf, type ToldMessage } from './messages.ts';
import { PeerQueries } from './peer-queries.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** The answer of a peer. */
interface Told {
  /** The origin of the peer itself. */
  readonly from: string;
  readonly messages: readonly RoomMessage[];
  readonly newest: readonly (readonly [origin: string, sequence: number])[];
  /** The origins that the peer knows to have ended within the window. */
  readonly ended: readonly EndedOrigin[];
}

/** How often peers are asked for one client: once for what is known to be missing, once for what their answers show to be. */
const MISSED_ROUNDS = 2;

type Ended = { readonly at: number; areCopiesLost: boolean; readonly told: WeakMap<RoomsPeer, number> };

export class History {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #resume: ResumeLimits;
  readonly #originsAdded: (room: Room<Connection>) => void;
  /** For kept messages. */
  readonly queries: PeerQueries<Told>;
  /** Whether messages of other clusters arrive. */
  isBridged = false;
  /** The origins that have ended within the window, oldest first. `told`: the peers that know which messages of it are kept. */
  readonly #ended = new SharedOldest<string, Ended>(MAX_ENDED);

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly resume: ResumeLimits;
    /** A room may know more origins than before. */
    readonly originsAdded: (room: Room<Connection>) => void;
  }) {
    const { table } = parts;
    this.#runtime = parts.runtime;
    this.#table = table;
    this.#peers = parts.peers;
    this.queries = new PeerQueries(parts.runtime);
    this.#resume = parts.resume;
    this.#originsAdded = parts.originsAdded;
    // This node counts as one that was lost, because its copies for others are gone.
    table.onBackupDropped = () => this.ended(table.origin, '', true);
  }

  /**
   * Asks one peer, and waits for its answer as long as it is connected and messages are kept. It is asked again a few times, because it drops an
   * answer when its outbox is full: the delay doubles each time.
   *
   * @param done is called before anything is handled that the peer has sent after its answer. Undefined: it has not answered, or is lost.
   */
  askUntilAnswered(
    peer: RoomsPeer,
    room: string,
    after: () => readonly (readonly [string, number])[],
    done: (told: Told | undefined) => void,
  ): void {
    let cancel = (): void => {};
    const send = (_peer: RoomsPeer, ref: number): void => {
      const ask = (delayMs: number): void => {
        this.#peers.send(peer, ['ask', ref, room, after()]);
        cancel = this.#runtime.after(delayMs, () => ask(2 * delayMs));
      };
      ask(HISTORY_MS);
    };
    this.queries.begin([peer], Math.max(this.#resume.windowMs, HISTORY_MS), send, ([told]) => {
      cancel();
      done(told);
    });
  }

  /** A peer has answered. */
  told(
    peer: RoomsPeer,
    ref: number,
    messages: readonly ToldMessage[],
    newest: Told['newest'],
    ended: Told['ended'],
  ): void {
    const now = this.#runtime.now();
    const all = messages.map((each) => messageOf(each, now, this.#resume.windowMs));
    this.queries.answered(peer, ref, { from: peer.origin, messages: all, newest, ended });
  }

  /** An origin of a node has ended. @param areCopiesLost Whether copies that it kept for others have ended with it. */
  ended(origin: string, node: string, areCopiesLost: boolean, at: number = this.#runtime.now()): void {
    if (this.#resume.windowMs === 0 || origin === '') return;
    const before = this.#ended.get(origin)?.areCopiesLost === true;
    this.#ended.renew(origin, node, { at, areCopiesLost: areCopiesLost || before, told: new WeakMap() });
  }

  /** The session with a peer has ended. What it has lost before, it may have had the last copies of. */
  lost({ channelPeer, origin, lost }: RoomsPeer): void {
    const { node } = channelPeer;
    for (const [each, at] of lost) if (!this.hasEnded(each)) this.#adopt(each, node, true, at);
    this.ended(origin, node, true);
  }

  /**
   * A peer has stopped in order.
   *
   * @param connected the origins of its peers. One that has ended here stopped at the same time: the two may have handed copies to each other.
   * @param ended what it knew to have ended, itself included if its copies are lost.
   */
  left(peer: RoomsPeer, connected: readonly string[], ended: readonly EndedOrigin[]): void {
    const { channelPeer, origin, lost } = peer;
    const known = new Map(this.recentlyEnded());
    let areCopiesLost = connected.some((each) => known.has(each));
    for (const [each, areLost] of ended) {
      const own = this.#ended.get(each);
      if (each === origin) areCopiesLost ||= areLost;
      else if (own !== undefined) own.areCopiesLost ||= areLost;
      else this.#adopt(each, channelPeer.node, areLost, lost.get(each) ?? this.#runtime.now());
    }
    this.ended(origin, channelPeer.node, areCopiesLost);
  }

  /** Whether an origin is remembered as ended. */
  hasEnded(origin: string): boolean {
    return this.#ended.get(origin) !== undefined;
  }

  /** Whether a peer that says that it has lost an ended origin is told which messages are kept: MAX_LOSSES times for each peer and end. */
  mayTell(peer: RoomsPeer, origin: string): boolean {
    const ended = this.#ended.get(origin);
    const count = ended?.told.get(peer) ?? 0;
    if (ended === undefined || count >= MAX_LOSSES) return false;
    ended.told.set(peer, count + 1);
    return true;
  }

  /** The origins that have ended within the window, oldest first. */
  recentlyEnded(): EndedOrigin[] {
    const from = this.#runtime.now() - this.#resume.windowMs;
    for (const [origin, { at }] of this.#ended) {
      if (at >= from) break;
      this.#ended.delete(origin);
    }
    return Array.from(this.#ended, ([origin, { areCopiesLost }]) => [origin, areCopiesLost]);
  }

  /** An origin has connected again. */
  returned(origin: string): void {
    this.#ended.delete(origin);
  }

  /**
   * The messages that a client with the position `cursor` has missed, in order per origin. Messages that this node lacks are fetched first.
   * A reason is returned when messages may be missing.
   *
   * @param from sequences up to which messages are not for the client.
   * @param awayMs how long ago it left.
   */
  async missed(
    room: Room<Connection>,
    cursor: Cursor,
    from: Cursor,
    awayMs: number,
  ): Promise<RoomMessage[] | ResyncReason> {
    const gaps = new Set<string>();
    const kept = room.ring.missed(cursor, from, gaps);
    const unknown = unknownIn(room, cursor, kept ?? []);
    const unsure = this.#unsureIn(room, cursor, awayMs);
    if (kept !== undefined && unknown.length === 0 && unsure.length === 0) return kept;
    const answers: Told[] = [];
    const asked = new Set<string>();
    let isAnswered = true;
    let wanted = new Set([...gaps, ...unknown, ...unsure]);
    for (let round = 0; round < MISSED_ROUNDS && wanted.size > 0; round++) {
      const after = [...wanted]
        .slice(0, MAX_CURSOR)
        .map((origin): [string, number] => [origin, Math.max(cursor[origin] ?? 0, from[origin] ?? 0)]);
      const peers = [...this.#peers.all()];
      const told = await this.#ask(peers, room.name, after);
      isAnswered &&= told.length === peers.length;
      if (!this.#learn(room, new Map(after), told)) return 'lost';
      answers.push(...told);
      for (const origin of wanted) asked.add(origin);
      const left = new Set<string>();
      const missed = room.ring.missed(cursor, from, left);
      if (missed !== undefined) {
        const gone = unknownIn(room, cursor, missed);
        if (gone.length === 0 && unsure.length === 0) return missed;
        if (!isAnswered || !this.#isHarmless(gone, answers)) return 'lost';
        room.learntAt = this.#runtime.now();
        return missed;
      }
      // Peers may have more of an origin than was known here, and were not asked for that.
      wanted = new Set([...left].filter((origin) => !asked.has(origin)));
    }
    return 'window';
  }

  /**
   * The ended origins of which other nodes may have messages that this one does not know: no member was here when they broadcast or, later, when
   * nodes with members told each other what they have. Of an origin that the client does not know, it has missed nothing if the origin ended
   * before it left. O(ended origins).
   */
  #unsureIn(room: Room<Connection>, cursor: Cursor, awayMs: number): string[] {
    const leftAt = this.#runtime.now() - awayMs;
    const unsure: string[] = [];
    this.recentlyEnded();
    for (const [origin, { at }] of this.#ended) {
      const isFollowed = at > room.announcedAt && room.ring.last(origin) !== undefined;
      const mayMiss = at >= leftAt || cursor[origin] !== undefined;
      if (at >= room.learntAt && !isFollowed && mayMiss) unsure.push(origin);
    }
    return unsure;
  }

  /**
   * Whether it is certain that nothing is missing of origins that no node knows in a room. Every broadcast is kept by at least one other node, so
   * the end of one node loses nothing, and a node that stops hands over what no other one has. So messages are lost only if a node is lost, and
   * another one has ended, too. Of an origin that ended before the window, the client has all messages.
   */
  #isHarmless(gone: readonly string[], answers: readonly Told[]): boolean {
    const ended = new Map(this.recentlyEnded());
    // This node has no peer and does not know that these origins ended: it was not there to keep their messages.
    if (answers.length === 0 && !gone.every((origin) => ended.has(origin))) return false;
    for (const answer of answers)
      for (const [origin, areLost] of answer.ended) ended.set(origin, areLost || ended.get(origin) === true);
    // The end of an origin in another cluster is not seen here, and only one node has its messages.
    if (this.isBridged && gone.some((origin) => !this.#peers.wasHere(origin))) return false;
    return ended.size <= 1 || ![...ended.values()].includes(true);
  }

  /**
   * Merges what peers have answered about origins that are not connected. About this node and about a connected origin that the room follows,
   * answers of others do not count.
   *
   * @param wanted the sequence of each origin after which messages were requested.
   * @returns false: the answers name more origins than a room may know.
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
        if (mayBe(origin, sequence) && !ring.noteNewestFromPeer(origin, sequence)) isAll = false;
    }
    this.#table.kept(room);
    this.#originsAdded(room);
    return isAll;
  }

  /** A peer that is gone said that an origin has ended, and this node does not know it. */
  #adopt(origin: string, node: string, areCopiesLost: boolean, at: number): void {
    const isPresent = origin === this.#table.origin || this.#peers.hasOrigin(origin);
    if (!isPresent && at >= this.#runtime.now() - this.#resume.windowMs)
      this.ended(origin, node, areCopiesLost, at);
  }

  /** Asks peers for the kept messages of a room after some sequences. Resolves to their answers. */
  #ask(
    peers: Iterable<RoomsPeer>,
    room: string,
    after: readonly (readonly [string, number])[],
  ): Promise<Told[]> {
    return this.queries.ask(peers, HISTORY_MS, (peer, ref) =>
      this.#peers.send(peer, ['ask', ref, room, after]),
    );
  }
}

/** The origins of a cursor that a room does not know, without those that `missed` tells the client to forget. */
function unknownIn(room: Room<Connection>, cursor: Cursor, missed: readonly RoomMessage[]): string[] {
  const forgotten = new Set(missed.flatMap((message) => message.forgotten ?? []).map(([origin]) => origin));
  return Object.keys(cursor).filter((origin) => !room.ring.knows(origin) && !forgotten.has(origin));
}
