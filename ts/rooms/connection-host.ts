import type { Self } from '../actor/index.ts';
import type { SocketData } from './client-input.ts';
import type { Recipient, Room } from './room.ts';
import type { Except } from './room-message.ts';
import type { SendBufferHost } from './send-buffer.ts';
import type { CloseReason } from './socket-events.ts';

/** The session that a connection resumes. */
export interface ResumedSession {
  readonly session: string;
  /** How often it had been resumed when its client left it. */
  readonly generation: number;
  /** How long its client got no data. Unit: ms. */
  readonly awayMs: number;
  /** The rooms that its client has asked to resume. */
  readonly asked: Set<string>;
}

/** Which user a connection belongs to, and its protocol. */
export interface ConnectionFacts {
  /** Identifies the user: all its connections, on any node, have the same key. */
  readonly key: string | undefined;
  readonly user: unknown;
  /** The address of the client. */
  readonly address: string | undefined;
  /** Whether it gets payloads without envelope, and cannot resume. */
  readonly isPlain: boolean;
}

/** Adds connections to rooms, and removes them. */
export interface ConnectionRooms<C> {
  /** Resolves when peers know of the room. @throws SNOW_ERR_TOO_MANY_MEMBERS */
  join(connection: C, room: string): Promise<void>;
  /** Returns whether it was a member. */
  leave(connection: C, room: string): boolean;
}

/** The part of the rooms that a connection uses. */
export interface ConnectionHost<C extends Recipient> extends SendBufferHost<C> {
  readonly membership: ConnectionRooms<C>;
  broadcast(from: C, room: string, message: unknown, except: Except): void;
  track(connection: C, room: string, meta: unknown): void;
  untrack(connection: C, room: string): boolean;
  /** Tells the client that it is a member, as the answer to its request `ref`. */
  joined(connection: C, room: Room<C>, ref: number): void;
  /** Data came from its client. */
  received(connection: C, data: SocketData): void;
  /** Its actor got a message. */
  mailed(connection: C, message: unknown, self: Self): void | PromiseLike<void>;
  /** Its client broke WebSocket itself. */
  broken(connection: C): void;
  /** Calls back once. Returns a function that cancels it. */
  after(ms: number, action: () => void): () => void;
  /** Its actor ended. Tasks from its client that were queued will not run. */
  actorEnded(connection: C): void;
  /** Its socket was closed. */
  ended(connection: C, why: CloseReason): void;
}
