import { FAILED, KEY_ROOM, type ResumeRoom, type Welcome } from '../client/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHandler } from './connection-actor.ts';
import { type Limits, MAX_RESUMING, RESUMED_PER_TURN } from './limits.ts';
import type { Resume, Returning } from './resume.ts';
import type { Room } from './room.ts';
import type { RoomService } from './room-service.ts';
import type { ClaimOutcome } from './session-claims.ts';
import { NONE_TAKEN } from './sessions.ts';
import type { SessionClaim } from './token-signer.ts';

/** Gets the outcomes of a `SessionSetup`. */
export interface SessionSetupListener {
  /** The times and limits for the welcome. */
  facts(): Omit<Welcome, 'session' | 'id' | 'resumed' | 'last'>;
  /** A connection of a resumed session was a member before its hello: the ticket that its client has is not for this session. */
  joined(connection: Connection, room: Room<Connection>): void;
  /** A session was resumed. */
  resumed(): void;
  /** A client was told `resync` for a room. */
  resynced(): void;
  /** The user's handler `join` has thrown. */
  failed(room: string, error: unknown): void;
}

const NEW: ClaimOutcome = { taken: NONE_TAKEN, isStale: false };

/** Answers the hello of a client: creates or resumes its session, resumes its rooms, and joins the room of its user. */
export class SessionSetup {
  readonly #service: RoomService;
  readonly #resume: Resume;
  readonly #handler: ConnectionHandler;
  readonly #listener: SessionSetupListener;
  readonly #limits: Pick<Limits, 'rooms'>;

  /** @param options.limits.rooms Most rooms of a connection. */
  constructor(
    service: RoomService,
    resume: Resume,
    options: { readonly handler: ConnectionHandler; readonly limits: Pick<Limits, 'rooms'> },
    listener: SessionSetupListener,
  ) {
    this.#service = service;
    this.#resume = resume;
    this.#handler = options.handler;
    this.#limits = options.limits;
    this.#listener = listener;
  }

  /** @param isFork Another connection keeps the session: this one gets a new session, and the rooms of the old one. */
  async answer(
    connection: Connection,
    token: string | null,
    rooms: readonly ResumeRoom[],
    isFork: boolean,
    awayMs: number,
  ): Promise<void> {
    if (!connection.isOpen) return; // closed before its turn: it takes no session over, and leaves none behind
    const { sessions, signer } = this.#service;
    const claim = this.#resume.sessionOf(connection, token);
    if (claim === undefined) sessions.opened(connection.id, connection);
    const { taken, isStale } = claim === undefined ? NEW : await this.#takeOver(connection, claim, isFork);
    if (!connection.isOpen) return;
    if (claim !== undefined) this.#listener.resumed();
    const { id, generation, key } = connection;
    const session = signer.sessionToken({ session: id, generation, key });
    const resumed = claim !== undefined && !isStale;
    const welcome: Welcome = { session, id, resumed, last: taken.number, ...this.#listener.facts() };
    connection.notify(['welcome', welcome]);
    if (claim !== undefined) {
      const { session, generation } = claim;
      connection.resumes = { session, generation, awayMs, asked: new Set() };
    }
    if (id === claim?.session) {
      const named = new Set(rooms.map(([name]) => name));
      for (const room of connection.joined)
        if (!named.has(room.name)) this.#listener.joined(connection, room);
    }
    await this.resume(connection, rooms);
    this.joinOwnRoom(connection);
  }

  /** Makes a connection that of an existing session, or of a new one if another client continues that session. */
  async #takeOver(connection: Connection, claim: SessionClaim, isFork: boolean): Promise<ClaimOutcome> {
    const { sessions, claims, presence } = this.#service;
    const newId = connection.id;
    if (isFork || claims.isStale(claim)) {
      sessions.opened(newId, connection);
      return claims.fork(claim);
    }
    // First, because the end of the other connection removes the presence of the session.
    sessions.handOver(claim.session);
    presence.rename(connection, claim.session);
    connection.generation = claim.generation + 1;
    sessions.opened(connection.id, connection);
    const outcome = await claims.take(claim);
    if (!connection.isOpen) return outcome;
    if (outcome.isStale) {
      sessions.closed(connection.id, connection);
      presence.rename(connection, newId);
      connection.generation = 0;
      sessions.opened(newId, connection);
    } else sessions.noteTaken(connection.id, outcome.taken);
    return outcome;
  }

