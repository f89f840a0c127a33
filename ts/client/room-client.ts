import { CLIENT_EVENTS, type ClientEvents, resyncOf } from './client-events.ts';
import { type ClientOptions, checkOptions, checkUrls } from './client-options.ts';
import { Connector, type Status } from './connector.ts';
import { Emitter } from './emitter.ts';
import { checkRoom, clientClosed, failure } from './errors.ts';
import { advance, forgetOrigins, type JoinedRoom, later } from './joined-room.ts';
import { bytesInEnvelope, type EncodedMessage, messageOf, Outbox } from './outbox.ts';
import { Pacer } from './pacer.ts';
import { PendingRequests } from './pending-requests.ts';
import { diffTo, newIn, type Presence, Presences } from './presence.ts';
import {
  CloseCode,
  type Cursor,
  FAILED,
  KEY_ROOM,
  type PresenceDiff,
  readBinary,
  type ServerMessage,
  type Welcome,
  writeMessage,
} from './protocol.ts';
import { partsOf, positionsOf, readState } from './state.ts';
import { WantedRooms } from './wanted-rooms.ts';

/** A connection to rooms that reconnects by itself. Made by `connectRooms`. */
export class RoomClient<In = unknown, Out = unknown> extends Emitter<ClientEvents<In>> {
  private readonly connector: Connector;
  private readonly outbox: Outbox;
  private readonly rooms = new Map<string, JoinedRoom>();
  private readonly wanted: WantedRooms;
  private readonly presences = new Presences();
  private readonly pending = new PendingRequests();
  private readonly pacer = new Pacer(() => this.sendJson(['beat']));
  private session: string | null = null;
  /** When data of the session in the option `state` last came, in ms of `Date.now()`; 0: there is no such session. */
  private stateAt = 0;
  /** Longest message that the server takes. Unit: bytes. */
  private messageBytes = Infinity;
  /** Another connection took over the session: this one continues with a new session. */
  private isFork = false;

  constructor(urls: string | readonly string[], options: ClientOptions = {}) {
    super(CLIENT_EVENTS);
    checkOptions(options);
    this.outbox = new Outbox(options.queue ?? 1000);
    this.wanted = new WantedRooms(options, (room) => void this.ask('join', room).catch(() => {}));
    if (options.state !== undefined) this.restore(options.state);
    this.connector = new Connector(checkUrls(urls), options, {
      opened: () => this.hello(),
      data: (data) => this.received(data),
      closed: (code) => {
        this.pacer.end();
        this.isFork ||= code === CloseCode.resumedElsewhere;
      },
      denied: (refusal) => {
        this.pending.rejectAll(clientClosed(`the server refused the connection: ${refusal.reason}`));
        this.close();
        this.emit('denied', refusal);
      },
      status: (status) => this.emit('status', status),
    });
  }

  /** The current status of the connection. */
  get status(): Status {
    return this.connector.status;
  }

  /** How many messages the server has not acknowledged yet. */
  get queued(): number {
    return this.outbox.size;
  }

  /** Its session, rooms and unacknowledged messages as text. `connectRooms(url, { state })` continues from it, as after a page reload. */
  get state(): string {
    const heardAt = Date.now() - this.connector.awayMs(this.stateAt);
    return JSON.stringify([this.session, positionsOf(this.rooms), heardAt, this.outbox.save()]);
  }

  /** The rooms that the client is in. */
  joined(): string[] {
    return [...this.rooms.keys()].filter((room) => !room.startsWith(KEY_ROOM));
  }

  /**
   * Joins a room, now or once connected, and again after each reconnect.
   *
   * @param room 1 to 255 bytes of text.
   * @returns Resolves when the client is a member: it then gets the broadcasts of all nodes. Rejects with SNOW_ERR_ROOM_REFUSED when the server
   *   does not allow it, with SNOW_ERR_CLIENT_CLOSED when the client was closed, with SNOW_ERR_ROOM_FAILED when the handler of the server failed:
   *   then the client asks again, after delays that grow, until `leave`, and the event `joined` tells that it is in.
   * @throws SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_BAD_NAME when `room` is not a valid room name.
   * @example
   * await client.join('lobby');
   */
  join(room: string): Promise<void> {
    checkRoom('join', room);
    this.wanted.add(room);
    // A leave that is under way would end the membership after this.
    return this.rooms.has(room) && !this.pending.has(room) ? Promise.resolve() : this.ask('join', room);
  }

