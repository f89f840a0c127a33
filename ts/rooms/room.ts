import { inspect } from 'node:util';
import { KEY_ROOM, MAX_ROOM_BYTES } from '../client/index.ts';
import { SmallMap } from '../collections/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { Packet } from './frame.ts';
import { type Dropped, ReplayRing } from './replay-ring.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** The part of a member that delivers messages. */
export interface Recipient {
  /** Whether it gets payloads without envelope. */
  readonly isPlain: boolean;
  /** @internal */
  isExcludedBy(except: readonly string[]): boolean;
  /** @internal */
  deliver(packet: Packet): void;
}

const NONE: ReadonlySet<never> = new Set<never>();

/** What this node knows of one room: its own members, the peers that want the room, and the last messages. */
export class Room<M extends Recipient = Recipient> {
  readonly name: string;
  /** Messages that this node sent before it knew the room have at most this sequence. */
  readonly floor: number;
  /** The peers that want its messages, each with the time since which it gets all of this node, in ms of the monotonic clock. */
  readonly interested: SmallMap<RoomsPeer, number> = new SmallMap();
  /** Until when former members may reconnect, in ms of the monotonic clock. */
  keepUntil = 0;
  /** Resumes that are under way: each keeps the room as a member does. */
  resuming = 0;
  /** The part of the table's memory sum that belongs to this room. Unit: bytes. */
  accountedBytes = 0;
  /** Whether peers were told that this node wants its messages. */
  isAnnounced = false;
  /** When peers were told that, in ms of the monotonic clock. */
  announcedAt = 0;
  /** When the answers of all peers last showed that nothing of ended nodes is missing here, in ms of the monotonic clock. */
  learntAt = Number.NEGATIVE_INFINITY;
  /** Members want all messages that were broadcast from then on, in ms of the monotonic clock. */
  wantedSince = 0;
  /** Made with the first member, as the ring with its first use: a room that only a peer wants, of which there may be a million, has neither. */
  #members: Set<M> | undefined;
  #ring: ReplayRing | undefined;

  constructor(name: string, floor: number) {
    this.name = name;
    this.floor = floor;
  }

  /** Connections of this node. */
  get members(): ReadonlySet<M> {
    return this.#members ?? (NONE as ReadonlySet<M>);
  }

  addMember(member: M): void {
    this.#members ??= new Set();
    this.#members.add(member);
  }

  /** False: it was no member. */
  removeMember(member: M): boolean {
    return this.#members?.delete(member) === true;
  }

  get ring(): ReplayRing {
    this.#ring ??= new ReplayRing();
    return this.#ring;
  }

  /** Number of kept messages. */
  get kept(): number {
    return this.#ring?.size ?? 0;
  }

  /** Estimated memory of the kept messages. Unit: bytes. */
  get memoryBytes(): number {
    return this.#ring?.memoryBytes ?? 0;
  }

  /** Sequence of the newest message of an origin; 0: none is known. */
  newest(origin: string): number {
    return this.#ring?.newest(origin) ?? 0;
  }

  /** Sequence of the newest kept message of an origin. */
  newestKept(origin: string): number | undefined {
    return this.#ring?.newestKept(origin);
  }

  /** As `ReplayRing.dropped`. */
  dropped(time: number): readonly Dropped[] {
    return this.#ring?.dropped(time) ?? [];
  }

  expire(time: number): void {
    this.#ring?.expire(time);
  }

  /** Whether this node got the messages of an origin until the origin ended, as far as any came here. @param endedAt when it ended. */
  hasFollowed(origin: string, endedAt: number): boolean {
    return this.isAnnounced && endedAt > this.announcedAt && this.#ring?.last(origin) !== undefined;
  }

  /** Whether this node wants its messages: it has members, or former members reconnect or may do so. */
  isWanted(now: number): boolean {
    return this.members.size > 0 || this.resuming > 0 || this.keepUntil > now;
  }

  /** Whether the room must stay in the table. */
  isNeeded(now: number): boolean {
    return this.isWanted(now) || this.interested.size > 0 || this.kept > 0;
  }
}

/** Whether a value can name a room: 1 to 255 bytes of well-formed text. */
export function isRoomName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  // In UTF-8 a code unit takes at most three bytes.
  if (value.length * 3 > MAX_ROOM_BYTES && Buffer.byteLength(value) > MAX_ROOM_BYTES) return false;
  return value.isWellFormed();
}

/** A room name that a user gave: 1 to 255 bytes of text that does not begin with U+0000. @throws SNOW_ERR_BAD_NAME */
export function mustBeRoom(name: unknown): string {
  if (isRoomName(name) && name[0] !== '\0') return name;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${shown(name)} cannot name a room: use 1 to 255 bytes of text that does not begin with U+0000.`,
  );
}

/** The name of the room of a user's connections. @throws SNOW_ERR_BAD_NAME for an invalid key. */
export function keyRoom(key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.isWellFormed()) {
    const room = `${KEY_ROOM}${key}`;
    if (Buffer.byteLength(room) <= 255) return room;
  }
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${shown(key)} cannot name a user: use 1 to 254 bytes of text.`,
  );
}

/** A value for an error text, shortened. */
function shown(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3 });
}
