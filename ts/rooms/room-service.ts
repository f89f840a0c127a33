// One node's part in the rooms of its cluster: receives from the peers, and connects the parts.
//
//   up ──hello──▶ peer          it then tells its interest and presence; changes follow as they happen
//   interest ──▶ based          from the answer on, everything the peer broadcasts into that room comes here, in order
//   down / bye / hello again    what it had is gone
import type { Runtime } from '../actor/index.ts';
import { KEY_ROOM } from '../client/index.ts';
import { type Listing, type RoomInfo, sourcesOf } from '../introspect/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import type { BridgeOptions } from './bridge.ts';
import { Bridging } from './bridging.ts';
import { Casting } from './casting.ts';
import type { Connection } from './connection.ts';
import { EndedOrigins } from './ended-origins.ts';
import { History } from './history.ts';
import { Interest } from './interest.ts';
import { HISTORY_MS, type Limits, type ResumeLimits } from './limits.ts';
import { Membership } from './membership.ts';
import { CHANNEL, type Message, parseMessage, VERSION } from './messages.ts';
import type { PeerSide } from './peer-side.ts';
import { Peers } from './peers.ts';
import { PresenceService } from './presence.ts';
import { Requests } from './requests.ts';
import type { Room } from './room.ts';
import { RoomTable } from './room-table.ts';
import { Sessions } from './sessions.ts';
import { TokenSigner } from './token-signer.ts';
import { Turn } from './turn.ts';

/** The part of a node that rooms need. */
export interface RoomsHost {
  readonly name: string;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

/** What else follows from what happens here. */
export interface RoomServiceListener {
  /** Members of a room may have missed something that will not come. */
  gap(room: Room<Connection>, corrected?: string): void;
  /** A session is claimed by a newer connection on a peer. */
  claimed(session: string, generation: number, origin: string): void;
  /** The bridge to other clusters carries messages, or not any more. */
  bridged(isUp: boolean, why: string): void;
  /** Another `createRooms` took the place of this one. */
  replaced(): void;
}

/** What a peer knows of the messages of a session. */
interface LastTaken {
  readonly keyId: string;
  readonly taken: number;
  readonly heard: number;
}

export class RoomService implements ChannelListener {
  readonly turn: Turn = new Turn();
  readonly signer: TokenSigner = new TokenSigner();
  readonly peers: Peers;
  readonly table: RoomTable;
  readonly sessions: Sessions;
  readonly interest: Interest;
  readonly history: History;
  readonly casting: Casting;
  readonly membership: Membership;
  readonly presence: PresenceService;
  /** To other clusters; undefined: there is none. */
  readonly bridging: Bridging | undefined;
  readonly #ended: EndedOrigins;
  readonly #requests: Requests;
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
    this.#requests = new Requests(runtime);
    this.table = new RoomTable(runtime, newOrigin(), resume);
    this.sessions = new Sessions(runtime, resume.windowMs);
    this.interest = new Interest(runtime, this.table, this.peers, limits.joinMs);
    this.membership = new Membership(this.table, this.interest, this.turn, limits.rooms);
    this.presence = new PresenceService(runtime, this.peers, this.table);
    this.history = new History(runtime, this.table, this.peers, this.#requests, resume, {
      next: (room, message) => this.casting.deliver(room, message),
      grew: (room) => this.casting.boundOrigins(room),
      late: (room, origin) => this.#ended.late(room, origin),
      gap: (room, corrected) => listener.gap(room, corrected),
    });
    this.#ended = new EndedOrigins(this.table, this.peers, this.history);
    this.casting = new Casting({
      runtime,
      table: this.table,
      peers: this.peers,
      history: this.history,
      sessions: this.sessions,
      turn: this.turn,
      resume,
    });
    if (bridge !== undefined) this.bridging = this.#bridge(runtime, bridge);
    this.peers.opened(host.channel(CHANNEL, this));
    for (const side of this.peers.sessions()) this.#greet(side, true);
    sourcesOf(runtime).rooms = this.#listing();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Members on all nodes as known here: other nodes tell their numbers a little later. O(nodes with members). */
  count(name: string): number {
    const room = this.table.get(name);
    let count = room?.members.size ?? 0;
    for (const side of room?.interested ?? []) count += side.rooms.get(name) ?? 0;
    return count;
  }