  /** Leaves a room. Resolves when the server has acknowledged it: then no further message of the room comes. Rejects with SNOW_ERR_CLIENT_CLOSED; throws as {@link join}. */
  leave(room: string): Promise<void> {
    checkRoom('leave', room);
    this.wanted.delete(room);
    return this.ask('leave', room);
  }

  /**
   * Sends a copy of a message to the handler of the server, now or once connected. The server handles it once.
   *
   * @param data bytes, or a JSON value.
   * @returns true; false when as many messages as the option `queue` allows are not acknowledged: this message is dropped.
   * @throws SNOW_ERR_UNSENDABLE for a value that JSON cannot represent; SNOW_ERR_TOO_LARGE for one that is longer than the server takes. Before
   *   the first connection the client does not know how long that is: such a message is dropped later, with the event `refused`.
   * @example
   * if (!client.send({ text: 'hello' })) showOffline();
   */
  send(data: Out): boolean {
    const message = messageOf(data);
    if (bytesInEnvelope(message) > this.messageBytes)
      throw failure('SNOW_ERR_TOO_LARGE', `send: the server takes at most ${this.messageBytes} bytes`);
    const number = this.outbox.add(message);
    if (number === undefined) return false;
    if (this.connector.isEstablished) this.write(number, message);
    this.emit('queue', this.outbox.size);
    return true;
  }

  /**
   * The presence of a room: for each key the metadata of its connections. O(1), and O(keys) for the change that follows, which makes a new map.
   *
   * @param room 1 to 255 bytes of text. If the client is not in it, the presence is empty.
   * @throws SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_BAD_NAME when `room` is not a valid room name.
   * @example
   * const names = [...client.presence('lobby').keys()];
   */
  presence(room: string): Presence {
    checkRoom('presence', room);
    return this.presences.of(room);
  }

  /** Closes the connection and does not reconnect. Pending joins and leaves reject with SNOW_ERR_CLIENT_CLOSED. */
  close(): void {
    this.pacer.end();
    this.connector.close();
    this.wanted.close();
    this.pending.rejectAll(clientClosed());
  }

  /** Sends the hello, with some of the rooms: a server limits the length of a message. */
  private hello(): void {
    const [first] = partsOf(this.rooms);
    this.sendJson(['hello', this.session, first, this.isFork, this.connector.awayMs(this.stateAt)]);
  }

  private received(data: unknown): void {
    if (typeof data !== 'string') {
      const { room, origin, sequence, payload } = readBinary(new Uint8Array(data as ArrayBuffer));
      if (room === undefined) return this.emit('direct', payload as In);
      return this.roomMessage(room, origin, sequence, payload);
    }
    const message = JSON.parse(data) as ServerMessage;
    switch (message[0]) {
      case 'm':
        return this.roomMessage(message[1], message[2], message[3], message[4]);
      case 'd':
        return this.emit('direct', message[1] as In);
      case 'ack':
        this.outbox.taken(message[1]);
        this.pacer.answered(message[1]);
        return this.emit('queue', this.outbox.size);
      case 'welcome':
        return this.welcome(message[1]);
      case 'joined':
        this.enter(message[2], message[3], message[4]);
        return this.pending.settle(message[1]);
      case 'resync':
        this.enter(message[1], message[2], later(this.rooms.get(message[1])?.cursor ?? {}, message[3]));
        return this.emit('resync', resyncOf(message[1], message[4]));
      case 'forget':
        return forgetOrigins(this.rooms.get(message[1]), message[2], message[3], message[4]);
      case 'left':
        return this.left(message[1], message[2]);
      case 'refused':
        return this.refused(message[1], message[2], message[3]);
      case 'present':
        return this.presenceChanged(message[1], (before) => diffTo(before, message[2]));
      case 'presence':
        return this.presenceChanged(message[1], (before) => newIn(before, message[2]));
      case 'lost':
        return this.emit('lost', message[1]);
      case 'beat':
        return this.pacer.answered();
      case 'drain':
        if (message[1] !== null) this.connector.goTo(message[1]);
    }
  }

  private roomMessage(room: string, origin: string, sequence: number, data: unknown): void {
    if (!advance(this.rooms.get(room), origin, sequence)) return;
    if (room.startsWith(KEY_ROOM)) this.emit('direct', data as In);
    else this.emit('message', { room, data: data as In, origin, sequence });
  }

