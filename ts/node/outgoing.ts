// What goes out to one peer: frames are written one behind the other into a chunk, and handed over once per slice.
//
// It begins life before there is a session, when something is sent to a node that is being dialled: then what would be
// handed over is held, and goes out first when the session is up. Sizes are counted all the time: above the high-water
// mark the peer counts as busy, above the limit user messages are refused; signals of the system always pass.
import { SnowmeshError } from '../errors/index.ts';
import { FrameWriter, type Pid } from '../term/index.ts';
import { readU32 } from './entry-reader.ts';
import { SEND } from './frame-tag.ts';
import { gather, lengthOf, NOTHING, SLICE_BYTES } from './gather.ts';
import type { Identities } from './identities.ts';
import type { Limits } from './options.ts';
import { Streams } from './streams.ts';

const CHUNK_BYTES = 256 * 1024;
/** A frame is begun with at least half of the chunk free. */
const FLUSH_AT = CHUNK_BYTES / 2;

/** The native side of a session. */
export interface Carrier {
  /** Where frames have to stand for `flush`. */
  adopt(chunk: Uint8Array): void;
  /** Sends the first bytes of the chunk. Returns what waits outside of streams, −1 when the session is over. */
  flush(bytes: number): number;
  /** Queues `tag | body`, given in parts, on a stream. Returns what waits in all, −1 when the session is over. */
  bulk(stream: number, frame: readonly Uint8Array[]): number;
  /** Copies a slice of a frame of `total` bytes; 0 drops what was copied. False: the session is over. */
  gather(total: number, slice: Uint8Array): boolean;
  /** Queues what was gathered, like `bulk`. */
  gathered(stream: number): number;
}

/** Whom it tells that there is something to flush, and that the peer became busy. */
export interface OutgoingHost {
  readonly identities: Identities;
  touch(outgoing: Outgoing): void;
  busy(outgoing: Outgoing): void;
}

/** Something written before the session: whole frames, or one frame for a stream. */
type Held = { readonly frames: Uint8Array } | { readonly stream: number; readonly frame: Uint8Array };

interface Expectation {
  readonly nc: number;
  readonly stale: () => void;
}

export class Outgoing {
  /** User messages in the chunk or held: what is lost when there will be no session. */
  unsent = 0;
  readonly #host: OutgoingHost;
  readonly #limits: Limits;
  readonly #writer: FrameWriter;
  #streams = new Streams();
  readonly #held: Held[] = [];
  readonly #expectations: Expectation[] = [];
  readonly #writable: (() => void)[] = [];
  #carrier: Carrier | undefined;
  /** Bytes outside of streams that were handed over and not yet sent, or are held. */
  #pending = 0;
  #limit: number;
  #isTouched = false;
  #isWriting = false;
  #isBusy = false;
  #isClosed = false;
  /** What is written now may be copied slice by slice, as long as this says that its sender waits. */
  #isAwaited: (() => boolean) | undefined;
  #gathering: Promise<void> | undefined;

