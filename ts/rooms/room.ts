import { inspect } from 'node:util';
import { KEY_ROOM, MAX_ROOM_BYTES } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Packet } from './frame.ts';
import type { PeerSide } from './peer-side.ts';
import { ReplayRing } from './replay-ring.ts';

/** A member, as the delivery of messages sees it. */
export interface Recipient {
  /** It gets payloads without an envelope. */
  readonly isPlain: boolean;
  /** @internal */
  isExcludedBy(except: readonly string[]): boolean;
  /** @internal */
  deliver(packet: Packet): void;
}

/** One room as this node knows it: its own members, the peers that have some, and the last messages. */
export class Room<M extends Recipient = Recipient> {
  readonly name: string;
  /** No message of this node from before the room was known here has a greater number. */
  readonly floor: number;
  /** Connections of this node. */
  readonly members: Set<M> = new Set();
  /** Peers that want its messages. */
  readonly interested: Set<PeerSide> = new Set();
  /** Members may come back until then. ms of the monotonic clock. */
  keepUntil = 0;
  /** Its weight when its table looked at it last. */
  weighed = 0;
  /** Peers were told that this node wants its messages. */
  isAnnounced = false;
  #ring: ReplayRing | undefined;

  constructor(name: string, floor: number) {
    this.name = name;
    this.floor = floor;
  }

  get ring(): ReplayRing {
    this.#ring ??= new ReplayRing();
    return this.#ring;
  }

  /** Messages kept. */
  get kept(): number {
    return this.#ring?.size ?? 0;
  }

  /** What they take in memory, about. Unit: bytes. */
  get weight(): number {
    return this.#ring?.weight ?? 0;
  }

  expire(time: number): void {
    this.#ring?.expire(time);
  }

  /** Whether this node wants its messages: it has members, or some may come back. */
  isWanted(now: number): boolean {
    return this.members.size > 0 || this.keepUntil > now;
  }

  /** Whether anything would be lost with it. */
  isNeeded(now: number): boolean {
    return this.isWanted(now) || this.interested.size > 0 || this.kept > 0;
  }
}

/** Whether a value can name a room: 1 to 255 bytes of well-formed text. */
export function isRoomName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  // No character takes more than three bytes a code unit.
  if (value.length * 3 > MAX_ROOM_BYTES && Buffer.byteLength(value) > MAX_ROOM_BYTES) return false;
  return value.isWellFormed();
}

/** @throws SNOW_ERR_BAD_NAME for what cannot name a room: 1 to 255 bytes of text, not beginning with U+0000. */
export function mustBeRoom(name: unknown): string {
  if (isRoomName(name) && name[0] !== '\0') return name;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${shown(name)} cannot name a room: use 1 to 255 bytes of text that does not begin with U+0000.`,
  );
}

/** The room of a user's connections. @throws SNOW_ERR_BAD_NAME */
export function keyRoom(key: unknown): string {
  const room = `${KEY_ROOM}${String(key)}`;
  if (typeof key === 'string' && key !== '' && key.isWellFormed() && Buffer.byteLength(room) <= 255)
    return room;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${shown(key)} cannot name a user: use 1 to 254 bytes of text.`,
  );
}

/** A refused name in an error text: any value, however large. */
function shown(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3 });
}
