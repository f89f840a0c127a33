// What peers are asked for: kept messages that are missing here, for members or for a client that resumes. And which origins have ended.
import type { Runtime } from '../actor/index.ts';
import { SharedOldest } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { HISTORY_MS, MAX_ENDED, MAX_LOSSES, type ResumeLimits } from './limits.ts';
import { type EndedOrigin, messageOf, type ToldAnswer } from './messages.ts';
import { PeerQueries } from './peer-queries.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** The answer of a peer. */
export interface Told {
  /** The origin of the peer itself. */
  readonly from: string;
  readonly messages: readonly RoomMessage[];
  readonly newest: readonly (readonly [origin: string, sequence: number])[];
  /** The origins that the peer knows to have ended within the window. */
  readonly ended: readonly EndedOrigin[];
  /** The requested origins to which the peer is connected. */
  readonly connected: readonly string[];
  /** Those of `ended` of which the peer got the messages in the room until their end. */
  readonly followed: readonly string[];
}

interface Ended {
  /** In ms of the monotonic clock. */
  readonly at: number;
  /** Whether this node was connected to it until then, and did not only hear of its end. */
  readonly wasPeer: boolean;
  areCopiesLost: boolean;
  /** The peers that know which messages of it are kept, each with how often they were told. */
  readonly timesTold: WeakMap<RoomsPeer, number>;
  /** The origins that had stopped before it, by what it said when it stopped, and whose end was not read here before. */
  readonly after: ReadonlySet<string>;
}

export class History {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #resume: ResumeLimits;
  /** For kept messages. */
  readonly queries: PeerQueries<Told>;
  /** The origins that have ended within the window, oldest first. */
  readonly #ended = new SharedOldest<string, Ended>(MAX_ENDED);
  /** Origins that this node has not met, to which peers were connected that have stopped since, each with when that was, oldest first. */
  readonly #unmet = new SharedOldest<string, number>(MAX_ENDED);

  constructor(runtime: Runtime, table: RoomTable, peers: Peers, resume: ResumeLimits) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.queries = new PeerQueries(runtime);
    this.#resume = resume;
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

  /** Asks peers for the kept messages of a room after some sequences. Resolves to their answers. */
  ask(
    peers: Iterable<RoomsPeer>,
    room: string,
    after: readonly (readonly [string, number])[],
  ): Promise<Told[]> {
    return this.queries.ask(peers, HISTORY_MS, (peer, ref) =>
      this.#peers.send(peer, ['ask', ref, room, after]),
    );
  }

