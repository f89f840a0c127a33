// What a client missed in a room that it resumes. Messages that this node lacks are requested from all peers, in rounds, until the answers show
// that nothing is missing.
//
//   ask ──▶ told    again, if a peer was gone before it answered: it has handed over what only it had, perhaps to one that had answered before
//             ├─ of more origins, if the answers name messages or ended origins that were not asked for
//             └─ later, if a peer still gets messages from a node that has ended here: they may be copies that were handed over; or if a node
//                that may have got copies has not introduced itself yet
import type { Runtime } from '../actor/index.ts';
import type { Cursor, ResyncReason } from '../client/index.ts';
import type { Connection } from './connection.ts';
import type { History, Told } from './history.ts';
import { HISTORY_MS, MISSED_ROUNDS, type ResumeLimits } from './limits.ts';
import type { Peers } from './peers.ts';
import { ResumingClient } from './resuming-client.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';

export class Missed {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #resume: ResumeLimits;
  readonly #history: History;
  readonly #originsAdded: (room: Room<Connection>) => void;
  readonly #isBridged: boolean;
  /** By the origin of a peer: those that wait until it has introduced itself, or has lost an origin. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly resume: ResumeLimits;
    readonly history: History;
    /** A room may know more origins than before. */
    readonly originsAdded: (room: Room<Connection>) => void;
    /** Whether messages of other clusters arrive. */
    readonly isBridged: boolean;
  }) {
    this.#runtime = parts.runtime;
    this.#table = parts.table;
    this.#peers = parts.peers;
    this.#resume = parts.resume;
    this.#history = parts.history;
    this.#originsAdded = parts.originsAdded;
    this.#isBridged = parts.isBridged;
  }

  /**
   * The messages that a client with the position `cursor` has missed, in order per origin. Messages that this node lacks are fetched first.
   * A reason is returned when messages may be missing.
   *
   * @param from sequences up to which messages are not for the client.
   * @param awayMs how long ago it left.
   */
  async of(
    room: Room<Connection>,
    cursor: Cursor,
    from: Cursor,
    awayMs: number,
  ): Promise<RoomMessage[] | ResyncReason> {
    const beganAt = this.#runtime.now();
    const gaps = new Set<string>();
    const kept = room.ring.missed(cursor, from, gaps);
    const unknown = unknownIn(room, cursor, kept ?? []);
    const isUnsure = this.#isUnsure(room, cursor, beganAt - awayMs);
    if (kept !== undefined && unknown.length === 0 && !isUnsure) return kept;
    const wanted = [...gaps, ...unknown, ...this.#history.recentlyEnded().map(([origin]) => origin)];
    const client = new ResumingClient(room, cursor, from, isUnsure, wanted);
    for (let round = 0; round === 0 || client.hasQuestions; round++)
      if (round === MISSED_ROUNDS || !(await this.#ask(client, beganAt + HISTORY_MS))) return 'lost';
    const missed = room.ring.missed(cursor, from, new Set());
    if (missed === undefined) return 'window';
    const gone = unknownIn(room, cursor, missed);
    if (gone.length === 0 && !isUnsure) return missed;
    if (client.isUnanswered || !this.#isHarmless(room, gone, client.answers)) return 'lost';
    room.learntAt = beganAt;
    return missed;
  }

  /** The peer with this origin has introduced itself, has lost an origin, or takes part no longer. O(those that wait for it), each once. */
  changed(origin: string): void {
    const waiting = this.#waiting.get(origin);
    this.#waiting.delete(origin);
    for (const goOn of waiting ?? []) goOn();
  }

  close(): void {
    for (const waiting of this.#waiting.values()) for (const goOn of waiting) goOn();
    this.#waiting.clear();
  }

  /**
   * Asks all peers once, and decides what they are asked next: all of it again, if an answer may be outdated by now.
   *
   * @param until when peers that must first lose an origin are no longer waited for, in ms of the monotonic clock.
   * @returns false: the answers name more origins than a room may know.
   */
  async #ask(client: ResumingClient, until: number): Promise<boolean> {
    const { room } = client;
    const after = client.nextQuestions();
    const askedAt = this.#runtime.now();
    const peers = new Map(Array.from(this.#peers.all(), (peer) => [peer.origin, peer]));
    const told = await this.#history.ask([...peers.values()], room.name, after);
    if (!this.#learn(room, new Map(after), told)) return false;
    client.answers.push(...told);
    const present = this.#peers.origins().add(this.#table.origin);
    const early = this.#early(client, told, present);
    const hasLost = (peer: string, origin: string): boolean => {
      const lostAt = peers.get(peer)?.lost.get(origin);
      return lostAt !== undefined && lostAt >= askedAt; // since its answer
    };
    const connected = early.filter(([peer, origin]) => !hasLost(peer, origin)).map(([peer]) => peer);
    const unmet = this.#history.unmet();
    await this.#changes(connected, unmet, until);
    const left = this.#history.unmet();
    const haveCome = [...unmet.keys()].some((origin) => !left.has(origin));
    const answered = new Set(told.map(({ from }) => from));
    const silent = [...peers.keys()].filter((peer) => !answered.has(peer));
    if (early.length > 0 || haveCome || silent.some((peer) => !present.has(peer))) client.askAllAgain();
    else client.accept(told, present, silent.length === 0 && unmet.size === 0);
    return true;
  }

  /** Peers that have answered while they were connected to an origin that has ended here, each with the origin: more may have come to them since. */
  #early(
    client: ResumingClient,
    told: readonly Told[],
    present: ReadonlySet<string>,
  ): (readonly [peer: string, origin: string])[] {
    return told.flatMap(({ from, connected }) =>
      connected
        .filter((origin) => !present.has(origin) && this.#isAwaited(client, origin))
        .map((origin) => [from, origin] as const),
    );
  }

  /**
   * Whether what an origin that has ended here still sends to a peer may be for a client: copies that it hands over, or messages that would not
   * come here after the resume, because the room does not follow the origin.
   */
  #isAwaited({ room, from }: ResumingClient, origin: string): boolean {
    const isFollowed = room.ring.last(origin) !== undefined || from[origin] !== undefined;
    return !isFollowed || !this.#history.areCopiesLost(origin);
  }

  /**
   * Resolves when each of these peers has lost an origin, at most until `until`, and each node that may have got copies has introduced itself, at
   * most HISTORY_MS after this node has heard of it.
   */
  #changes(peers: readonly string[], unmet: ReadonlyMap<string, number>, until: number): Promise<void> {
    const awaited = new Set([...peers, ...unmet.keys()]);
    const ends = Array.from(unmet.values(), (heardAt) => heardAt + HISTORY_MS);
    const left = Math.max(...ends, ...(peers.length > 0 ? [until] : [])) - this.#runtime.now();
    if (left <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      let count = awaited.size;
      const goOn = (): void => {
        if (--count > 0) return;
        cancel();
        resolve();
      };
      const cancel = this.#runtime.after(left, () => {
        for (const origin of awaited) {
          const waiting = this.#waiting.get(origin);
          if (waiting?.delete(goOn) === true && waiting.size === 0) this.#waiting.delete(origin);
        }
        resolve();
      });
      for (const origin of awaited) {
        const waiting = this.#waiting.get(origin) ?? new Set();
        this.#waiting.set(origin, waiting.add(goOn));
      }
    });
  }

  /**
   * Whether other nodes may have messages of ended origins that this one does not know: no member was here when they broadcast or, later, when
   * nodes with members told each other what they have; or this node has met a peer since, which may know of such origins. Of an origin that the
   * client does not know, it has missed nothing if the origin ended before it left. O(ended origins + peers).
   */
  #isUnsure(room: Room<Connection>, cursor: Cursor, leftAt: number): boolean {
    for (const [origin, at] of this.#history.ends()) {
      const isFollowed = room.hasFollowed(origin, at);
      const mayMiss = at >= leftAt || cursor[origin] !== undefined;
      if (at >= room.learntAt && !isFollowed && mayMiss) return true;
    }
    if (room.announcedAt < leftAt) return false;
    const since = Math.max(leftAt, room.learntAt);
    return [...this.#peers.all()].some(({ greetedAt }) => greetedAt >= since);
  }

  /**
   * Whether it is certain that nothing is missing of origins that no node knows in a room. Every broadcast of a node with peers is kept by one, so
   * the end of one node loses nothing, and a node that stops hands over what no other one has. So messages are lost only if a node is lost, and
   * another one has ended, too; and not where a peer, or this node, got those of all origins that have ended. Of an origin that ended before the
   * window, the client has all messages.
   */
  #isHarmless(room: Room<Connection>, gone: readonly string[], answers: readonly Told[]): boolean {
    const ended = new Map(this.#history.recentlyEnded());
    // This node has no peer and does not know that these origins ended: it was not there to keep their messages.
    if (answers.length === 0 && !gone.every((origin) => ended.has(origin))) return false;
    for (const answer of answers)
      for (const [origin, areLost] of answer.ended) ended.set(origin, areLost || ended.get(origin) === true);
    // The end of an origin in another cluster is not seen here, and only one node has its messages.
    if (this.#isBridged && gone.some((origin) => !this.#peers.wasHere(origin))) return false;
    if (ended.size <= 1 || ![...ended.values()].includes(true)) return true;
    const present = this.#peers.origins();
    const followed = new Set(answers.flatMap((answer) => (present.has(answer.from) ? answer.followed : [])));
    for (const origin of this.#history.followed(room)) followed.add(origin);
    return gone.length === 0 && [...ended.keys()].every((origin) => followed.has(origin));
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
}

/** The origins of a cursor that a room does not know, without those that `missed` tells the client to forget. */
function unknownIn(room: Room<Connection>, cursor: Cursor, missed: readonly RoomMessage[]): string[] {
  const forgotten = new Set(missed.flatMap((message) => message.forgotten ?? []).map(([origin]) => origin));
  return Object.keys(cursor).filter((origin) => !room.ring.knows(origin) && !forgotten.has(origin));
}
