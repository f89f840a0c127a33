// Splits a batch of the native core into entries and decodes its events. The receiver acts on them.

import { readU32 } from '../../term/index.ts';
import { ENTRY_HEADER, NativeEvent } from '../../wire/index.ts';
import { EntryReader } from './entry-reader.ts';
import type { Identities } from './identities.ts';

const FIRST_EVENT = NativeEvent.SESSION_UP;
const LAST_EVENT = NativeEvent.NODE_FORGOTTEN;

/** The facts of SESSION_UP. */
export interface SessionUp {
  readonly id: number;
  readonly nc: number;
  readonly incarnation: bigint;
  readonly flags: number;
  readonly capabilities: bigint;
  readonly name: string;
  readonly network: string;
}

/** The facts of REFUSED. */
export interface NativeRefusal {
  /** The name that the peer claimed, or nothing. */
  readonly name: string;
  /** The IP address that it connected from; empty when that is not known. */
  readonly address: string;
  readonly reason: string;
  /** A status of a dial. */
  readonly status: number;
  /** Refusals before this one that were not reported. */
  readonly unreported: number;
}

/** Gets every entry of a batch, in order. `id` is the native number of a session. */
export interface EntryReceiver {
  /** The native core assigns numbers to nodes, and forgets nodes that were announced and never met. */
  readonly identities: Pick<Identities, 'learn' | 'forget'>;
  /** A validated frame of a peer; `reader` is at the start of its body. */
  frame(id: number, tag: number, reader: EntryReader): void;
  /** A long frame of a peer has come, for which there was no memory. */
  frameLost(id: number): void;
  sessionUp(up: SessionUp): void;
  sessionDown(id: number, cause: number, detail: string): void;
  dialEnded(request: number, status: number, detail: string): void;
  /** The waiting output outside of streams has shrunk to `pending` bytes. */
  drained(id: number, pending: number): void;
  /** Frames of a stream have been sent. */
  streamDone(id: number, stream: number, frames: number): void;
  /** The peer's event loop is blocked, or runs again. */
  peerLoop(id: number, stalled: boolean, ageMs: number): void;
  /** The native side has released everything. */
  stopped(): void;
  /** A connection failed to authenticate. */
  refused(refusal: NativeRefusal): void;
  /** Handling an entry threw: a bug of this program, since the native core has validated the entry. */
  fault(error: unknown): void;
}

export class BatchReader {
  readonly #rx: Uint8Array;
  readonly #reader: EntryReader;
  readonly #receiver: EntryReceiver;

  /** @param rx the memory that the native core writes batches into. */
  constructor(rx: Uint8Array, receiver: EntryReceiver) {
    this.#rx = rx;
    this.#reader = new EntryReader(rx);
    this.#receiver = receiver;
  }

  /** Handles the entries in the first `bytes` of the memory; `bigs` holds long frames; a hole is one that there was no memory for. Does not throw. */
  read(bytes: number, bigs: readonly Uint8Array[] | null): void {
    const rx = this.#rx;
    let at = 0;
    while (at < bytes) {
      const body = at + ENTRY_HEADER;
      const end = body + readU32(rx, at);
      const id = (rx[at + 6] as number) | ((rx[at + 7] as number) << 8);
      const tag = rx[at + 4] as number;
      try {
        const reader = this.#reader.reset(rx, body, end);
        if (tag >= FIRST_EVENT && tag <= LAST_EVENT) this.#event(tag, id, reader, bigs);
        else this.#receiver.frame(id, tag, reader);
      } catch (error) {
        this.#receiver.fault(error);
      }
      at = end;
    }
  }

  #event(tag: number, id: number, reader: EntryReader, bigs: readonly Uint8Array[] | null): void {
    const receiver = this.#receiver;
    switch (tag) {
      case NativeEvent.BIG: {
        const frame = bigs?.[reader.u32()];
        if (frame === undefined) return receiver.frameLost(id);
        return receiver.frame(id, frame[0] as number, reader.reset(frame, 1, frame.length, true));
      }
      case NativeEvent.SESSION_UP: {
        const nc = reader.u32();
        const incarnation = reader.big();
        const flags = reader.u8();
        const capabilities = reader.big();
        const [network, name] = [reader.name(), reader.name()];
        return receiver.sessionUp({ id, nc, incarnation, flags, capabilities, name, network });
      }
      case NativeEvent.SESSION_DOWN: {
        const cause = reader.u8();
        return receiver.sessionDown(id, cause, reader.name());
      }
      case NativeEvent.NODE_SLOT: {
        const nc = reader.u32();
        const incarnation = reader.big();
        return void receiver.identities.learn(nc, reader.name(), incarnation);
      }
      case NativeEvent.NODE_FORGOTTEN:
        return receiver.identities.forget(reader.u32());
      case NativeEvent.CONNECT_RESULT: {
        const request = reader.u32();
        const status = reader.u8();
        return receiver.dialEnded(request, status, reader.name());
      }
      case NativeEvent.WRITABLE:
        return receiver.drained(id, reader.u32());
      case NativeEvent.STREAM_DONE: {
        const stream = reader.u32();
        return receiver.streamDone(id, stream, reader.u32());
      }
      case NativeEvent.PEER_LOOP: {
        const stalled = reader.u8() !== 0;
        return receiver.peerLoop(id, stalled, reader.u32());
      }
      case NativeEvent.STOPPED:
        return receiver.stopped();
      case NativeEvent.REFUSED: {
        const [name, address, reason] = [reader.name(), reader.name(), reader.name()];
        const status = reader.u8();
        return receiver.refused({ name, address, reason, status, unreported: reader.u32() });
      }
    }
  }
}
