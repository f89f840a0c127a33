// One authenticated connection to one incarnation of a peer, from SESSION_UP to SESSION_DOWN.
import type { TraceHeaders } from '../../actor/index.ts';
import { type Pid, type RefCipher, TermDecoder } from '../../term/index.ts';
import type { EntryReader } from './entry-reader.ts';
import type { Identity } from './identities.ts';
import type { Outgoing } from './outgoing.ts';

/** Bits of SESSION_UP's flags. */
const DIALLED = 1;
const HIDDEN = 2;

/** The facts of SESSION_UP, and what decoding needs. */
export interface SessionFacts {
  /** The native number. It is reused only after SESSION_DOWN was delivered. */
  readonly id: number;
  /** Numbers the sessions of this node: distinguishes two connections to one peer (L10). */
  readonly serial: number;
  readonly flags: number;
  readonly capabilities: bigint;
  /** The IPv4 address or IPv6 /64 of the other end. */
  readonly network: string;
  /** Makes the PIDs in messages. */
  readonly pidOf: (nc: number, local: number) => Pid;
  /** Decrypts the ids of this node's references in messages. */
  readonly refs: RefCipher;
}

export class Session {
  readonly id: number;
  readonly serial: number;
  readonly identity: Identity;
  readonly outgoing: Outgoing;
  readonly capabilities: bigint;
  readonly dialled: boolean;
  readonly isHidden: boolean;
  readonly network: string;
  /** Whether the peer's event loop is blocked; its native thread still sends ticks (L13). */
  isStalled = false;
  /** When it was blocked, by `performance.now()`. */
  stalledSince = 0;
  /** Why this node ends the session, and drops further frames. */
  endReason: string | undefined;
  /** The received trace context of the next frame. */
  trace: TraceHeaders | null = null;
  readonly #decoder: TermDecoder;

  constructor(facts: SessionFacts, identity: Identity, outgoing: Outgoing) {
    this.#decoder = new TermDecoder({ pidOf: facts.pidOf, refs: facts.refs });
    this.id = facts.id;
    this.serial = facts.serial;
    this.capabilities = facts.capabilities;
    this.network = facts.network;
    this.dialled = (facts.flags & DIALLED) !== 0;
    this.isHidden = (facts.flags & HIDDEN) !== 0;
    this.identity = identity;
    this.outgoing = outgoing;
  }

  /** The peer has defined the keys of an object shape. */
  defineShape(reader: EntryReader): void {
    const id = reader.u16();
    const keys: string[] = [];
    for (let left = reader.u16(); left > 0; left--) keys.push(reader.name());
    this.#decoder.defineShape(id, keys);
  }

  /** The term that fills the rest of a frame. */
  term(reader: EntryReader): unknown {
    return this.#decoder.decode(reader.bytes, reader.at, reader.isAlone);
  }
}
