import type { Self } from '../actor/index.ts';
import { CloseCode } from '../client/index.ts';
import {
  badArgument,
  checkFlag,
  checkOptionNames,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { ON_DEATH } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { SocketData } from './client-input.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type Frame, jsonFrame, Packet } from './frame.ts';
import { JoinedRooms } from './joined-rooms.ts';
import { Outlet, type OutletOwner } from './outlet.ts';
import { mustBeRoom, type Recipient, type Room } from './room.ts';
import { contentOf, directFrame, type Except, plainFrame } from './room-message.ts';
import { type CloseReason, ping, type SocketListener } from './socket-events.ts';
import { isCloseCode, portOf, type RoomSocket } from './socket-port.ts';

let connections = 0;

/** A session that a connection continues, and for how long its client heard nothing. */
export interface ResumedSession {
  readonly session: string;
  readonly awayMs: number;
  /** Rooms that its client has asked to resume: each once, as many as a connection may be in and that of its user. */
  readonly asked: Set<string>;
}

/** The user of a connection, and its protocol. */
export interface ConnectionFacts {
  /** Names the user: other connections of it, on any node, have the same. */
  readonly key: string | undefined;
  readonly user: unknown;
  /** Where it comes from. */
  readonly address: string | undefined;
  /** It gets payloads as they are: no envelopes, no resume. */
  readonly isPlain: boolean;
}

/**
 * One WebSocket of a client: a member of rooms, and an actor.
 *
 * It lives as long as its socket. What is sent after that is lost, without a word.
 */
export class Connection<User = unknown> implements Recipient, OutletOwner, SocketListener {
  /** Names it on all nodes; a resumed session keeps it. */
  id: string;
  readonly key: string | undefined;
  readonly address: string | undefined;
  readonly isPlain: boolean;
  /** Whatever `authorize` gave. */
  readonly user: User;
  /** @internal */
  readonly joined: JoinedRooms<Room<Connection>> = new JoinedRooms();
  /** @internal Its actor; undefined until the client has said hello. */
  actor: Pid | undefined;
  /** @internal Number of the client's message that is being handled. */
  handling = 0;
  /** @internal Things from the client that its actor has not done. */
  unhandled = 0;
  /** @internal The session that its hello continued, from which it may resume rooms. */
  resumes: ResumedSession | undefined;
  /** @internal How often its session was resumed. */
  generation = 0;
  /** @internal Counts connections of this process. */
  readonly number: number = ++connections;
  /** @internal Something has come from the client since the last look. */
  isAlive = true;
  /** @internal What its client has sent is within the rate up to then. ms of the monotonic clock. */
  paidUntil = 0;
  readonly #host: ConnectionHost<Connection>;
  readonly #socket: RoomSocket;
  readonly #outlet: Outlet;
  #isOpen = true;

  /** @internal */
  constructor(host: ConnectionHost<Connection>, socket: RoomSocket, id: string, facts: ConnectionFacts) {
    this.#host = host;
    this.#socket = socket;
    this.id = id;
    this.key = facts.key;
    this.user = facts.user as User;
    this.address = facts.address;
    this.isPlain = facts.isPlain;
    this.#outlet = new Outlet(portOf(socket), host, this);
  }

  /** Whether its socket is open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Its actor: to send to, link and monitor. It ends with the socket, with the reason `shutdown`.
   *
   * @throws SNOW_ERR_ACTOR_DEAD before the client has said hello.
   */
  get pid(): Pid<unknown> {
    if (this.actor !== undefined) return this.actor as Pid<never> as Pid<unknown>;
    throw new SnowmeshError('SNOW_ERR_ACTOR_DEAD', `connection ${this.id} has no actor yet`);
  }

  /** The names of the rooms it is in. O(rooms). */
  get rooms(): readonly string[] {
    return this.joined.names();
  }

  /** Bytes that wait to be written to it. */
  get waiting(): number {
    return this.#outlet.waiting;
  }

  /**
   * Sends to this connection alone: text, bytes, or anything that JSON can say. It is not kept for a resume; for that send to the user's
   * key. What is too much for its buffer is dropped, or closes it, as the limit `slow` says.
   *
   * @throws SNOW_ERR_UNSENDABLE
   */
  send(message: unknown): void {
    const content = contentOf(message);
    if (!this.#isOpen) return;
    this.#host.turn.settle();
    this.#outlet.push(new Packet([this.isPlain ? plainFrame(content) : directFrame(content)]));
  }

  /**
   * Puts it into a room; a second time changes nothing. It gets at once what is broadcast on this node; when the promise resolves, what is
   * broadcast on any connected node from then on. O(1), and one message to each peer for the first member here.
   *
   * @param room 1 to 255 bytes of text; it need not exist.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_TOO_MANY_MEMBERS: it is in too many rooms.
   * @example
   * await connection.join('lobby');
   */
  async join(room: string): Promise<void> {
    mustBeRoom(room);
    if (!this.#isOpen || this.joined.has(room)) return;
    await this.joinAnswering(room, 0);
  }

  /** @internal Joins and tells the client, as the answer to its request `ref`. */
  async joinAnswering(name: string, ref: number): Promise<void> {
    await this.#host.membership.join(this, name);
    const room = this.joined.get(name);
    if (room !== undefined && this.#isOpen) this.#host.joined(this, room, ref);
  }

  /** Takes it out of a room: nothing of the room is sent to it any more. False: it was not in there. O(1). @throws SNOW_ERR_BAD_NAME */
  leave(room: string): boolean {
    return this.leaveAnswering(mustBeRoom(room), 0);
  }

  /** @internal */
  leaveAnswering(room: string, ref: number): boolean {
    this.#host.untrack(this, room);
    const wasThere = this.#host.membership.leave(this, room);
    if (wasThere || ref > 0) this.notify(['left', ref, room]);
    return wasThere;
  }

  /**
   * Broadcasts to a room, as `rooms.broadcast` does. Inside a message handler prefer it: should the client send that message again, because
   * its node died before it said that it was taken, other nodes know from the broadcast that it was.
   *
   * @param options.self false: not to this connection.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_UNSENDABLE, SNOW_ERR_BAD_OPTION
   */
  broadcast(room: string, message: unknown, options: { readonly self?: boolean } = {}): void {
    checkOptionNames('broadcast', options, BROADCAST_OPTIONS);
    checkFlag('broadcast', 'self', options.self);
    const { self = true } = options;
    this.#host.broadcast(this, mustBeRoom(room), message, self ? [] : [`#${this.id}`]);
  }

  /**
   * Shows it in the presence of a room under its key, or its id when it has none, with a meta; another call changes the meta.
   *
   * @param meta anything that JSON can say.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_UNSENDABLE
   */
  track(room: string, meta: unknown = {}): void {
    mustBeRoom(room);
    if (this.#isOpen) this.#host.track(this, room, meta);
  }

  /** Takes it out of the presence of a room. False: it was not in there. @throws SNOW_ERR_BAD_NAME */
  untrack(room: string): boolean {
    return this.#host.untrack(this, mustBeRoom(room));
  }

  /** Ends it. `code`: 1000, 1001, 1008 to 1013, or 3000 to 4999. @throws SNOW_ERR_BAD_ARGUMENT */
  close(code: number = CloseCode.goingAway, reason = ''): void {
    if (!isCloseCode(code))
      throw badArgument('close', 'a close code: 1000, 1001, 1008 to 1013, 3000 to 4999', code);
    if (typeof reason !== 'string') throw badArgument('close', 'a reason that is a text', reason);
    if (!this.#isOpen) return;
    this.#host.turn.settle();
    this.#outlet.flush();
    this.ended({ code, reason });
    try {
      this.#socket.close(code, reason);
    } catch {
      this.#socket.terminate?.();
    }
  }

  /** @internal Ends it although the other end may not answer. */
  terminate(why: CloseReason): void {
    this.ended(why);
    if (this.#socket.terminate === undefined) this.#socket.close(why.code, why.reason);
    else this.#socket.terminate();
  }

  /** @internal Its actor has a message. */
  onMessage(message: unknown, self: Self): void | PromiseLike<void> {
    return this.#host.mailed(this, message, self);
  }

  /** @internal Its actor is dead. */
  [ON_DEATH](): void {
    this.close(CloseCode.crashed, 'its handler ended');
  }

  /** @internal */
  received(data: SocketData): void {
    this.isAlive = true;
    if (this.#isOpen) this.#host.received(this, data);
  }

  /** @internal The socket is closed, or is being closed. */
  ended(why: CloseReason): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#host.ended(this, why);
    this.#outlet.close();
  }

  /** @internal Whether a broadcast passes it by. */
  isExcludedBy(except: Except): boolean {
    return except.includes(`#${this.id}`) || (this.key !== undefined && except.includes(`@${this.key}`));
  }

  /** @internal */
  dropped(count: number): void {
    this.#host.dropped(this, count);
  }

  /** @internal */
  tooSlow(): void {
    this.#host.tooSlow(this);
  }

  /** @internal */
  caughtUp(dropped: number): void {
    this.notify(['lost', dropped]);
  }

  /** @internal Queues room messages. */
  deliver(packet: Packet): void {
    this.#outlet.push(packet);
  }

  /** @internal Queues an answer or a notice of the protocol; nothing for a plain connection. */
  notify(message: readonly unknown[]): void {
    if (!this.isPlain) this.notifyFrames([jsonFrame(message)]);
  }

  /** @internal Frames that are not dropped however slowly the client reads. */
  notifyFrames(frames: readonly Frame[]): void {
    if (!this.#isOpen) return;
    this.#host.turn.settle();
    this.#outlet.pushKept(new Packet(frames));
  }

  /** @internal Whether silence means anything: it answers pings, or sends beats. */
  get givesSigns(): boolean {
    return !this.isPlain || this.#socket.ping !== undefined;
  }

  /** @internal */
  ping(): void {
    ping(this.#socket);
  }

  /** @internal Reads no more, or again. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.pause?.();
    else this.#socket.resume?.();
  }
}

const BROADCAST_OPTIONS: OptionNames<{ self?: boolean }> = { self: true };
