// The rooms of one node: creates their parts, and passes messages of peers to them.
//
//   up ──hello──▶ peer          the peer then sends its interest and presence, and later each change
//   interest ──▶ based          from the answer on, all broadcasts of the peer in that room come here, in order
//   down / bye / hello again    the rooms, members and presence of the peer are removed, step by step
import type { Runtime } from '../actor/index.ts';
import { sourcesOf } from '../introspect/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import { Snapshots, StepQueue, type Work } from '../peer/index.ts';
import { Answers } from './answers.ts';
import { Bases, type BasesListener } from './bases.ts';
import type { BridgeOptions } from './bridge.ts';
import { Bridging } from './bridging.ts';
import { Broadcaster } from './broadcaster.ts';
import type { Connection } from './connection.ts';
import { Copies } from './copies.ts';
import { EndedOrigins } from './ended-origins.ts';
import { Gaps } from './gaps.ts';
import { History } from './history.ts';
import { Interest } from './interest.ts';
import { type Limits, MAX_HELLOS, type ResumeLimits, TAKEN_MS } from './limits.ts';
import { Membership } from './membership.ts';
import { CHANNEL, type PeerMessage, parseMessage, VERSION } from './messages.ts';
import { Missed } from './missed.ts';
import { OutputBatch } from './output-batch.ts';
import { Peers } from './peers.ts';
import { PresenceService } from './presence.ts';
import type { Room } from './room.ts';
import { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';
import { SessionClaims } from './session-claims.ts';
import { Sessions } from './sessions.ts';
import { TokenSigner } from './token-signer.ts';

/** The part of a node that rooms need. */
export interface RoomsHost {
  readonly name: string;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

/** Gets the events of a `RoomService`. */
export interface RoomServiceListener {
  /** Members of a room may have missed messages that cannot be fetched. @param corrected An origin whose sequences were reported too high. */
  gap(room: Room<Connection>, corrected?: string): void;
  /** A connection on a peer has resumed a session. */
  claimed(session: string, generation: number, origin: string): void;
  /** The bridge to other clusters works, or has stopped working. */
  bridged(isUp: boolean, why: string): void;
}

export class RoomService implements ChannelListener {
  readonly output: OutputBatch = new OutputBatch();
  readonly signer: TokenSigner = new TokenSigner();
  readonly peers: Peers;
  readonly table: RoomTable;
  readonly sessions: Sessions;
  readonly claims: SessionClaims;
  readonly interest: Interest;
  readonly history: History;
  readonly missed: Missed;
  readonly broadcaster: Broadcaster;
  readonly membership: Membership;
  readonly presence: PresenceService;
  /** The bridge to other clusters; undefined: there is none. */
  readonly bridging: Bridging | undefined;
  readonly #bases: Bases;
  readonly #ended: EndedOrigins;
  readonly #gaps: Gaps;
  readonly #answers: Answers;
  readonly #copies: Copies;
  readonly #removals: StepQueue;
  readonly #snapshots: Snapshots<RoomsPeer, PeerMessage>;
  readonly #listener: RoomServiceListener;
  #isClosed = false;

  constructor(
    host: RoomsHost,
    { limits, resume, bridge }: { limits: Limits; resume: ResumeLimits; bridge: BridgeOptions | undefined },
    listener: RoomServiceListener,
  ) {
    const { runtime } = host;
    this.#listener = listener;
    this.peers = new Peers(runtime);
    this.#removals = new StepQueue(runtime);
    this.#snapshots = new Snapshots(runtime, this.peers);
    this.table = new RoomTable(runtime, newOrigin(), resume, {
      unwanted: (room) => this.interest.changed(room),
      backupDropped: () => this.history.backupDropped(),
    });
    this.sessions = new Sessions(runtime, resume.windowMs === 0 ? 0 : Math.max(TAKEN_MS, resume.windowMs));
    this.claims = new SessionClaims(runtime, this.peers, this.sessions, this.signer);
    if (bridge !== undefined) {
      this.bridging = new Bridging(runtime, bridge, this.table, this.peers, {
        next: (room, message) => this.broadcaster.next(room, message),
        gap: (room) => listener.gap(room),
        changed: (isUp, why) => listener.bridged(isUp, why),
      });
    }
    this.interest = new Interest(runtime, this.table, this.peers, limits.joinMs, this.bridging);
    this.presence = new PresenceService(runtime, this.peers, this.table);
    const { table, peers, sessions, interest, presence, output, bridging } = this;
    this.membership = new Membership(table, interest, presence, output, limits.rooms);
    const originsAdded = (room: Room<Connection>): void => this.broadcaster.boundOrigins(room);
    const history = new History(runtime, table, peers, resume);
    this.history = history;
    const isBridged = bridging !== undefined;
    this.missed = new Missed({ runtime, table, peers, resume, history, originsAdded, isBridged });
    const gaps = new Gaps(runtime, table, peers, resume, history, {
      next: (room, message) => this.broadcaster.deliver(room, message),
      late: (room, origin) => this.#ended.late(room, origin),
      gap: (room) => listener.gap(room),
    });
    this.#gaps = gaps;
    this.#copies = new Copies({ runtime, table, peers, resume, history, gaps, originsAdded });
    const ofBases: BasesListener = { originsAdded, gap: (room, corrected) => listener.gap(room, corrected) };
    this.#bases = new Bases({ runtime, table, peers, resume, interest, history, gaps, listener: ofBases });
    this.#answers = new Answers(runtime, table, peers, history);
    this.#ended = new EndedOrigins(runtime, table, peers, history, gaps);
    this.broadcaster = new Broadcaster({
      runtime,
      table,
      peers,
      resume,
      interest,
      gaps,
      sessions,
      output,
      bridging,
    });
    this.peers.opened(host.channel(CHANNEL, this));
    for (const peer of this.peers.sessions()) this.#sendHello(peer, true);
    sourcesOf(runtime).rooms = table.listing((name) => this.count(name));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The number of members on all nodes, as far as this node knows. O(nodes with members). */
  count(name: string): number {
    const room = this.table.get(name);
    let count = room?.members.size ?? 0;
    for (const peer of room?.interested.keys() ?? []) count += peer.rooms.get(name) ?? 0;
    return count;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.output.flush();
    this.#copies.leave();
    for (const { queries } of [this.history, this.claims]) queries.close();
    for (const each of [this.missed, this.#removals, this.#ended, this.#copies, this.#gaps, this.#answers])
      each.close();
    for (const each of [this.bridging, this.interest, this.peers, this.sessions, this.table]) each?.close();
  }

  up(channelPeer: ChannelPeer): void {
    // While the channel is being opened nothing can be sent: the constructor sends the hello to those peers.
    this.#sendHello(this.peers.up(channelPeer), false);
  }

  down(channelPeer: ChannelPeer): void {
    const peer = this.peers.down(channelPeer);
    if (peer === undefined) return;
    if (peer.takesPart) this.#endOrigin(peer, () => this.history.lost(peer));
    this.#lost(peer);
  }

  room(channelPeer: ChannelPeer, name: string, payload: Uint8Array, details: unknown): void {
    const peer = this.peers.hear(channelPeer);
    if (peer?.takesPart === true) this.broadcaster.received(peer, name, payload, details);
    else if (peer !== undefined) this.#early(peer, 'a broadcast before its hello');
  }

  message(channelPeer: ChannelPeer, value: unknown): void {
    const peer = this.peers.hear(channelPeer);
    if (peer === undefined) return;
    const message = parseMessage(value);
    if (message === undefined) this.peers.suspect(peer, 'an invalid message');
    else if (message[0] !== 'hello' && !peer.takesPart)
      this.#early(peer, 'a message before its hello', message);
    else this.#receive(peer, message);
  }

  /**
   * Something came from a peer before its hello. If its session is older than these rooms, it is meant for rooms that this node had before. A peer
   * that stops then has sent messages, and copies, that are not here.
   */
  #early(peer: RoomsPeer, what: string, message?: PeerMessage): void {
    if (!peer.isOlder || peer.hellos > 0) return this.peers.suspect(peer, what);
    if (message?.[0] !== 'bye') return;
    const { channelPeer, lost } = peer;
    const origin = newOrigin(); // it does not say its own
    this.history.left({ channelPeer, origin, lost }, message[1], [...message[2], [origin, true]]);
  }

  #receive(peer: RoomsPeer, message: PeerMessage): void {
    switch (message[0]) {
      case 'hello':
        if (++peer.hellos > MAX_HELLOS) return this.peers.suspect(peer, 'too many hellos');
        if (!this.#accept(peer, message[2], message[3][0]?.[0] ?? ''))
          return this.peers.suspect(peer, 'the origin or key of another node');
        if (message[4]) this.#sendHello(peer, false);
        this.interest.forget(peer);
        peer.takesPart = true;
        peer.isTold = false;
        peer.handedBytes = 0;
        this.signer.learn(peer.channelPeer.node, message[3]);
        this.#removals.begin(peer.channelPeer.node, this.presence.lost(peer));
        return this.#snapshots.begin(peer, this.#tellAll(peer));
      case 'interest':
        return this.interest.received(peer, message[1]);
      case 'based':
        for (const entry of message[1]) {
          this.#bases.received(peer, entry);
          this.interest.answered(peer, entry[0]);
        }
        return;
      case 'ask':
        return this.#answers.asked(peer, { ref: message[1], room: message[2], after: message[3] });
      case 'told':
        return this.history.told(peer, message);
      case 'lost':
        this.#ended.lostBy(peer, message[1]);
        return this.missed.changed(peer.origin);
      case 'newest':
        return this.#ended.received(peer, message[1], message[2]);
      case 'claim':
        this.#listener.claimed(message[2], message[3], peer.origin);
        return this.claims.answer(peer, message[1], message[2]);
      case 'last':
        return this.claims.answered(peer, message);
      case 'presence':
        return this.presence.received(peer, message[1]);
      case 'copies':
        return this.#copies.received(peer, message[1], message[2]);
      case 'bye':
        if (peer.takesPart) this.#endOrigin(peer, () => this.history.left(peer, message[1], message[2]));
        return this.#lost(peer);
    }
  }

  *#tellAll(peer: RoomsPeer): Generator<number, void> {
    yield* this.presence.tellAll(peer);
    yield* this.interest.tellAll(peer);
    yield* this.#ended.tellAll(peer);
  }

  #lost(peer: RoomsPeer): void {
    for (const { queries } of [this.history, this.claims]) queries.lost(peer);
    this.#snapshots.end(peer);
    this.#ended.forget(peer);
    this.#removals.begin(peer.channelPeer.node, both(this.presence.lost(peer), this.interest.lost(peer)));
  }

  /** A peer takes part no longer: its session has ended, or it has said `bye`. @param note Remembers its origin. */
  #endOrigin(peer: RoomsPeer, note: () => void): void {
    peer.takesPart = false;
    this.#answers.forget(peer);
    note();
    this.#copies.ended(peer.origin);
    this.#ended.lost(peer.origin);
    this.missed.changed(peer.origin);
  }

  /** Handles the origin and the key of a hello. False: one of them belongs to another node. */
  #accept(peer: RoomsPeer, origin: string, keyId: string): boolean {
    if (origin === this.table.origin || keyId === this.signer.id) return false;
    if (!this.peers.introduced(peer, origin, keyId)) return false;
    if (peer.takesPart && peer.origin !== origin)
      this.history.ended(peer.origin, peer.channelPeer.node, true);
    this.history.met(origin);
    this.missed.changed(origin);
    peer.origin = origin;
    peer.keyId = keyId;
    return true;
  }

  #sendHello(peer: RoomsPeer, isLate: boolean): void {
    if (isLate) peer.isOlder = true;
    this.peers.send(peer, ['hello', VERSION, this.table.origin, this.signer.keys(), isLate]);
  }
}

function* both(first: Work, second: Work): Generator<number, void> {
  yield* first;
  yield* second;
}

/** 64 random bits in base 36. */
function newOrigin(): string {
  return (crypto.getRandomValues(new BigUint64Array(1))[0] as bigint).toString(36);
}
