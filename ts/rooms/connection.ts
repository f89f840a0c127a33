import type { Self } from '../actor/index.ts';
import { CloseCode, type Cursor } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { forActor, ON_DEATH } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { SocketData } from './client-input.ts';
import type { ConnectionFacts, ConnectionHost, ResumedSession } from './connection-host.ts';
import { exceptSelf } from './except.ts';
import { type Frame, jsonFrame, Packet } from './frame.ts';
import { JoinedRooms } from './joined-rooms.ts';
import { LONGEST_CLOSE_MS } from './limits.ts';
import { mustBeRoom, type Recipient, type Room } from './room.ts';
import { contentOf, directFrame, type Except, plainFrame } from './room-message.ts';
import { SendBuffer, type SendBufferOwner } from './send-buffer.ts';
import { type CloseReason, ping, type SocketListener } from './socket-events.ts';
import { checkClose, closeSocket, endSocket, portOf, type RoomSocket } from './socket-port.ts';

let connections = 0;

/** The connection of a client: a WebSocket that is a member of rooms, and an actor. It ends with its socket; what is sent to it later is dropped. */
export class Connection<User = unknown, Out = unknown> implements Recipient, SendBufferOwner, SocketListener {
  /** Identifies it on all nodes; a resumed session keeps the id. */
  readonly id: string;
  /** The user, as `authorize` or `accept` named it; undefined: none. */
  readonly key: string | undefined;
  /** The address of the client; undefined: unknown. */
  readonly address: string | undefined;
  /** Whether it gets payloads without envelope, because its socket has not agreed on the subprotocol. */
  readonly isPlain: boolean;
  /** The `user` that `authorize` or `accept` gave. */
  readonly user: User;
  /** @internal */
  readonly joined: JoinedRooms<Room<Connection>> = new JoinedRooms();
  // What other parts of the rooms note of a connection is in its fields: a table in each part would take several times the memory.
  /** @internal Its actor; undefined until the client has sent its hello. */
  actor: Pid | undefined;
  /** @internal The number of the client's message that is being handled; 0: none. */
  handling = 0;
  /** @internal The client's last message that is handled here; 0: none. */
  lastTaken = 0;
  /** @internal The last one whose handler was called. */
  lastBegun = 0;
  /** @internal Messages of the client that its actor has not finished; undefined: none. `isHeld`: its socket is not read, if it can be paused. */
  queued: { count: number; bytes: number; isHeld: boolean } | undefined;
  /** @internal The session that its hello resumed; it may resume the rooms of that session. */
  resumes: ResumedSession | undefined;
  /** @internal The position in rooms that it was joined to before its client could resume them. */
  joinedAt: Map<string, Cursor> | undefined;
  /** @internal How often its session has been resumed. */
  generation = 0;
  /** @internal Connections of this process are numbered from 1. */
  readonly number: number = ++connections;
  /** @internal Whether data came from the client since the last check of the heartbeat. */
  isAlive = true;
  /** @internal The state of the rate limit of its client. */
  theoreticalArrival = 0;
  readonly #host: ConnectionHost<Connection>;
  readonly #socket: RoomSocket;
  readonly #sendBuffer: SendBuffer<Connection>;
  #isOpen = true;
  /** While it is being closed. */
  #cancelCut: (() => void) | undefined;

  /** @internal */
  constructor(host: ConnectionHost<Connection>, socket: RoomSocket, id: string, facts: ConnectionFacts) {
    this.#host = host;
    this.#socket = socket;
    this.id = id;
    this.key = facts.key;
    this.user = facts.user as User;
    this.address = facts.address;
    this.isPlain = facts.isPlain;
    this.#sendBuffer = new SendBuffer(portOf(socket), host, this);
  }

  /** Whether its socket is open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * The PID of its actor, to send to, link and monitor. The actor ends with the socket, with the reason `shutdown`.
   *
   * @throws SNOW_ERR_ACTOR_DEAD before the client has sent its hello.
   */
  get pid(): Pid<unknown> {
    if (this.actor !== undefined) return this.actor as Pid<never> as Pid<unknown>;
    throw new SnowmeshError('SNOW_ERR_ACTOR_DEAD', `connection ${this.id} has no actor yet`);
  }