  /** Resumes rooms of the session that the hello named. */
  async resume(connection: Connection, rooms: readonly ResumeRoom[]): Promise<void> {
    const begun: Returning[] = [];
    try {
      for (const [index, room] of rooms.entries()) {
        await connection.untilRead();
        // One message may name thousands of rooms: others have their turn meanwhile.
        if (index % RESUMED_PER_TURN === RESUMED_PER_TURN - 1) await new Promise(setImmediate);
        if (!connection.isOpen) return;
        const returning = await this.#begin(connection, room);
        if (returning !== undefined) begun.push(returning);
        while (begun.length === MAX_RESUMING || begun[0]?.isFetched === true)
          await this.#end(connection, begun.shift() as Returning);
      }
      while (begun.length > 0) await this.#end(connection, begun.shift() as Returning);
    } finally {
      for (const each of begun) this.#resume.giveUp(each);
    }
  }

  /** Joins the room of all connections of its user, to which `sendTo` broadcasts. */
  joinOwnRoom(connection: Connection): void {
    const room = `${KEY_ROOM}${connection.key}`;
    if (connection.key !== undefined && connection.isOpen && !connection.joined.has(room))
      void connection.joinAnswering(room, 0);
  }

  async #begin(connection: Connection, room: ResumeRoom): Promise<Returning | undefined> {
    const [name] = room;
    const { resumes } = connection;
    if (resumes === undefined) {
      connection.notify(['refused', 0, name, 'session']);
      return undefined;
    }
    // Each resume verifies a signature and may send all kept messages of the room, so a client gets it once for each room.
    const isAsked = !resumes.asked.has(name) && resumes.asked.size <= this.#limits.rooms;
    if (isAsked) resumes.asked.add(name);
    let reason = 'ticket';
    const mayReturn = async (): Promise<boolean> => {
      if (name.startsWith(KEY_ROOM)) return name === `${KEY_ROOM}${connection.key}`;
      const answer = await this.mayJoin(connection, name, true);
      if (answer === undefined) reason = FAILED;
      return answer ?? false;
    };
    const returning = isAsked ? await this.#resume.begin(connection, resumes, room, mayReturn) : undefined;
    if (returning === undefined) connection.notify(['refused', 0, name, reason]);
    return returning;
  }

  /**
   * Asks the user's handler. Undefined: it has thrown; that is logged, and the client is not told what. Unless the answer is true, the client
   * leaves the room if the handler has joined it.
   */
  async mayJoin(connection: Connection, room: string, resumed: boolean): Promise<boolean | undefined> {
    const wasThere = connection.joined.has(room);
    const answer = await this.#ask(connection, room, resumed);
    if (answer !== true && !wasThere && connection.joined.has(room)) connection.leave(room);
    return answer;
  }

  async #ask(connection: Connection, room: string, resumed: boolean): Promise<boolean | undefined> {
    try {
      // Without a handler clients join nothing, but come back to what the server joined them to. One that returns nothing allows nothing.
      if (this.#handler.join === undefined) return resumed;
      return Boolean(await this.#handler.join(connection, room, { resumed }));
    } catch (err) {
      if (connection.isOpen) this.#listener.failed(room, err);
      return undefined;
    }
  }

  async #end(connection: Connection, returning: Returning): Promise<void> {
    await connection.untilRead();
    const { name } = returning.room;
    const outcome = await this.#resume.end(connection, returning);
    if (outcome === 'refused') return connection.notify(['refused', 0, name, 'ticket']);
    if (outcome !== 'resumed') this.#listener.resynced();
    if (connection.joined.has(name)) this.#service.presence.show(connection, name, true);
  }
}
