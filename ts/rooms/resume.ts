// A client that comes back: whose session it is, and what it has missed in each of its rooms.
import type { Cursor, ResumeRoom, ResyncReason } from '../client/index.ts';
import type { Connection, ResumedSession } from './connection.ts';
import { ENDED_ORIGINS_KEPT, MAX_CURSOR } from './limits.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomService } from './room-service.ts';
import { readCursor, type SessionClaim } from './token-signer.ts';

/** Whether a client may be in a room again. */
export type MayReturn = (room: string) => boolean | PromiseLike<boolean>;

export class Resume {
  readonly #service: RoomService;
  readonly #windowMs: number;

  constructor(service: RoomService, windowMs: number) {
    this.#service = service;
    this.#windowMs = windowMs;
  }

  /** The session that a token is for; undefined: there is none here, or it belongs to another user. */
  sessionOf(connection: Connection, token: string | null): SessionClaim | undefined {
    if (token === null || this.#windowMs === 0) return undefined;
    const claim = this.#service.signer.readSession(token);
    return claim !== undefined && claim.key === connection.key ? claim : undefined;
  }

  /**
   * Puts a connection into a room of its session again, and sends what it has missed.
   *
   * @param resumed its ticket was made for that session. One that was away for longer than anything is kept cannot be told what it missed.
   * @returns `resumed`; `refused`: the ticket is not good, or it may not be there any more; or why there may be a gap.
   */
  async room(
    connection: Connection,
    { session, awayMs }: ResumedSession,
    [name, ticket, seen]: ResumeRoom,
    mayReturn: MayReturn,
  ): Promise<'resumed' | 'refused' | ResyncReason> {
    const { signer, table, membership, interest, history } = this.#service;
    if (!membership.hasPlaceFor(connection, name)) return 'refused';
    const from = signer.readTicket(ticket, session, name);
    const cursor = from === undefined ? undefined : readCursor(seen, from);
    if (from === undefined || cursor === undefined || !(await mayReturn(name))) return 'refused';
    if (!connection.isOpen) return 'refused';
    const room = membership.prepare(connection, name);
    table.awaitReturn(room); // wanted from now on, though it has no member yet
    await interest.open(room);
    const missed = awayMs > this.#windowMs ? 'window' : await history.missed(room, cursor, from);
    if (!connection.isOpen) return 'refused';
    // From here to the end nothing can come in between: what is not in `missed` reaches it as a member.
    membership.add(connection, room);
    const now = typeof missed === 'string' ? undefined : room.ring.missed(cursor, from, new Set());
    room.ring.followOn(from);
    if (now !== undefined) {
      this.#replay(connection, room, from, cursor, now);
      return 'resumed';
    }
    const reason = typeof missed === 'string' ? missed : 'window';
    this.#resync(connection, room, reason, from, cursor);
    return reason;
  }

  /** Tells a client that it may have missed something in a room, and from which message on it gets it. */
  resync(connection: Connection, room: Room<Connection>, corrected?: string): void {
    // The client keeps the greater number of each origin: on another node it may have had more than is known here.
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
    // Of origins that are not known here it must not have again what it has had.
    const cursor: Record<string, number> = { ...seen };
    for (const [origin, last] of Object.entries(here)) cursor[origin] = Math.max(cursor[origin] ?? 0, last);
    connection.notify(['resync', room.name, ticket, cursor, reason]);
    this.#bound(connection, room, seen);
  }

  /** A cursor that names many origins which are not known here is cut: it went through the lives of many nodes. */
  #bound(connection: Connection, room: Room<Connection>, seen: Cursor): void {
    const unknown = Object.keys(seen).filter((origin) => !room.ring.knows(origin));
    if (unknown.length > ENDED_ORIGINS_KEPT)
      connection.notify(['forget', room.name, this.#service.table.origin, 0, unknown]);
  }

  /**
   * @param from from which message on the session may get the room, as was signed.
   * @param seen what the client says it has had.
   */
  #replay(
    connection: Connection,
    room: Room<Connection>,
    from: Cursor,
    seen: Cursor,
    missed: readonly RoomMessage[],
  ): void {
    // Of an origin that the client does not know it gets all there is: it has to start below that.
    const replayed = new Set(missed.map(({ origin }) => origin));
    const cursor: Record<string, number> = { ...seen };
    const signed: Record<string, number> = {};
    for (const [origin, last] of Object.entries(room.ring.cursor())) {
      if (!replayed.has(origin)) cursor[origin] ??= last;
      // What is signed must be known here: a client may say anything.
      signed[origin] = Math.max(from[origin] ?? 0, Math.min(cursor[origin] ?? 0, last));
    }
    const ticket = this.#service.signer.ticket(connection.id, room.name, signable(from, signed));
    connection.notify(['joined', 0, room.name, ticket, cursor]);
    const frames = missed
      .filter(({ except }) => except.length === 0 || !connection.isExcludedBy(except))
      .map((message) => message.enveloped(room.name));
    if (frames.length > 0) connection.notifyFrames(frames);
    this.#bound(connection, room, seen);
  }
}

/** From where on a session may get a room: as it was signed before for origins that are not known here, of those the latest. */
function signable(from: Cursor, here: Cursor): Cursor {
  const elsewhere = Object.entries(from).filter(([origin]) => !(origin in here));
  return { ...Object.fromEntries(elsewhere.slice(-MAX_CURSOR / 2)), ...here };
}