  private welcome({ session, resumed, last, beatMs, spreadMs, rate, messageBytes }: Welcome): void {
    const { queued } = this;
    this.session = session;
    this.messageBytes = messageBytes ?? Infinity;
    this.outbox.takenUpTo(last);
    if (!resumed) this.outbox.renumber();
    const tooLong = this.outbox.dropLonger(this.messageBytes);
    this.isFork = false;
    this.pacer.begin(rate);
    for (const part of partsOf(this.rooms).slice(1)) this.paceJson(['resume', part]);
    // Requests without an answer are sent again, and rooms that were not resumed are joined again.
    for (const room of this.wanted.names())
      if (!this.rooms.has(room) && !this.pending.has(room)) this.wanted.again(room);
    for (const [ref, what, room] of this.pending.all()) this.paceJson([what, ref, room]);
    for (const [number, message] of this.outbox.all()) this.write(number, message);
    // Last, because its listeners may send: the server takes a number below one that it has taken for a repeat.
    this.connector.established(beatMs, spreadMs, this.pacer.beat);
    for (let count = tooLong; count > 0; count--) this.emit('refused', { room: '', reason: 'too long' });
    if (this.queued !== queued) this.emit('queue', this.queued);
  }

  private enter(room: string, ticket: string, cursor: Cursor): void {
    this.rooms.set(room, { ticket, cursor: { ...cursor } });
    const hasMissed = this.wanted.entered(room);
    if (!room.startsWith(KEY_ROOM)) this.emit('joined', { room });
    if (hasMissed) this.emit('resync', resyncOf(room, 'window'));
  }

  private left(ref: number, room: string): void {
    // The server has let it out of the room: it asks for it again only if the program does.
    if (ref === 0 && !this.pending.has(room)) this.wanted.delete(room);
    this.presences.forget(room);
    if (this.rooms.delete(room)) this.emit('left', { room });
    this.pending.settle(ref);
  }

  private refused(ref: number, room: string, reason: string): void {
    if (room === '') return this.emit('refused', { room, reason });
    this.rooms.delete(room);
    this.presenceChanged(room, (before) => diffTo(before, []));
    this.presences.forget(room);
    // A room of a session that did not continue is joined again. What is loaded before the client is in it may lack what follows.
    const isLost = ref === 0 && (reason !== 'ticket' || room.startsWith(KEY_ROOM));
    const hasFailed = reason === FAILED;
    if (isLost && hasFailed) this.wanted.add(room); // also one that only the server joined: nothing else asks for it
    if (isLost && !this.wanted.missed(room)) this.emit('resync', resyncOf(room, 'window'));
    if (hasFailed) {
      this.wanted.failed(room);
      this.emit('failed', { room });
    } else if (isLost) return this.wanted.again(room);
    else {
      this.wanted.delete(room);
      this.emit('refused', { room, reason });
    }
    const code = hasFailed ? 'SNOW_ERR_ROOM_FAILED' : 'SNOW_ERR_ROOM_REFUSED';
    this.pending.settle(ref, failure(code, `${room}: ${reason}`));
  }

  private presenceChanged(room: string, change: (before: Presence) => PresenceDiff): void {
    const event = this.presences.change(room, change);
    if (event !== undefined) this.emit('presence', event);
  }

  private ask(what: 'join' | 'leave', room: string): Promise<void> {
    if (this.status === 'closed') return Promise.reject(clientClosed());
    return this.pending.add(what, room, (ref) => {
      if (this.connector.isEstablished) this.paceJson([what, ref, room]);
    });
  }

  private write(number: number, message: EncodedMessage): void {
    this.pacer.send(() => this.connector.send(writeMessage(number, message)), number);
  }

  private paceJson(message: readonly unknown[]): void {
    this.pacer.send(() => this.sendJson(message));
  }

  private sendJson(message: readonly unknown[]): void {
    this.connector.send(JSON.stringify(message));
  }

  private restore(state: string): void {
    const [session, rooms, at, outbox] = readState(state);
    this.session = session;
    this.stateAt = at;
    this.outbox.restore(outbox);
    for (const [room, ticket, cursor] of rooms) {
      this.rooms.set(room, { ticket, cursor: { ...cursor } });
      if (!room.startsWith(KEY_ROOM)) this.wanted.add(room);
    }
  }
}