  /** The names of its rooms. O(rooms). */
  get rooms(): readonly string[] {
    return this.joined.names();
  }

  /** Bytes that wait to be sent to it; each packet of messages counts 256 more. */
  get waiting(): number {
    return this.#sendBuffer.waiting;
  }

  /**
   * Sends a message to this connection only. It is not kept for a resume; `rooms.sendTo` is. If the connection reads too slowly, messages are
   * dropped or it is closed, as the limit `slow` says.
   *
   * @param message text, bytes, or a JSON value.
   * @throws SNOW_ERR_UNSENDABLE for a value that JSON cannot represent.
   * @example
   * connection.send({ text: 'welcome' });
   */
  send(message: Out): void {
    const content = contentOf(message);
    if (!this.#isOpen) return;
    this.#host.output.distribute();
    this.#sendBuffer.push(new Packet([this.isPlain ? plainFrame(content) : directFrame(content)]));
  }

  /**
   * Makes it a member of a room; does nothing if it is one already. It gets broadcasts of this node at once, and broadcasts of all connected
   * nodes from when the promise resolves. O(1), and one message to each peer for the first member on this node.
   *
   * @param room 1 to 255 bytes of text. The room need not exist.
   * @returns resolves when all peers know of the room, or after the limit `joinMs`.
   * @throws SNOW_ERR_BAD_NAME for an invalid room name; SNOW_ERR_TOO_MANY_MEMBERS when it is in as many rooms as the limit `rooms` allows.
   * @example
   * await connection.join('lobby');
   */
  join(room: string): Promise<void> {
    return forActor((async () => this.joinAnswering(mustBeRoom(room), 0))());
  }

  /** @internal Joins, and answers the request `ref` of the client; 0: there is no request. */
  async joinAnswering(name: string, ref: number): Promise<void> {
    const wasThere = this.joined.has(name);
    const opened = this.#isOpen ? this.#host.membership.join(this, name) : undefined;
    const added = wasThere || ref > 0 ? undefined : this.joined.get(name);
    if (added !== undefined && (this.actor === undefined || this.resumes !== undefined))
      (this.joinedAt ??= new Map()).set(name, added.ring.cursor());
    await opened;
    const room = this.joined.get(name);
    if (room === undefined && ref > 0) this.notify(['refused', ref, name, 'left meanwhile']);
    if (room !== undefined && this.#isOpen && (ref > 0 || !wasThere)) this.#host.joined(this, room, ref);
  }

  /** Removes it from a room: it gets no further message of the room. Returns whether it was a member. O(1). @throws SNOW_ERR_BAD_NAME */
  leave(room: string): boolean {
    return this.leaveAnswering(mustBeRoom(room), 0);
  }

  /** @internal Leaves, and answers the request `ref` of the client; 0: there is no request. */
  leaveAnswering(room: string, ref: number): boolean {
    this.#host.untrack(this, room);
    const wasThere = this.#host.membership.leave(this, room);
    if (wasThere || ref > 0) this.notify(['left', ref, room]);
    return wasThere;
  }

  /**
   * Broadcasts to a room, like `rooms.broadcast`. Prefer it in a message handler: if this node is lost before it acknowledges the client's
   * message, the client sends that message again, and the other nodes know from the broadcast that it was handled.
   *
   * @param options.self false: this connection does not get it. Default true.
   * @throws as `rooms.broadcast`; SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT for wrong options.
   * @example
   * connection.broadcast('lobby', { typing: true }, { self: false });
   */
  broadcast(room: string, message: Out, options: { readonly self?: boolean } = {}): void {
    const except = exceptSelf(this, options);
    this.#host.broadcast(this, mustBeRoom(room), message, except);
  }

  /**
   * Adds it to the presence of a room, under its key, or under its id if it has no key. A further call changes the meta.
   *
   * @param meta a JSON value of at most 4 KiB. Default `{}`.
   * @throws SNOW_ERR_BAD_NAME for an invalid room name; SNOW_ERR_UNSENDABLE for a meta that JSON cannot represent; SNOW_ERR_TOO_LARGE.
   * @example
   * connection.track('lobby', { name: 'Alice' });
   */
  track(room: string, meta: unknown = {}): void {
    this.#host.track(this, mustBeRoom(room), meta);
  }

  /** Removes it from the presence of a room. Returns whether it was there. @throws SNOW_ERR_BAD_NAME */
  untrack(room: string): boolean {
    return this.#host.untrack(this, mustBeRoom(room));
  }

  /**
   * Closes it.
   *
   * @param code the code of the WebSocket: 1000, 1001, 1008 to 1013, or 3000 to 4999. Default 1001.
   * @throws SNOW_ERR_BAD_ARGUMENT for another code, or a reason that is not a string of at most 123 bytes.
   */
  close(code: number = CloseCode.goingAway, reason = ''): void {
    checkClose(code, reason);
    if (!this.#isOpen) return;
    this.#host.output.distribute();
    this.#sendBuffer.flush();
    this.#closing({ code, reason });
    closeSocket(this.#socket, code, reason);
  }

  /** @internal Closes it without waiting for the other end. */
  terminate(why: CloseReason): void {
    this.ended(why);
    endSocket(this.#socket, why.code, why.reason);
  }

  /** @internal Its actor got a message. */
  onMessage(message: unknown, self: Self): void | PromiseLike<void> {
    return this.#host.mailed(this, message, self);
  }

  /** @internal Its actor ended. */
  [ON_DEATH](): void {
    this.#host.actorEnded(this);
    this.close(CloseCode.crashed, 'its handler ended');
  }

  /** @internal */
  received(data: SocketData): void {
    this.isAlive = true;
    if (this.#isOpen) this.#host.received(this, data);
  }

  /** @internal */
  broken(why: CloseReason): void {
    if (!this.#isOpen) return;
    this.#host.broken(this);
    this.#closing(why);
  }

  /** @internal The socket is closed, or is being closed. */
  ended(why: CloseReason): void {
    if (!this.#isOpen) return this.#cancelCut?.();
    this.#isOpen = false;
    this.#host.ended(this, why);
    this.#sendBuffer.close();
  }

  /** @internal Whether a broadcast with these exceptions is not for it. */
  isExcludedBy(except: Except): boolean {
    return except.includes(`#${this.id}`) || (this.key !== undefined && except.includes(`@${this.key}`));
  }

  /** @internal */
  caughtUp(dropped: number): void {
    this.notify(['lost', dropped]);
  }

  /** @internal Whether no more bytes wait for the client than may. */
  get mayQueue(): boolean {
    return this.#sendBuffer.mayQueue;
  }

  /** @internal Waits while more bytes wait for the client than may. */
  untilRead(): Promise<void> {
    return this.#sendBuffer.untilRead();
  }

  /** @internal Queues room messages. */
  deliver(packet: Packet): void {
    this.#sendBuffer.push(packet);
  }

  /** @internal Queues a message of the protocol, if it is not a plain connection. */
  notify(message: readonly unknown[]): void {
    if (!this.isPlain) this.notifyFrames([jsonFrame(message)]);
  }

  /** @internal Queues frames that are never dropped. */
  notifyFrames(frames: readonly Frame[]): void {
    if (!this.#isOpen) return;
    this.#host.output.distribute();
    this.#sendBuffer.pushKept(new Packet(frames));
  }

  /** @internal Whether its client answers pings or sends heartbeats, so that silence means that it is gone. */
  get hasHeartbeat(): boolean {
    return !this.isPlain || this.#socket.ping !== undefined;
  }

  /** @internal */
  ping(): void {
    ping(this.#socket);
  }

  /** @internal Stops reading from the socket, or goes on. */
  hold(isHeld: boolean): void {
    this.#socket[isHeld ? 'pause' : 'resume']?.();
  }

  /** Ends it. Its socket is cut off unless the client answers the close in time: it may send until then. */
  #closing(why: CloseReason): void {
    this.#cancelCut = this.#host.after(LONGEST_CLOSE_MS, () => this.terminate(why));
    this.ended(why);
  }
}