  /**
   * Takes a session over from whatever node has it.
   *
   * @param signedBy the key of the node that welcomed the client last: no other can have taken a message since.
   * @returns the number of the last message that was taken; when that node does not answer, the greatest that any has heard of.
   */
  async claim(session: string, generation: number, signedBy: string): Promise<number> {
    const answers = (await this.#requests.ask(this.peers.all(), HISTORY_MS, (side, ref) =>
      this.peers.send(side, ['claim', ref, session, generation]),
    )) as LastTaken[];
    const own = this.sessions.taken(session);
    if (signedBy === this.signer.id) return own;
    const home = answers.find(({ keyId }) => keyId === signedBy);
    if (home !== undefined) return Math.max(own, home.taken);
    const others = answers.flatMap(({ taken, heard }) => [taken, heard]);
    return Math.max(own, this.sessions.heard(session), ...others);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.turn.flush();
    for (const side of this.peers.sessions()) this.peers.send(side, ['bye']);
    this.#requests.close();
    this.bridging?.close();
    this.interest.close();
    this.peers.close();
    this.sessions.close();
    this.table.close();
  }

  #bridge(runtime: Runtime, options: BridgeOptions): Bridging {
    const bridging = new Bridging(runtime, options, this.table, this.peers, {
      next: (room, message) => this.casting.next(room, message),
      gap: (room) => this.#listener.gap(room),
      changed: (isUp, why) => this.#listener.bridged(isUp, why),
    });
    this.casting.bridge(bridging);
    this.interest.onWanted = (room, isWanted) => bridging.wants(room, isWanted);
    this.history.isBridged = true;
    return bridging;
  }

  up(peer: ChannelPeer): void {
    // While the channel is opened there is none to send on: the constructor greets those peers.
    this.#greet(this.peers.up(peer), false);
  }

  down(peer: ChannelPeer): void {
    const side = this.peers.down(peer);
    if (side === undefined) return;
    if (side.takesPart) this.#leaves(side, true);
    this.#requests.lost(side);
    this.interest.lost(side);
    this.presence.lost(side);
  }

  room(peer: ChannelPeer, name: string, payload: Uint8Array, details: unknown): void {
    const side = this.peers.sideOf(peer);
    if (side?.takesPart === true) this.casting.arrived(side, name, payload, details);
    else if (side !== undefined) this.peers.suspect(side, 'a broadcast before its hello');
  }

  message(peer: ChannelPeer, value: unknown): void {
    const side = this.peers.sideOf(peer);
    if (side === undefined) return;
    const message = parseMessage(value);
    if (message === undefined) this.peers.suspect(side, 'a message that is none');
    else if (message[0] !== 'hello' && !side.takesPart)
      this.peers.suspect(side, 'a message before its hello');
    else this.#hear(side, message);
  }

  /** Rooms were created again on this node: those are the ones from now on. */
  replaced(): void {
    this.#listener.replaced();
  }

  #hear(side: PeerSide, message: Message): void {
    switch (message[0]) {
      case 'hello':
        if (!this.#introduced(side, message[2], message[3][0]?.[0] ?? ''))
          return this.peers.suspect(side, 'the origin or key of another node');
        if (message[4]) this.#greet(side, false);
        this.interest.forget(side);
        side.takesPart = true;
        this.signer.learn(message[3]);
        this.presence.lost(side);
        this.presence.tellAll(side);
        this.interest.tellAll(side);
        return this.#ended.greeted(side);
      case 'interest':
        return this.interest.heard(side, message[1]);
      case 'based':
        for (const entry of message[1]) {
          this.history.based(side, entry);
          this.interest.answered(side, entry[0]);
        }
        return;
      case 'ask':
        return this.history.asked(side, message[1], message[2], message[3]);
      case 'told':
        return this.history.told(side, message[1], message[3], message[4], message[5]);
      case 'lost':
        return this.#ended.lostBy(side, message[1]);
      case 'newest':
        return this.#ended.heard(side, message[1], message[2]);
      case 'claim': {
        const [, ref, session, generation] = message;
        this.#listener.claimed(session, generation, side.origin);
        const { sessions } = this;
        return this.peers.send(side, ['last', ref, sessions.taken(session), sessions.heard(session)]);
      }
      case 'last':
        return this.#requests.answered(side, message[1], {
          keyId: side.keyId,
          taken: message[2],
          heard: message[3],
        } satisfies LastTaken);
      case 'presence':
        return this.presence.heard(side, message[1]);
      case 'bye':
        if (side.takesPart) this.#leaves(side, false);
        this.#requests.lost(side);
        this.presence.lost(side);
        return this.interest.lost(side);
    }
  }

  /** Nothing more comes from a peer. */
  #leaves(side: PeerSide, wasLost: boolean): void {
    side.takesPart = false;
    this.history.ended(side.origin, wasLost);
    this.#ended.lost(side.origin);
  }

  /** What introspection shows: the rooms that have names of their own, not those of users. */
  #listing(): Listing<RoomInfo> {
    const { table } = this;
    return {
      get size() {
        return table.size;
      },
      keys: () => table.names(),
      describe: (name) => {
        const room = table.get(name);
        if (room === undefined || name.startsWith(KEY_ROOM)) return undefined;
        const { kept, members } = room;
        return { room: name, members: this.count(name), localMembers: members.size, kept };
      },
    };
  }

  /** False: it takes the name of another node's messages or tokens. */
  #introduced(side: PeerSide, origin: string, keyId: string): boolean {
    if (origin === this.table.origin || keyId === this.signer.id) return false;
    if (!this.peers.introduced(side, origin, keyId)) return false;
    if (side.origin !== origin) this.history.ended(side.origin, false);
    this.history.returned(origin);
    side.origin = origin;
    side.keyId = keyId;
    return true;
  }

  #greet(side: PeerSide, isLate: boolean): void {
    this.peers.send(side, ['hello', VERSION, this.table.origin, this.signer.keys(), isLate]);
  }
}

/** 64 random bits. */
function newOrigin(): string {
  return (crypto.getRandomValues(new BigUint64Array(1))[0] as bigint).toString(36);
}
