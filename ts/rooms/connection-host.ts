import type { Self } from '../actor/index.ts';
import type { SocketData } from './client-input.ts';
import type { OutletLimits } from './outlet.ts';
import type { Recipient, Room } from './room.ts';
import type { Except } from './room-message.ts';
import type { CloseReason } from './socket-events.ts';
import type { Turn } from './turn.ts';

/** Puts connections into rooms and takes them out. */
export interface ConnectionRooms<C> {
  /** Resolves when peers know. @throws SNOW_ERR_TOO_MANY_MEMBERS */
  join(connection: C, room: string): Promise<void>;
  /** False: it was not in the room. */
  leave(connection: C, room: string): boolean;
}

/** What a connection needs of its node. */
export interface ConnectionHost<C extends Recipient> {
  readonly turn: Turn;
  readonly limits: OutletLimits;
  readonly membership: ConnectionRooms<C>;
  broadcast(from: C, room: string, message: unknown, except: Except): void;
  track(connection: C, room: string, meta: unknown): void;
  untrack(connection: C, room: string): boolean;
  /** Proof of a membership, for the client. */
  joined(connection: C, room: Room<C>, ref: number): void;
  /** Something came from its client. */
  received(connection: C, data: SocketData): void;
  /** Its actor has a message. */
  mailed(connection: C, message: unknown, self: Self): void | PromiseLike<void>;
  dropped(connection: C, count: number): void;
  tooSlow(connection: C): void;
  /** It takes part no more; its actor is told. */
  ended(connection: C, why: CloseReason): void;
}