  /** A peer has answered. */
  told(peer: RoomsPeer, message: ToldAnswer): void {
    const [, ref, , messages, newest, ended, connected, followed] = message;
    const now = this.#runtime.now();
    const all = messages.map((each) => messageOf(each, now, this.#resume.windowMs));
    const { origin: from } = peer;
    this.queries.answered(peer, ref, { from, messages: all, newest, ended, connected, followed });
  }

  /**
   * An origin of a node has ended.
   *
   * @param areCopiesLost Whether copies that it kept for others have ended with it.
   * @param how.heardAt When it ended, if this node was not connected to it.
   * @param how.after Origins that it knew to have stopped before, and whose end was not read here.
   */
  ended(
    origin: string,
    node: string,
    areCopiesLost: boolean,
    how: { readonly heardAt?: number; readonly after?: ReadonlySet<string> } = {},
  ): void {
    if (this.#resume.windowMs === 0 || origin === '') return;
    this.#unmet.delete(origin);
    const before = this.#ended.get(origin)?.areCopiesLost === true;
    const { heardAt, after = new Set() } = how;
    this.#ended.renew(origin, node, {
      at: heardAt ?? this.#runtime.now(),
      wasPeer: heardAt === undefined,
      areCopiesLost: areCopiesLost || before,
      timesTold: new WeakMap(),
      after,
    });
  }

  /** Messages were dropped here of which this node may have had the only copy: it counts as one that was lost. */
  backupDropped(): void {
    this.ended(this.#table.origin, '', true);
  }

  /** The session with a peer has ended. What it has lost before, it may have had the last copies of. */
  lost({ channelPeer, origin, lost }: RoomsPeer): void {
    const { node } = channelPeer;
    for (const [each, at] of lost)
      if (!this.hasEnded(each) && !this.#isPresent(each)) this.#adopt(each, node, true, at);
    this.ended(origin, node, true);
  }

  /**
   * A peer has stopped in order.
   *
   * @param connected the origins of its peers. One that has ended here stopped later, as it said; or at the same time: then the two may have handed
   * copies to each other. One that this node has not met may have got copies from it.
   * @param ended what it knew to have ended, itself included if its copies are lost.
   */
  left(
    { channelPeer, origin, lost }: Pick<RoomsPeer, 'channelPeer' | 'origin' | 'lost'>,
    connected: readonly string[],
    ended: readonly EndedOrigin[],
  ): void {
    const known = new Map(this.recentlyEnded());
    let areCopiesLost = connected.some(
      (each) => known.has(each) && this.#ended.get(each)?.after.has(origin) !== true,
    );
    const after = new Set<string>();
    for (const [each, areLost] of ended) {
      const own = this.#ended.get(each);
      if (each === origin) areCopiesLost ||= areLost;
      else if (own !== undefined) own.areCopiesLost ||= areLost;
      else if (!this.#isPresent(each))
        this.#adopt(each, channelPeer.node, areLost, lost.get(each) ?? this.#runtime.now());
      else if (!areLost) after.add(each);
    }
    this.ended(origin, channelPeer.node, areCopiesLost, { after });
    for (const each of this.#resume.windowMs === 0 ? [] : connected)
      if (!known.has(each) && !this.#isPresent(each))
        this.#unmet.renew(each, channelPeer.node, this.#runtime.now());
  }

  /** Whether an origin is remembered as ended. */
  hasEnded(origin: string): boolean {
    return this.#ended.get(origin) !== undefined;
  }

  /** Whether a peer that says that it has lost an ended origin is told which messages are kept: MAX_LOSSES times for each peer and end. */
  mayTell(peer: RoomsPeer, origin: string): boolean {
    const ended = this.#ended.get(origin);
    const count = ended?.timesTold.get(peer) ?? 0;
    if (ended === undefined || count >= MAX_LOSSES) return false;
    ended.timesTold.set(peer, count + 1);
    return true;
  }

  /** The origins that have ended within the window, oldest first. */
  recentlyEnded(): EndedOrigin[] {
    this.#forgetOld();
    return Array.from(this.#ended, ([origin, { areCopiesLost }]) => [origin, areCopiesLost]);
  }

  /** The origins that have ended within the window, oldest first, each with when it ended, in ms of the monotonic clock. */
  *ends(): IterableIterator<readonly [origin: string, at: number]> {
    this.#forgetOld();
    for (const [origin, { at }] of this.#ended) yield [origin, at];
  }

  /** The ended origins of which this node got the messages in a room until their end. O(ended origins). */
  followed(room: Room<Connection>): string[] {
    const origins: string[] = [];
    for (const [origin, { at, wasPeer }] of this.#ended)
      if (wasPeer && room.hasFollowed(origin, at)) origins.push(origin);
    return origins;
  }

  /** Whether an origin has ended, and copies that it kept for others with it. */
  areCopiesLost(origin: string): boolean {
    return this.#ended.get(origin)?.areCopiesLost === true;
  }

  /**
   * The origins that may have got copies from a peer that stopped within the window, and that this node has not met, each with when it stopped, in
   * ms of the monotonic clock.
   */
  unmet(): ReadonlyMap<string, number> {
    dropBefore(this.#unmet, this.#runtime.now() - this.#resume.windowMs, (at) => at);
    return new Map(this.#unmet);
  }

  /** A peer has introduced itself, perhaps again. */
  met(origin: string): void {
    this.#unmet.delete(origin);
    this.#ended.delete(origin);
  }

  /** Forgets the origins that have ended before the window. */
  #forgetOld(): void {
    dropBefore(this.#ended, this.#runtime.now() - this.#resume.windowMs, ({ at }) => at);
  }

  /** A peer that is gone said that an origin has ended, and this node does not know it, and is not connected to it. */
  #adopt(origin: string, node: string, areCopiesLost: boolean, at: number): void {
    if (at >= this.#runtime.now() - this.#resume.windowMs)
      this.ended(origin, node, areCopiesLost, { heardAt: at });
  }

  #isPresent(origin: string): boolean {
    return origin === this.#table.origin || this.#peers.hasOrigin(origin);
  }
}

/** Deletes the entries, the oldest first, that are older than `from`. */
function dropBefore<V>(entries: SharedOldest<string, V>, from: number, atOf: (value: V) => number): void {
  for (const [key, value] of entries) {
    if (atOf(value) >= from) break;
    entries.delete(key);
  }
}