  constructor(host: OutgoingHost, limits: Limits) {
    this.#host = host;
    this.#limits = limits;
    this.#limit = limits.waiting;
    this.#writer = new FrameWriter(new Uint8Array(CHUNK_BYTES), {
      identityOf: (nc) => identityOf(host.identities, nc),
      maxMessage: limits.maxMessage,
    });
  }

  /** Bytes handed over and not yet sent, or held; a frame of a stream counts until all of it is gone. */
  get waiting(): number {
    return this.#pending + this.#streams.bytes;
  }

  /** So much waits that user messages are refused. */
  get isFull(): boolean {
    return this.waiting >= this.#limit;
  }

  /** A user message to a PID: `message`, without its closure. */
  send(sender: number, to: Pid, message: unknown): void {
    const writer = this.#begin(SEND);
    try {
      writer.pid(to);
      writer.term(message);
    } catch (error) {
      throw this.#takeBack(error);
    }
    this.unsent++;
    this.#end(sender);
  }

  /** Any other frame that carries what a user sent. */
  message(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    this.signal(sender, tag, body);
    this.unsent++;
  }

  /**
   * Runs `write`, which sends one message. When that is long, it is copied slice by slice, other frames in between, and its
   * bytes must not change before the promise resolves; undefined: it is on its way already. Only when there is room. Nothing is
   * sent once `isAwaited` is false: a sender who is dead by then has said his last (B1, A7).
   */
  gently(write: () => void, isAwaited: () => boolean = () => true): Promise<void> | undefined {
    // One at a time: the outcome of another one is nothing to this sender.
    if (this.#carrier === undefined || this.#gathering !== undefined) {
      write();
      return undefined;
    }
    this.#isAwaited = isAwaited;
    try {
      write();
    } finally {
      this.#isAwaited = undefined;
    }
    return this.#gathering;
  }

  /** A frame of the system. `sender` is the local id of the actor it comes from, 0 for none (B1). */
  signal(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    const writer = this.#begin(tag);
    try {
      body(writer);
    } catch (error) {
      throw this.#takeBack(error);
    }
    this.#end(sender);
  }

  /**
   * Something here waits for an answer of actor number `nc`: `stale` is called when the session that comes up is to
   * another incarnation. Of use before there is a session only; a lost one is told by number.
   */
  expect(nc: number, stale: () => void): void {
    if (this.#carrier === undefined) this.#expectations.push({ nc, stale });
  }

  /** The numbers somebody waits for. */
  expected(): Set<number> {
    return new Set(this.#expectations.map(({ nc }) => nc).filter((nc) => nc >= 0));
  }

  /** The session is up: what was held goes out first. */
  open(nc: number, carrier: Carrier): void {
    this.flush();
    this.#carrier = carrier;
    this.#limit = this.#limits.limit;
    this.#isBusy = false; // nobody was told: there was no peer
    const { chunk } = this.#writer;
    carrier.adopt(chunk);
    for (const held of this.#held.splice(0)) {
      if ('frames' in held) {
        chunk.set(held.frames);
        this.#account(carrier.flush(held.frames.length));
      } else {
        this.#accountAll(carrier.bulk(held.stream, [held.frame]));
      }
    }
    this.unsent = 0;
    this.#settle(); // when all went at once, no word of room will come
    for (const { nc: expected, stale } of this.#expectations.splice(0))
      if (expected >= 0 && expected !== nc) stale();
  }

  /** Hands over what stands in the chunk. */
  flush(): void {
    this.#isTouched = false;
    const writer = this.#writer;
    const bytes = writer.pending;
    if (bytes === 0) return;
    if (this.#carrier !== undefined) {
      this.#account(this.#carrier.flush(bytes));
      this.unsent = 0;
    } else if (!this.#isClosed) {
      this.#held.push({ frames: writer.chunk.slice(0, bytes) });
      this.#account(this.#pending + bytes);
    }
    writer.reset();
  }

  /** Frames of a stream have left. Returns true when the peer was busy and is not any more. */
  streamDone(stream: number, frames: number): boolean {
    this.#streams.done(stream, frames);
    return this.#settle();
  }

  /** What waits outside of streams has shrunk to `pending` bytes. Returns true when the peer was busy and is not any more. */
  drained(pending: number): boolean {
    this.#pending = pending;
    return this.#settle();
  }

  #settle(): boolean {
    if (this.waiting > this.#limits.highWater) return false;
    const wasBusy = this.#isBusy;
    this.#isBusy = false;
    this.#letGoOn();
    return wasBusy;
  }

  #letGoOn(): void {
    for (const resolve of this.#writable.splice(0)) resolve();
  }

  /** A promise while more than the high-water mark waits; it resolves when that is over, or the session is. */
  whenWritable(): Promise<void> | undefined {
    this.flush();
    const isFree = this.#gathering === undefined && this.waiting <= this.#limits.highWater;
    if (this.#isClosed || isFree) return undefined;
    return new Promise((resolve) => this.#writable.push(resolve));
  }

  /** The session is over, or there will be none: nothing goes out any more. */
  close(): void {
    this.#isClosed = true;
    this.#carrier = undefined;
    this.#held.length = 0;
    this.#expectations.length = 0;
    this.#writer.reset();
    this.#streams = new Streams();
    this.drained(0);
  }

  #begin(tag: number): FrameWriter {
    const writer = this.#writer;
    // A getter inside a message could send another one while the first is half written.
    if (this.#isWriting)
      throw new SnowmeshError('SNOW_ERR_UNSENDABLE', 'a message was sent from within a getter of a message');
    if (writer.pending > FLUSH_AT) this.flush();
    this.#isWriting = true;
    writer.begin(tag);
    return writer;
  }

  #takeBack(error: unknown): unknown {
    this.#isWriting = false;
    this.#writer.cancel();
    this.#touch();
    return error;
  }

  #end(sender: number): void {
    const writer = this.#writer;
    const before = writer.pending;
    this.#isWriting = false;
    const big = writer.end();
    const isAwaited = this.#isAwaited;
    if (big !== undefined && isAwaited !== undefined && lengthOf(big) > SLICE_BYTES)
      this.#startGathering(sender, big, isAwaited);
    else if (big !== undefined) this.#bulk(sender, big);
    else if (!this.#streams.isEmpty && this.#streams.has(sender))
      this.#bulk(sender, [cutLast(writer, before)]);
    this.#touch();
  }

  /** What was written before goes out before; what the same sender writes after goes the same way. */
  #bulk(sender: number, frame: readonly Uint8Array[]): void {
    this.flush();
    if (this.#isClosed) return;
    const stream = this.#streams.enter(sender, lengthOf(frame));
    if (this.#carrier !== undefined) {
      this.#accountAll(this.#carrier.bulk(stream, frame));
      this.unsent = 0;
    } else {
      this.#held.push({ stream, frame: Buffer.concat(frame) });
      this.#account(this.#pending);
    }
  }

  #startGathering(sender: number, frame: readonly Uint8Array[], isAwaited: () => boolean): void {
    const carrier = this.#carrier as Carrier;
    this.flush();
    const goesOn = (): boolean => {
      if (this.#carrier !== carrier) return false;
      if (isAwaited()) return true;
      carrier.gather(0, NOTHING);
      return false;
    };
    this.#gathering = gather(frame, (total, slice) => goesOn() && carrier.gather(total, slice))
      .then((isWhole) => {
        this.flush(); // what was written meanwhile goes out before, and what is announced there
        if (!isWhole || !goesOn()) return;
        this.#accountAll(carrier.gathered(this.#streams.enter(sender, lengthOf(frame))));
      })
      .finally(() => {
        this.#gathering = undefined;
        if (this.waiting <= this.#limits.highWater) this.#letGoOn();
      });
  }

  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#host.touch(this);
  }

  /** `waiting`: in all, streams included. */
  #accountAll(waiting: number): void {
    this.#account(waiting - this.#streams.bytes);
  }

  #account(pending: number): void {
    this.#pending = Math.max(0, pending);
    if (this.waiting <= this.#limits.highWater || this.#isBusy) return;
    this.#isBusy = true;
    this.#host.busy(this);
  }
}

/** Takes the last frame out of the chunk again, as `tag | body`; announcements before it stay. */
function cutLast(writer: FrameWriter, before: number): Uint8Array {
  const { chunk, pending } = writer;
  let at = before;
  for (let next = at; next < pending; next = at + 4 + readU32(chunk, at)) at = next;
  writer.pending = at;
  return chunk.slice(at + 4, pending);
}

function identityOf(identities: Identities, nc: number): { name: string; incarnation: bigint } {
  const identity = identities.of(nc);
  if (identity !== undefined) return identity;
  throw new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    `a PID or reference of another node object (number ${nc}) cannot travel`,
  );
}
