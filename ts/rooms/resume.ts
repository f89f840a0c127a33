// Resumes clients that reconnect: verifies their session, and sends what they have missed in each room.
import type { Cursor, ResumeRoom, ResyncReason } from '../client/index.ts';
import { forActor } from '../kernel/index.ts';
import type { Connection } from './connection.ts';
import type { ResumedSession } from './connection-host.ts';
import { isExceptUntil } from './except.ts';
import { ENDED_ORIGINS_KEPT, MAX_CURSOR } from './limits.ts';
import type { Room } from './room.ts';
import type { Except, RoomMessage } from './room-message.ts';
import type { RoomService } from './room-service.ts';
import { readCursor, type SessionClaim } from './token-signer.ts';

/** A room that a client resumes, and that waits for the answers of peers. */
export interface Returning {
  readonly room: Room<Connection>;
  /** The sequence of each origin after which the session may get messages, as signed; and the position that the client claims. */
  readonly from: Cursor;
  readonly cursor: Cursor;
  readonly missed: Promise<RoomMessage[] | ResyncReason>;
  readonly isFetched: boolean;
}

/** Whether a client may be a member of a room again. */
export type MayReturn = (room: string) => boolean | PromiseLike<boolean>;

export class Resume {
  readonly #service: RoomService;
  readonly #windowMs: number;

  constructor(service: RoomService, windowMs: number) {
    this.#service = service;
    this.#windowMs = windowMs;
  }

