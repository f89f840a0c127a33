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
import { HISTORY_MS, MAX_CURSOR, MISSED_ROUNDS, type ResumeLimits } from './limits.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';

/** A client for which peers are asked. */
interface Resuming {
  readonly room: Room<Connection>;
  readonly cursor: Cursor;
  /** Sequences up to which messages are not for the client. */
  readonly from: Cursor;
  /** Whether there may be ended origins of which this node does not know what it lacks. */
  readonly isUnsure: boolean;
  /** The origins that peers are asked for next. */
  readonly wanted: Set<string>;
  readonly asked: Set<string>;
  readonly answers: Told[];
  /** A peer that is still there has not answered. */
  isUnanswered: boolean;
}

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
    const wanted = new Set([...gaps, ...unknown]);
    for (const [origin] of this.#history.recentlyEnded()) wanted.add(origin);
    const client: Resuming = {
      ...{ room, cursor, from, isUnsure, wanted },
      ...{ asked: new Set(), answers: [], isUnanswered: false },
    };
    for (let round = 0; round === 0 || wanted.size > 0; round++)
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
   * Asks all peers once, and decides what they are asked next. If they must first lose an origin, it waits for that, at most until `until`; if a
   * node must first introduce itself, for HISTORY_MS since this node has heard of it.
   *
   * @returns false: the answers name more origins than a room may know.
   */
  async #ask(client: Resuming, until: number): Promise<boolean> {
    const { room, cursor, from, isUnsure, wanted, asked, answers } = client;
    const after: [string, number][] = [];
    const before = gapsIn(client);
    for (const origin of [...wanted].slice(0, MAX_CURSOR)) {
      const seen = Math.max(cursor[origin] ?? 0, from[origin] ?? 0);
      after.push([origin, before.has(origin) ? seen : Math.max(seen, room.ring.newest(origin))]);
      wanted.delete(origin);
      asked.add(origin);
    }
    const askedAt = this.#runtime.now();
    const peers = new Map(Array.from(this.#peers.all(), (peer) => [peer.origin, peer]));
    const told = await this.#history.ask([...peers.values()], room.name, after);
    if (!this.#learn(room, new Map(after), told)) return false;
    answers.push(...told);
    const present = this.#peers.origins().add(this.#table.origin);
    const silent = new Set(peers.keys());
    const early = new Set<string>();
    let isEarly = false;
    for (const { from: peer, connected } of told) {
      silent.delete(peer);
      for (const origin of connected) {
        if (present.has(origin) || !this.#isAwaited(client, origin)) continue;
        isEarly = true;
        const lostAt = peers.get(peer)?.lost.get(origin) ?? Number.NEGATIVE_INFINITY;
        if (lostAt < askedAt) early.add(peer); // otherwise it has lost it since its answer
      }
    }
    let end = early.size > 0 ? until : 0;
    const unmet = this.#history.unmet();
    for (const [origin, at] of unmet) {
      early.add(origin);
      end = Math.max(end, at + HISTORY_MS);
    }
    if (end > this.#runtime.now()) await this.#changes(early, end);
    const left = this.#history.unmet();
    const areMore = [...unmet.keys()].some((origin) => !left.has(origin));
    if (isEarly || areMore || [...silent].some((origin) => !present.has(origin))) {
      for (const origin of asked) wanted.add(origin);
      asked.clear();
      client.isUnanswered = false;
      return true;
    }
    client.isUnanswered ||= silent.size > 0 || unmet.size > 0;
    for (const origin of gapsIn(client)) if (!asked.has(origin)) wanted.add(origin);
    for (const { ended } of isUnsure ? told : [])
      for (const [origin] of ended) if (!asked.has(origin) && !present.has(origin)) wanted.add(origin);
    return true;
  }

  /**
   * Whether what an origin that has ended here still sends to a peer may be for a client: copies that it hands over, or messages that would not
   * come here after the resume, because the room does not follow the origin.
   */
  #isAwaited({ room, from }: Resuming, origin: string): boolean {
    const isFollowed = room.ring.last(origin) !== undefined || from[origin] !== undefined;
    return !isFollowed || !this.#history.areCopiesLost(origin);
  }

  /** Resolves when each of these peers has changed, or at `until`, in ms of the monotonic clock. */
  #changes(peers: ReadonlySet<string>, until: number): Promise<void> {
    return new Promise((resolve) => {
      let left = peers.size;
      const goOn = (): void => {
        if (--left > 0) return;
        cancel();
        resolve();
      };
      const cancel = this.#runtime.after(Math.max(0, until - this.#runtime.now()), () => {
        for (const peer of peers) {
          const waiting = this.#waiting.get(peer);
          if (waiting?.delete(goOn) === true && waiting.size === 0) this.#waiting.delete(peer);
        }
        resolve();
      });
      for (const peer of peers) {
        const waiting = this.#waiting.get(peer) ?? new Set();
        this.#waiting.set(peer, waiting.add(goOn));
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

/** The origins of which the client has missed messages that are not here. */
function gapsIn({ room, cursor, from }: Resuming): Set<string> {
  const gaps = new Set<string>();
  room.ring.missed(cursor, from, gaps);
  return gaps;
}

/** The origins of a cursor that a room does not know, without those that `missed` tells the client to forget. */
function unknownIn(room: Room<Connection>, cursor: Cursor, missed: readonly RoomMessage[]): string[] {
  const forgotten = new Set(missed.flatMap((message) => message.forgotten ?? []).map(([origin]) => origin));
  return Object.keys(cursor).filter((origin) => !room.ring.knows(origin) && !forgotten.has(origin));
}
