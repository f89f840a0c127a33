// Sessions and memberships that a client carries: signed, so that it can neither make one nor use another's.
//
// Each node has a random key of its own and tells it to its peers over their authenticated connections; so a token stays good on
// every node that was connected to its maker, also when the maker is gone.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Cursor } from '../client/index.ts';
import { MAX_CURSOR, MAX_GENERATION, MAX_SEQUENCE } from './limits.ts';
import { isId } from './messages.ts';
import { isOrigin } from './room-message.ts';

/** Keys kept; the oldest goes first. */
const MAX_KEYS = 1024;
const MAC_BYTES = 32;
/** Longer text of a client is no token. Unit: characters. */
const MAX_TOKEN = 65_536;

/** What a session token says. */
export interface SessionClaim {
  readonly session: string;
  /** How often it was resumed. */
  readonly generation: number;
  /** The user that it belongs to; undefined: none. */
  readonly key: string | undefined;
  /** The key it was signed with: that of the node that made it. */
  readonly signedBy: string;
}

export class TokenSigner {
  readonly #own: string = randomBytes(8).toString('base64url');
  /** By id, oldest first. */
  readonly #keys = new Map<string, Uint8Array>();

  constructor() {
    this.#keys.set(this.#own, randomBytes(MAC_BYTES));
  }

  /** Names the own key. */
  get id(): string {
    return this.#own;
  }

  /** All keys, for a peer; the own one first. */
  keys(): [id: string, key: Uint8Array][] {
    return [...this.#keys];
  }

  /** Keys of a peer, its own and those it was told. */
  learn(keys: readonly (readonly [id: string, key: Uint8Array])[]): void {
    for (const [id, key] of keys) if (!this.#keys.has(id)) this.#keys.set(id, key);
    for (const id of this.#keys.keys()) {
      if (this.#keys.size <= MAX_KEYS) return;
      if (id !== this.#own) this.#keys.delete(id);
    }
  }

  newSession(): string {
    return randomBytes(15).toString('base64url');
  }

  sessionToken({ session, generation, key }: Omit<SessionClaim, 'signedBy'>): string {
    return this.#sign(['session', session, generation, key ?? null]);
  }

  /** Undefined: not made by a node of this cluster. */
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

  /** Proves that a session is in a room, and from where on. */
  ticket(session: string, room: string, from: Cursor): string {
    return this.#sign(['room', session, room, from]);
  }

  /** From which message on a session may get a room; undefined: the ticket is not for it. */
  readTicket(ticket: unknown, session: string, room: string): Cursor | undefined {
    const claim = this.#open(ticket);
    return claim?.[0] === 'room' && claim[1] === session && claim[2] === room
      ? readCursor(claim[3], {})
      : undefined;
  }

  #sign(claim: readonly unknown[]): string {
    const body = Buffer.from(JSON.stringify(claim)).toString('base64url');
    return `${this.#own}.${body}.${this.#mac(this.#keys.get(this.#own) as Uint8Array, body).toString('base64url')}`;
  }

  #open(token: unknown): readonly unknown[] | undefined {
    if (typeof token !== 'string' || token.length > MAX_TOKEN) return undefined;
    const [id = '', body = '', mac = '', ...rest] = token.split('.');
    const key = this.#keys.get(id);
    if (key === undefined || rest.length > 0) return undefined;
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== MAC_BYTES || !timingSafeEqual(given, this.#mac(key, body))) return undefined;
    // Signed here or by a peer: a peer may have signed anything.
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

/** A client's cursor, checked; of the origins it names nothing before `from`. Undefined: it is none. */
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