  /** The session of a token; undefined: the token is not valid here, or belongs to another user. */
  sessionOf(connection: Connection, token: string | null): SessionClaim | undefined {
    if (token === null || this.#windowMs === 0) return undefined;
    const claim = this.#service.signer.readSession(token);
    return claim !== undefined && claim.key === connection.key ? claim : undefined;
  }

  /**
   * Begins to make a connection a member of a room of its session again: peers are asked for what it has missed.
   *
   * @returns for `end`, or `giveUp`; undefined: refused, because the ticket is not valid or the client may no longer be a member.
   */
  async begin(
    connection: Connection,
    { session, awayMs }: ResumedSession,
    [name, ticket, seen]: ResumeRoom,
    mayReturn: MayReturn,
  ): Promise<Returning | undefined> {
    const { signer, table, membership } = this.#service;
    const from = signer.readTicket(ticket, session, name);
    const cursor = from === undefined ? undefined : readCursor(seen, from);
    if (from === undefined || cursor === undefined || !(await mayReturn(name))) return undefined;
    // The callback may have closed the connection, or joined it to other rooms.
    if (!connection.isOpen || !membership.hasPlaceFor(connection, name)) return undefined;
    const room = membership.prepare(connection, name);
    // The room is wanted from now on, although it has no member yet, and also if the window ends before peers have answered.
    table.awaitReturn(room);
    room.resuming++;
    const missed = forActor(this.#fetch(room, from, cursor, awayMs));
    const returning = { room, from, cursor, missed, isFetched: false };
    void missed.finally(() => (returning.isFetched = true)).catch(() => {});
    return returning;
  }

  async #fetch(
    room: Room<Connection>,
    from: Cursor,
    cursor: Cursor,
    awayMs: number,
  ): Promise<RoomMessage[] | ResyncReason> {
    const { interest, missed } = this.#service;
    await interest.open(room, Math.min(awayMs, this.#windowMs));
    return awayMs > this.#windowMs ? 'window' : missed.of(room, cursor, from, awayMs);
  }

  /** It does not become a member: it is closed, has no place left, or its hook has thrown. */
  giveUp({ room }: Returning): void {
    room.resuming--;
    this.#service.interest.changed(room);
  }

  /**
   * Makes the connection a member, and sends what it has missed. A client that was away for longer than the window is told `resync`.
   *
   * @returns `resumed`, `refused`, or the reason of a `resync`.
   */
  async end(connection: Connection, returning: Returning): Promise<'resumed' | 'refused' | ResyncReason> {
    const { room, from, cursor } = returning;
    const { membership } = this.#service;
    const missed = await returning.missed;
    // Its other rooms may have filled its places meanwhile.
    if (!connection.isOpen || !membership.hasPlaceFor(connection, room.name)) {
      this.giveUp(returning);
      return 'refused';
    }
    room.resuming--;
    // The rest runs without a pause: a message that is not in `missed` reaches the connection as a member.
    membership.add(connection, room);
    if (hasReceived(connection, room)) {
      this.#resync(connection, room, 'window', from, cursor);
      return 'window';
    }
    const now = typeof missed === 'string' ? undefined : room.ring.missed(cursor, from, new Set());
    room.ring.followFrom(from, cursor);
    if (now !== undefined) {
      this.#replay(connection, room, from, cursor, now);
      return 'resumed';
    }
    const reason = typeof missed === 'string' ? missed : 'window';
    this.#resync(connection, room, reason, from, cursor);
    return reason;
  }

  /** Tells a client that it may have missed messages of a room, and its new position. */
  resync(connection: Connection, room: Room<Connection>, corrected?: string): void {
    // The client keeps the greater sequence of each origin, so it must first drop the one that was too high.
    if (corrected !== undefined)
      connection.notify(['forget', room.name, this.#service.table.origin, 0, [corrected]]);
    this.#resync(connection, room, 'lost', {}, {});
  }

  #resync(
    connection: Connection,
    room: Room<Connection>,
    reason: ResyncReason,
    from: Cursor,
    seen: Cursor,
  ): void {
    const here = room.ring.cursor();
    const ticket = this.#service.signer.ticket(connection.id, room.name, signable(from, here));
    // The client must not get messages of unknown origins a second time, so their sequences stay in the cursor.
    const cursor: Record<string, number> = { ...seen };
    for (const [origin, last] of Object.entries(here)) cursor[origin] = Math.max(cursor[origin] ?? 0, last);
    connection.notify(['resync', room.name, ticket, cursor, reason]);
    this.#shortenCursor(connection, room, seen);
  }

  /** Makes the client forget origins that the room does not know, if they are many. */
  #shortenCursor(connection: Connection, room: Room<Connection>, seen: Cursor): void {
    const unknown = Object.keys(seen).filter((origin) => !room.ring.knows(origin));
    if (unknown.length > ENDED_ORIGINS_KEPT)
      connection.notify(['forget', room.name, this.#service.table.origin, 0, unknown]);
  }

  /**
   * Sends the missed messages, and the new ticket and position of the client.
   *
   * @param from the sequence of each origin after which the session may get messages, as signed.
   * @param seen the position that the client claims.
   */
  #replay(
    connection: Connection,
    room: Room<Connection>,
    from: Cursor,
    seen: Cursor,
    missed: readonly RoomMessage[],
  ): void {
    // The cursor must not count messages that follow now, so replayed origins keep the client's position.
    const replayed = new Set(missed.map(({ origin }) => origin));
    const cursor: Record<string, number> = { ...seen };
    const signed: Record<string, number> = {};
    for (const [origin, last] of Object.entries(room.ring.cursor())) {
      if (!replayed.has(origin)) cursor[origin] ??= last;
      // A client may claim any position, so at most what is known here is signed.
      signed[origin] = Math.max(from[origin] ?? 0, Math.min(cursor[origin] ?? 0, last));
    }
    const ticket = this.#service.signer.ticket(connection.id, room.name, signable(from, signed));
    connection.notify(['joined', 0, room.name, ticket, cursor]);
    const frames = missed
      .filter(({ except }) => except.length === 0 || !isExcluded(connection, except))
      .map((message) => message.enveloped(room.name));
    if (frames.length > 0) connection.notifyFrames(frames);
    this.#shortenCursor(connection, room, seen);
  }
}

/** Whether a client that was joined to a room before it resumed it has got messages since: what it missed would follow those. */
function hasReceived({ joinedAt }: Connection, { name, ring }: Room<Connection>): boolean {
  const since = joinedAt?.get(name);
  joinedAt?.delete(name);
  return (
    since !== undefined && Object.entries(ring.cursor()).some(([each, last]) => last > (since[each] ?? 0))
  );
}

/** Whether a missed message is not for a client. What it sent in a session that another client continues is as its own. */
function isExcluded(connection: Connection, except: Except): boolean {
  const { resumes, id } = connection;
  if (connection.isExcludedBy(except)) return true;
  return (
    resumes !== undefined &&
    resumes.session !== id &&
    isExceptUntil(except, resumes.session, resumes.generation)
  );
}

/** The cursor for a new ticket: `here`, and of the signed origins that are not in it the last ones. */
function signable(from: Cursor, here: Cursor): Cursor {
  const elsewhere = Object.entries(from).filter(([origin]) => !(origin in here));
  return { ...Object.fromEntries(elsewhere.slice(-MAX_CURSOR / 2)), ...here };
}
