// Signs the session tokens and room tickets that clients store, so that a client can neither forge them nor use those of another client.
//
// Each node has a random key and sends it to its peers over their authenticated connections. So every node that was connected to the signer
// can verify a token, also after the signer has ended.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Cursor } from '../client/index.ts';
import { SharedOldest } from '../collections/index.ts';
import { MAX_CURSOR, MAX_GENERATION, MAX_SEQUENCE } from './limits.ts';
import { isId } from './messages.ts';
import { isOrigin } from './room-message.ts';

/** Most keys, as many as one message may have. Beyond it the node that told the most of them loses the one that it told first. */
const MAX_KEYS = 1024;
const MAC_BYTES = 32;
/** Longest token. Unit: characters. */
const MAX_TOKEN = 65_536;

/** The content of a session token. */
export interface SessionClaim {
  readonly session: string;
  /** How often the session has been resumed. */
  readonly generation: number;
  /** The user of the session; undefined: none. */
  readonly key: string | undefined;
  /** The id of the key of the node that signed it. */
  readonly signedBy: string;
}

export class TokenSigner {
  readonly #own: string = randomBytes(8).toString('base64url');
  readonly #ownKey: Uint8Array = randomBytes(MAC_BYTES);
  /** The keys of other nodes by id, each with the node that told it. */
  readonly #others = new SharedOldest<string, Uint8Array>(MAX_KEYS - 1);

  /** The id of this node's key. */
  get id(): string {
    return this.#own;
  }

  /** All keys, for a peer; this node's key is first. */
  keys(): [id: string, key: Uint8Array][] {
    return [[this.#own, this.#ownKey], ...this.#others];
  }

  /**
   * Adds the keys that a node tells: its own, which is first, and those it has learned. A key that is known stays. O(keys · nodes) when there
   * are too many.
   */
  learn(node: string, keys: readonly (readonly [id: string, key: Uint8Array])[]): void {
    // Its own comes last: so it is the one that is kept longest, whichever node told it before.
    for (const [at, [id, key]] of [...keys.entries()].toReversed()) {
      const known = this.#keyOf(id);
      if (id !== this.#own && (known === undefined || at === 0)) this.#others.renew(id, node, known ?? key);
    }
  }

  newSession(): string {
    return randomBytes(15).toString('base64url');
  }

  sessionToken({ session, generation, key }: Omit<SessionClaim, 'signedBy'>): string {
    return this.#sign(['session', session, generation, key ?? null]);
  }

  /** Verifies a session token. Undefined: no node of this cluster signed it. */
  readSession(token: unknown): SessionClaim | undefined {
    const claim = this.#open(token);
    if (claim?.[0] !== 'session') return undefined;
    const [, session, generation, key] = claim;
    const isClaim =
      isId(session) &&
      Number.isSafeInteger(generation) &&
      (generation as number) >= 0 &&
      (generation as number) < MAX_GENERATION &&
      (key === null || typeof key === 'string');
    return isClaim
      ? {
          session: session as string,
          generation: generation as number,
          key: (key as string) ?? undefined,
          signedBy: String(token).split('.', 1)[0] as string,
        }
      : undefined;
  }

  /** A signed proof that a session is in a room, and from which sequence of each origin on. */
  ticket(session: string, room: string, from: Cursor): string {
    return this.#sign(['room', session, room, from]);
  }

  /**
   * Verifies a ticket. Returns the sequence of each origin after which the session may get messages; undefined: it is not valid for the
   * session and room.
   */
  readTicket(ticket: unknown, session: string, room: string): Cursor | undefined {
    const claim = this.#open(ticket);
    return claim?.[0] === 'room' && claim[1] === session && claim[2] === room
      ? readCursor(claim[3], {})
      : undefined;
  }

  #keyOf(id: string): Uint8Array | undefined {
    return id === this.#own ? this.#ownKey : this.#others.get(id);
  }

  #sign(claim: readonly unknown[]): string {
    const body = Buffer.from(JSON.stringify(claim)).toString('base64url');
    return `${this.#own}.${body}.${this.#mac(this.#ownKey, body).toString('base64url')}`;
  }

  #open(token: unknown): readonly unknown[] | undefined {
    if (typeof token !== 'string' || token.length > MAX_TOKEN) return undefined;
    const [id = '', body = '', mac = '', ...rest] = token.split('.');
    const key = this.#keyOf(id);
    if (key === undefined || rest.length > 0) return undefined;
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== MAC_BYTES || !timingSafeEqual(given, this.#mac(key, body))) return undefined;
    // A peer may have signed anything, so the content is checked, too.
    try {
      const claim: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
      return Array.isArray(claim) ? claim : undefined;
    } catch {
      return undefined;
    }
  }

  #mac(key: Uint8Array, body: string): Buffer {
    return createHmac('sha256', key).update(body).digest();
  }
}

/** A valid cursor from what a client sent, in which no sequence is less than in `from`. Undefined: it is not valid. */
export function readCursor(value: unknown, from: Cursor): Cursor | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_CURSOR) return undefined;
  const cursor: Record<string, number> = {};
  for (const [origin, sequence] of entries) {
    if (!isOrigin(origin) || !Number.isSafeInteger(sequence)) return undefined;
    if ((sequence as number) < 0 || (sequence as number) > MAX_SEQUENCE) return undefined;
    cursor[origin] = Math.max(from[origin] ?? 0, sequence as number);
  }
  return cursor;
}
