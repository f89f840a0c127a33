// The output to one peer. Frames are appended to a chunk, which is passed to the native core once per run slice.
//
// While the node is dialled there is no session: frames are held, and sent first when the session is up. Above the backlog's limit,
// user messages are refused; short signals of the system always pass.
import { SnowmeshError } from '../../errors/index.ts';
import { FrameWriter, type Pid, SENT_IN_GETTER } from '../../term/index.ts';
import { FrameTag } from '../../wire/index.ts';
import type { Limits } from '../options.ts';
import { Backlog } from './backlog.ts';
import { BeforeSession } from './before-session.ts';
import type { Carrier } from './carrier.ts';
import { gather, lengthOf, NOTHING, SLICE_BYTES } from './long-frame-slices.ts';
import type { OutgoingHost } from './outgoing-host.ts';
import { TracePrefix } from './trace-prefix.ts';

const CHUNK_BYTES = 256 * 1024;
/** A chunk with more bytes is flushed before the next frame, so that half of it is free. */
const FLUSH_AT = CHUNK_BYTES / 2;

/** The longest signal that is sent also when the backlog is full. */
export const SHORT_SIGNAL_BYTES = 4096;

export class Outgoing {
  /** User messages in the chunk or held: they are lost when the session ends or the dial fails. */
  unsent = 0;
  readonly #host: OutgoingHost<Outgoing>;
  readonly #limits: Limits;
  readonly #writer: FrameWriter;
  readonly #prefix: TracePrefix;
  readonly #backlog: Backlog;
  readonly #before = new BeforeSession();
  #carrier: Carrier | undefined;
  #isTouched = false;
  #isWriting = false;
  #isClosed = false;
  /** Set while `sendSliced` writes: a long frame may be copied slice by slice as long as this returns true. */
  #isAwaited: (() => boolean) | undefined;
  #gathering: Promise<void> | undefined;

