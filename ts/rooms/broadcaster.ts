// Sends broadcasts to the peers that want them and to the members on this node, and delivers broadcasts of peers to those members.
import type { Runtime } from '../actor/index.ts';
import { inSend } from '../kernel/index.ts';
import type { ChannelPeer } from '../node/index.ts';
import type { Bridging } from './bridging.ts';
import type { Connection } from './connection.ts';
import type { Gaps } from './gaps.ts';
import type { Interest } from './interest.ts';
import type { ResumeLimits } from './limits.ts';
import { detailsTerm, parseDetails } from './messages.ts';
import type { OutputBatch } from './output-batch.ts';
import { keeperOf, type Peers } from './peers.ts';
import type { Room } from './room.ts';
import { type Content, type Except, forgetting, isContent, RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';
import type { Sessions } from './sessions.ts';

/** The client message whose handler made a broadcast: session and number. */
export type Cause = readonly [session: string, number: number];

/** The target in the names of spans: room names would be too many different ones. */
const TRACED_AS = 'room';

export class Broadcaster {
  /** Broadcasts that a peer did not get at once, because its queue was full. */
  refused = 0;
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #interest: Interest;
  readonly #gaps: Gaps;
  readonly #sessions: Sessions;
  readonly #output: OutputBatch;
  readonly #resume: ResumeLimits;
  readonly #bridging: Bridging | undefined;

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly interest: Interest;
    readonly gaps: Gaps;
    readonly sessions: Sessions;
    readonly output: OutputBatch;
    readonly resume: ResumeLimits;
    readonly bridging: Bridging | undefined;
  }) {
    this.#runtime = parts.runtime;
    this.#table = parts.table;
    this.#peers = parts.peers;
    this.#interest = parts.interest;
    this.#gaps = parts.gaps;
    this.#sessions = parts.sessions;
    this.#output = parts.output;
    this.#resume = parts.resume;
    this.#bridging = parts.bridging;
  }

  /** Sends to every member on every node. O(peers that want the room + own members). */
  broadcast(name: string, content: Content, except: Except, cause: Cause | null): void {
    if (cause !== null) this.#sessions.noteCause(cause[0], cause[1]);
    this.#interest.settle(name);
    const room = this.#table.get(name);
    if (room !== undefined)
      inSend(this.#runtime, null, TRACED_AS, () => this.#broadcast(room, content, except, cause));
    else if (this.#bridging?.isFor(name) === true) {
      // This cluster has no member and no former member that may reconnect.
      const id = this.#table.nextNumberWithoutRoom();
      this.#bridging.publish(name, new RoomMessage(id, content, except, this.#runtime.now()));
    }
  }

  #broadcast(room: Room<Connection>, content: Content, except: Except, cause: Cause | null): void {
    const { name } = room;
    const id = this.#table.nextNumber(room);
    const message = new RoomMessage(id, content, except, this.#runtime.now());
    room.ring.push(message, this.#resume);
    this.#table.kept(room);
    // Peers first, so that the answer of a member here cannot overtake it.
    const isBackup = room.interested.size === 0;
    const peers = isBackup ? this.#backupPeer(room) : [...room.interested.keys()];
    if (peers.length > 0) {
      const { sequence, previous } = id;
      const details = { sequence, previous, kind: content.kind, except, cause, isBackup };
      const refused = this.#peers.broadcast(peers, name, content.payload, detailsTerm(details));
      this.refused += refused.length;
      if (refused.length > 0) this.#refused(room, new Set(refused));
      else if (isBackup) message.keptBy = (peers[0] as RoomsPeer).origin;
    }
    this.deliver(room, message);
    this.#bridging?.publish(name, message);
  }

  /** Sends to the members on this node only. The message has no sequence and cannot be resumed. */
  broadcastLocal(name: string, content: Content, except: Except): void {
    const room = this.#table.get(name);
    if (room !== undefined) this.#output.add(room, this.#unnumbered(content, except));
  }

  /** Sends to the members on one peer only. False: its outbox is full, or its session is over. */
  broadcastTo(peer: RoomsPeer, name: string, content: Content, except: Except): boolean {
    const details = {
      sequence: 0,
      previous: 0,
      kind: content.kind,
      except,
      cause: null,
      isBackup: false,
    };
    return this.#peers.broadcast([peer], name, content.payload, detailsTerm(details)).length === 0;
  }

  /** Delivers a broadcast of a peer to the members here. It is never forwarded. */
  received(peer: RoomsPeer, name: string, payload: Uint8Array, value: unknown): void {
    const details = parseDetails(value);
    if (details === undefined) return this.#peers.suspect(peer, 'an invalid broadcast');
    const { sequence, previous, kind, except, cause, isBackup } = details;
    const content = { kind, payload };
    if (!isContent(content)) return this.#peers.suspect(peer, 'an invalid payload');
    this.#runtime.tracing?.forwarded(TRACED_AS);
    if (cause !== null) this.#sessions.noteReported(cause[0], cause[1]);
    const isKept = isBackup && sequence > 0;
    const room = isKept ? this.#table.getOrCreate(name) : this.#table.get(name);
    if (room === undefined) return; // the last member has left in the meantime
    if (sequence === 0) return this.#output.add(room, this.#unnumbered(content, except));
    const id = { origin: peer.origin, sequence, previous };
    const message = new RoomMessage(id, content, except, this.#runtime.now());
    const order = room.ring.orderOf(message);
    if (order === 'gap' && this.#resume.windowMs > 0) this.#gaps.outOfOrder(peer, room, message);
    else if (order !== 'repeat') this.next(room, message);
    // If the message is too long to be kept, the room is not needed.
    if (isKept) this.#table.release(room);
  }

  /** Keeps and delivers a message that is the next one of its origin. */
  next(room: Room<Connection>, message: RoomMessage): void {
    room.ring.push(message, this.#resume);
    this.#table.kept(room);
    this.deliver(room, message);
    this.boundOrigins(room);
  }

  /** Adds a message to the output of the members here. */
  deliver(room: Room<Connection>, message: RoomMessage): void {
    if (message.forgotten !== undefined) room.ring.forgetOrigins(message.forgotten, this.#isPresent);
    this.#output.add(room, message);
  }

  /**
   * Makes the room forget ended origins when it knows too many. They are sent as a room message, so clients that are offline get it when they
   * reconnect; a client that has missed messages of a forgotten origin is told `resync`.
   */
  boundOrigins(room: Room<Connection>): void {
    const tooMany = room.ring.tooManyOrigins(this.#isPresent);
    if (tooMany.length === 0) return;
    this.#interest.settle(room.name);
    this.#broadcast(room, forgetting(tooMany), [], null);
  }

  readonly #isPresent = (origin: string): boolean =>
    origin === this.#table.origin || this.#peers.hasOrigin(origin);

  #unnumbered(content: Content, except: Except): RoomMessage {
    const id = { origin: this.#table.origin, sequence: 0, previous: 0 };
    return new RoomMessage(id, content, except, this.#runtime.now());
  }

  /** Interested peers did not get a message. */
  #refused({ interested }: Room<Connection>, refused: ReadonlySet<ChannelPeer>): void {
    const now = this.#runtime.now();
    for (const peer of interested.keys()) if (refused.has(peer.channelPeer)) interested.set(peer, now);
  }

  /** If only this node has members of a room: the peer that keeps copies of its messages. O(peers). */
  #backupPeer(room: Room<Connection>): RoomsPeer[] {
    if (this.#resume.windowMs === 0 || !room.isWanted(this.#runtime.now())) return [];
    const best = keeperOf(room.name, this.#peers.all());
    return best === undefined ? [] : [best];
  }
}
