// Broadcasts: to the peers that want them and to this node's own members, and what comes from peers to those members.
import type { Runtime } from '../actor/index.ts';
import { inSend } from '../kernel/index.ts';
import type { Bridging } from './bridging.ts';
import type { Connection } from './connection.ts';
import type { History } from './history.ts';
import type { ResumeLimits } from './limits.ts';
import { detailsTerm, parseDetails } from './messages.ts';
import type { PeerSide } from './peer-side.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import { type Content, type Except, forgetting, RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { Sessions } from './sessions.ts';
import type { Turn } from './turn.ts';

/** The message of a client that a broadcast follows from: its session and number. */
export type Cause = readonly [session: string, number: number];

/** What spans of broadcasts are called after: names of rooms are too many. */
const TRACED_AS = 'room';

export class Casting {
  /** Broadcasts that peers did not get at once, because too much waited for them. */
  refused = 0;
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #history: History;
  readonly #sessions: Sessions;
  readonly #turn: Turn;
  readonly #resume: ResumeLimits;
  #bridging: Bridging | undefined;

  constructor(parts: {
    readonly runtime: Runtime;
    readonly table: RoomTable;
    readonly peers: Peers;
    readonly history: History;
    readonly sessions: Sessions;
    readonly turn: Turn;
    readonly resume: ResumeLimits;
  }) {
    this.#runtime = parts.runtime;
    this.#table = parts.table;
    this.#peers = parts.peers;
    this.#history = parts.history;
    this.#sessions = parts.sessions;
    this.#turn = parts.turn;
    this.#resume = parts.resume;
  }

  /** To every member on every node. O(peers that want it + own members). */
  everywhere(name: string, content: Content, except: Except, cause: Cause | null): void {
    if (cause !== null) this.#sessions.caused(cause[0], cause[1]);
    const room = this.#table.get(name);
    if (room !== undefined)
      inSend(this.#runtime, null, TRACED_AS, () => this.#cast(room, content, except, cause));
    else if (this.#bridging?.isFor(name) === true) {
      // No member is in this cluster, and none may come back.
      const id = this.#table.numberOutside();
      this.#bridging.publish(name, new RoomMessage(id, content, except, this.#runtime.now()));
    }
  }

  /** From now on other clusters get what this node broadcasts. */
  bridge(bridging: Bridging): void {
    this.#bridging = bridging;
  }

  #cast(room: Room<Connection>, content: Content, except: Except, cause: Cause | null): void {
    const { name } = room;
    const id = this.#table.nextNumber(room);
    const message = new RoomMessage(id, content, except, this.#runtime.now());
    room.ring.push(message, this.#resume);
    this.#table.kept(room);
    // Peers first: what a member here answers cannot overtake it.
    const isForKeeping = room.interested.size === 0;
    const peers = isForKeeping ? this.#standIn(room) : [...room.interested];
    if (peers.length > 0) {
      const { sequence, previous } = id;
      const details = { sequence, previous, kind: content.kind, except, cause, isForKeeping };
      this.refused += this.#peers.broadcast(peers, name, content.payload, detailsTerm(details)).length;
    }
    this.deliver(room, message);
    this.#bridging?.publish(name, message);
  }

  /** To the members on this node only. It has no number and cannot be resumed. */
  here(name: string, content: Content, except: Except): void {
    const room = this.#table.get(name);
    if (room !== undefined) this.#turn.add(room, this.#unnumbered(content, except));
  }

  /** To the members on one peer only. False: it is not connected, takes no part, or its outbox is full. */
  at(side: PeerSide, name: string, content: Content, except: Except): boolean {
    const details = {
      sequence: 0,
      previous: 0,
      kind: content.kind,
      except,
      cause: null,
      isForKeeping: false,
    };
    return this.#peers.broadcast([side], name, content.payload, detailsTerm(details)).length === 0;
  }

  /** A broadcast of a peer: delivered here, never passed on. */
  arrived(side: PeerSide, name: string, payload: Uint8Array, value: unknown): void {
    const details = parseDetails(value);
    if (details === undefined) return this.#peers.suspect(side, 'a broadcast that is none');
    this.#runtime.tracing?.forwarded(TRACED_AS);
    const { sequence, previous, kind, except, cause, isForKeeping } = details;
    if (cause !== null) this.#sessions.causedElsewhere(cause[0], cause[1]);
    const isKept = isForKeeping && sequence > 0;
    const room = isKept ? this.#table.obtain(name) : this.#table.get(name);
    if (room === undefined) return; // the last member has left meanwhile
    const content = { kind, payload };
    if (sequence === 0) return this.#turn.add(room, this.#unnumbered(content, except));
    const id = { origin: side.origin, sequence, previous };
    const message = new RoomMessage(id, content, except, this.#runtime.now());
    const verdict = room.ring.judge(message);
    if (verdict === 'gap' && this.#resume.windowMs > 0) this.#history.early(side, room, message);
    else if (verdict !== 'repeat') this.next(room, message);
    // One that is too long to be kept is no reason for the room to stay.
    if (isKept) this.#table.release(room);
  }

  /** The next message of its origin, for the members here. */
  next(room: Room<Connection>, message: RoomMessage): void {
    room.ring.push(message, this.#resume);
    this.#table.kept(room);
    this.deliver(room, message);
    this.boundOrigins(room);
  }

  /** To the members here, in its turn. */
  deliver(room: Room<Connection>, message: RoomMessage): void {
    if (message.forgotten !== undefined) room.ring.forgetOrigins(message.forgotten, this.#isPresent);
    this.#turn.add(room, message);
  }

  /**
   * A room that lives long sees many nodes come and go: when it knows too many it forgets those that have ended. That is a message as
   * any other, so a client that was away learns of it when it comes back, and one that has missed something of those is told `resync`.
   */
  boundOrigins(room: Room<Connection>): void {
    const tooMany = room.ring.tooManyOrigins(this.#isPresent);
    if (tooMany.length > 0) this.#cast(room, forgetting(tooMany), [], null);
  }

  readonly #isPresent = (origin: string): boolean =>
    origin === this.#table.origin || this.#peers.hasOrigin(origin);

  #unnumbered(content: Content, except: Except): RoomMessage {
    const id = { origin: this.#table.origin, sequence: 0, previous: 0 };
    return new RoomMessage(id, content, except, this.#runtime.now());
  }

  /** The peer that keeps messages of a room with members here alone, in case this node is lost. O(peers). */
  #standIn(room: Room<Connection>): PeerSide[] {
    if (this.#resume.windowMs === 0 || !room.isWanted(this.#runtime.now())) return [];
    let best: PeerSide | undefined;
    let most = -1;
    for (const side of this.#peers.all()) {
      const weight = hash(`${room.name} ${side.origin}`);
      if (weight <= most) continue;
      best = side;
      most = weight;
    }
    return best === undefined ? [] : [best];
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