  constructor(host: OutgoingHost<Outgoing>, limits: Limits) {
    this.#host = host;
    this.#limits = limits;
    this.#backlog = new Backlog(limits, () => host.busy(this));
    this.#writer = new FrameWriter(new Uint8Array(CHUNK_BYTES), {
      identityOf: (nc) => host.identityOf(nc) ?? unknownNode(nc),
      maxMessage: limits.maxMessage,
      refs: host.refs,
    });
    this.#prefix = new TracePrefix(this.#writer);
  }

  /** Bytes that wait in the native core or are held. A frame of a stream counts until all of it has been sent. */
  get waiting(): number {
    return this.#backlog.bytes;
  }

  /** Whether user messages are refused because the limit is reached. */
  get isFull(): boolean {
    return this.#backlog.isFull;
  }

  /** Sends a user message to a PID. The same as `message`, without allocating a closure. */
  send(sender: number, to: Pid, message: unknown): void {
    const writer = this.#begin(FrameTag.SEND);
    try {
      writer.pid(to);
      writer.term(message);
    } catch (error) {
      throw this.#takeBack(error);
    }
    this.unsent++;
    this.#end(sender);
  }

  /** Sends any other frame that carries user data. */
  message(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    this.signal(sender, tag, body);
    this.unsent++;
  }

  /** Sends a frame of the system. `sender` is the local id of the sending actor, 0 for none: frames of one sender stay in order (B1). */
  signal(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    this.#write(tag, body);
    this.#end(sender);
  }

  /**
   * Sends a frame of the system that holds a user's value of any size. Returns false, and sends nothing, when the frame is longer than
   * SHORT_SIGNAL_BYTES and the backlog is full: the caller then sends a short frame instead.
   */
  boundedSignal(sender: number, tag: number, body: (frame: FrameWriter) => void): boolean {
    const writer = this.#write(tag, body);
    if (writer.length > SHORT_SIGNAL_BYTES && this.isFull) {
      this.#takeBack(undefined);
      return false;
    }
    this.#end(sender);
    return true;
  }

  /** Throws, as a send does, for an unsendable value. Sends nothing, and does not copy long bytes. */
  check(value: unknown): void {
    this.#write(FrameTag.SEND, (frame) => frame.term(value));
    this.#takeBack(undefined);
  }

  /**
   * Runs `write`, which sends one message. A long message is copied slice by slice, with other frames between the slices: its
   * bytes must not change before the promise resolves. Returns undefined when the message was sent at once. Call it only when there
   * is room. The message is dropped once `isAwaited` returns false: dead senders send nothing (A7).
   */
  sendSliced(write: () => void, isAwaited: () => boolean = () => true): Promise<void> | undefined {
    // Only one message at a time is gathered; the promise of another sender's message must not be returned here.
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

  /**
   * Calls `stale` if the dial brings a session to another incarnation than `nc` (−1: any): an answer from `nc` cannot arrive then.
   * Does nothing once there is a session: the loss of a session is reported by node number.
   */
  expect(nc: number, stale: () => void): void {
    if (this.#carrier === undefined) this.#before.expect(nc, stale);
  }

  /** The node numbers from which answers are expected. */
  expected(): Set<number> {
    return this.#before.expected();
  }

  /** The session is up: sends the held frames first. */
  open(nc: number, carrier: Carrier): void {
    this.flush();
    this.#carrier = carrier;
    this.#backlog.open(this.#limits.limit);
    const { chunk } = this.#writer;
    carrier.adopt(chunk);
    for (const held of this.#before.takeFrames()) {
      if ('frames' in held) {
        chunk.set(held.frames);
        this.#backlog.set(carrier.flush(held.frames.length));
      } else {
        this.#backlog.setTotal(carrier.bulk(held.stream, [held.frame]));
      }
    }
    this.unsent = 0;
    this.#backlog.settle(); // if everything was sent at once, the native core does not report `drained` later
    this.#before.failStale(nc);
  }

  /** Passes the frames in the chunk to the native core, or holds them. */
  flush(): void {
    this.#isTouched = false;
    const writer = this.#writer;
    const bytes = writer.pending;
    if (bytes === 0) return;
    if (this.#carrier !== undefined) {
      this.#backlog.set(this.#carrier.flush(bytes));
      this.unsent = 0;
    } else if (!this.#isClosed) {
      this.#before.hold({ frames: writer.chunk.slice(0, bytes) });
      this.#backlog.add(bytes);
    }
    writer.reset();
  }

  /** Frames of a stream have been sent. Returns true when the peer was busy and is not any more. */
  streamDone(stream: number, frames: number): boolean {
    this.#backlog.streams.done(stream, frames);
    return this.#backlog.settle();
  }

  /** The bytes outside of streams have shrunk to `pending`. Returns true when the peer was busy and is not any more. */
  drained(pending: number): boolean {
    return this.#backlog.shrink(pending);
  }

  /** Undefined when there is room now; else resolves when the backlog is below the high-water mark or the session has ended. */
  whenWritable(): Promise<void> | undefined {
    this.flush();
    const isFree = this.#gathering === undefined && this.#backlog.isBelowHighWater;
    return this.#isClosed || isFree ? undefined : this.#backlog.whenRoom();
  }

  /** The session has ended, or the dial failed: nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#carrier = undefined;
    this.#before.clear();
    this.#writer.reset();
    this.#backlog.close();
  }

  #begin(tag: number): FrameWriter {
    const writer = this.#writer;
    // A getter inside a message could send another one while the first is half written.
    if (this.#isWriting) throw new SnowmeshError('SNOW_ERR_UNSENDABLE', SENT_IN_GETTER);
    if (writer.pending > FLUSH_AT) this.flush();
    this.#isWriting = true;
    this.#prefix.begin(this.#host.trace);
    writer.begin(tag);
    return writer;
  }

  #write(tag: number, body: (frame: FrameWriter) => void): FrameWriter {
    const writer = this.#begin(tag);
    try {
      body(writer);
    } catch (error) {
      throw this.#takeBack(error);
    }
    return writer;
  }

  #takeBack(error: unknown): unknown {
    this.#isWriting = false;
    this.#writer.cancel();
    this.#prefix.drop();
    this.#touch();
    return error;
  }

  #end(sender: number): void {
    const writer = this.#writer;
    const before = writer.pending;
    this.#isWriting = false;
    const long = writer.end();
    const isAwaited = this.#isAwaited;
    const { streams } = this.#backlog;
    if (long !== undefined && isAwaited !== undefined && lengthOf(long) > SLICE_BYTES)
      this.#startGathering(sender, long, isAwaited);
    else if (long !== undefined) this.#bulk(sender, long);
    else if (!streams.isEmpty && streams.has(sender)) this.#bulk(sender, [writer.cutLast(before)]);
    this.#prefix.end();
    this.#touch();
  }

  /** Sends a frame on a stream, after all earlier frames. Later frames of the same sender use the same stream, which keeps order (B1). */
  #bulk(sender: number, frame: readonly Uint8Array[]): void {
    this.#prefix.drop();
    this.flush();
    if (this.#isClosed) return;
    const stream = this.#backlog.streams.enter(sender, lengthOf(frame));
    if (this.#carrier !== undefined) {
      this.#backlog.setTotal(this.#carrier.bulk(stream, frame));
      this.unsent = 0;
    } else {
      this.#before.hold({ stream, frame: Buffer.concat(frame) });
    }
  }

  #startGathering(sender: number, frame: readonly Uint8Array[], isAwaited: () => boolean): void {
    const carrier = this.#carrier as Carrier;
    this.#prefix.drop();
    this.flush();
    const continues = (): boolean => {
      if (this.#carrier !== carrier) return false;
      if (isAwaited()) return true;
      carrier.gather(0, NOTHING);
      return false;
    };
    this.#gathering = gather(frame, (total, slice) => continues() && carrier.gather(total, slice))
      .then((isWhole) => {
        this.flush(); // frames written meanwhile go first: this one may use shapes that they define
        if (!isWhole || !continues()) return;
        const stream = this.#backlog.streams.enter(sender, lengthOf(frame));
        this.#backlog.setTotal(carrier.gathered(stream));
      })
      .finally(() => {
        this.#gathering = undefined;
        this.#backlog.wakeIfRoom();
      });
  }

  #touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#host.touch(this);
  }
}

function unknownNode(nc: number): never {
  throw new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    `a PID or reference of a stopped node, or of another node in this process, cannot be sent (node number ${nc}): use one of this node`,
  );
}
