import { CloseCode, KEY_ROOM, type ResumeRoom, type Welcome } from '../client/index.ts';
import type { Connection, ResumedSession } from './connection.ts';
import type { ConnectionHandler } from './connection-actor.ts';
import type { Limits } from './limits.ts';
import type { Resume } from './resume.ts';
import type { RoomService } from './room-service.ts';

/** What a greeting needs to know, and what it calls. */
export interface GreetingListener {
  facts(): Pick<Welcome, 'beatMs' | 'spreadMs'>;
  /** A session continues. */
  resumed(): void;
  /** A room was resumed with a gap. */
  resynced(): void;
}

/** Answers the hello of a client: gives it its session, its rooms again, and the room of its user. */
export class Greeting {
  readonly #service: RoomService;
  readonly #resume: Resume;
  readonly #handler: ConnectionHandler;
  readonly #listener: GreetingListener;
  readonly #mostRooms: number;

  /** @param options.limits.rooms how many rooms a connection may be in. */
  constructor(
    service: RoomService,
    resume: Resume,
    options: { readonly handler: ConnectionHandler; readonly limits: Pick<Limits, 'rooms'> },
    listener: GreetingListener,
  ) {
    this.#service = service;
    this.#resume = resume;
    this.#handler = options.handler;
    this.#mostRooms = options.limits.rooms;
    this.#listener = listener;
  }

  /** @param isFork another connection keeps the session: this one gets its rooms under a session of its own. */
  async answer(
    connection: Connection,
    token: string | null,
    rooms: readonly ResumeRoom[],
    isFork: boolean,
    awayMs: number,
  ): Promise<void> {
    const { sessions, signer } = this.#service;
    const claim = this.#resume.sessionOf(connection, token);
    let last = 0;
    if (claim !== undefined && !isFork) {
      this.#service.presence.rename(connection, claim.session);
      connection.generation = claim.generation + 1;
      sessions.connectionOf(claim.session)?.close(CloseCode.resumedElsewhere, 'resumed elsewhere');
      sessions.opened(connection.id, connection);
      last = await this.#service.claim(claim.session, connection.generation, claim.signedBy);
      if (!connection.isOpen) return;
      sessions.caused(connection.id, last);
    } else sessions.opened(connection.id, connection);
    if (claim !== undefined) this.#listener.resumed();
    const { id, generation, key } = connection;
    const session = signer.sessionToken({ session: id, generation, key });
    const welcome: Welcome = { session, id, resumed: claim !== undefined, last, ...this.#listener.facts() };
    connection.notify(['welcome', welcome]);
    if (claim !== undefined) connection.resumes = { session: claim.session, awayMs, asked: new Set() };
    await this.resume(connection, rooms);
    this.joinOwnRoom(connection);
  }

  /** Rooms of the session that the hello was for. */
  async resume(connection: Connection, rooms: readonly ResumeRoom[]): Promise<void> {
    for (const room of rooms)
      if (connection.resumes !== undefined) await this.#return(connection, connection.resumes, room);
      else connection.notify(['refused', 0, room[0], 'session']);
  }

  /** The room of all connections of its user: what is sent to the key goes there. */
  joinOwnRoom(connection: Connection): void {
    const room = `${KEY_ROOM}${connection.key}`;
    if (connection.key !== undefined && connection.isOpen && !connection.joined.has(room))
      void connection.joinAnswering(room, 0);
  }

  async #return(connection: Connection, resumed: ResumedSession, room: ResumeRoom): Promise<void> {
    const [name] = room;
    // Each costs a signature, and sends all that is kept of the room.
    if (resumed.asked.has(name) || resumed.asked.size > this.#mostRooms)
      return connection.notify(['refused', 0, name, 'ticket']);
    resumed.asked.add(name);
    const mayReturn = (): boolean | PromiseLike<boolean> =>
      name.startsWith(KEY_ROOM)
        ? name === `${KEY_ROOM}${connection.key}`
        : (this.#handler.join?.(connection, name, { resumed: true }) ?? true);
    const outcome = await this.#resume.room(connection, resumed, room, mayReturn);
    if (outcome === 'refused') return connection.notify(['refused', 0, name, 'ticket']);
    if (outcome !== 'resumed') this.#listener.resynced();
    if (connection.joined.has(name)) this.#service.presence.show(connection, name);
  }
}
