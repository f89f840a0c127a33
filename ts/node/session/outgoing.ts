// What goes out to one peer. Frames are written one behind the other into a chunk, which is handed over once per run slice.
//
// It may begin before there is a session, while the node is dialled: frames are then held, and go out first when the session
// is up. Above the backlog's limit user messages are refused; signals of the system always pass.
import { SnowmeshError } from '../../errors/index.ts';
import { FrameWriter, type Pid } from '../../term/index.ts';
import { FrameTag } from '../../wire/index.ts';
import type { Limits } from '../options.ts';
import { Backlog } from './backlog.ts';
import { BeforeSession } from './before-session.ts';
import type { Carrier } from './carrier.ts';
import { gather, lengthOf, NOTHING, SLICE_BYTES } from './gather.ts';
import type { OutgoingHost } from './outgoing-host.ts';
import { TracePrefix } from './trace-prefix.ts';

const CHUNK_BYTES = 256 * 1024;
/** A frame is begun with at least half of the chunk free. */
const FLUSH_AT = CHUNK_BYTES / 2;

/** A signal that is not longer passes also when the backlog is full. */
export const SHORT_SIGNAL_BYTES = 4096;

export class Outgoing {
  /** User messages in the chunk or held: what is lost when there will be no session. */
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

  /** Bytes handed over and not yet sent, or held; a frame of a stream counts until all of it is gone. */
  get waiting(): number {
    return this.#backlog.bytes;
  }

  /** So much waits that user messages are refused. */
  get isFull(): boolean {
    return this.#backlog.isFull;
  }

  /** A user message to a PID: `message`, without its closure. */
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

  /** Any other frame that carries what a user sent. */
  message(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    this.signal(sender, tag, body);
    this.unsent++;
  }

  /** A frame of the system. `sender` is the local id of the actor it comes from, 0 for none (B1). */
  signal(sender: number, tag: number, body: (frame: FrameWriter) => void): void {
    this.#write(tag, body);
    this.#end(sender);
  }

  /**
   * A frame of the system that holds a value of a user's size. False: it is long, and the backlog is full; nothing is sent, and the
   * caller sends a short frame instead. So signals stay small beyond the limit, and always pass.
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

  /** Throws as the senders do when `value` cannot travel. Nothing is sent, and long bytes are not copied. */
  check(value: unknown): void {
    this.#write(FrameTag.SEND, (frame) => frame.term(value));
    this.#takeBack(undefined);
  }

  /**
   * Runs `write`, which sends one message. A long one is copied slice by slice, with other frames between the slices: its
   * bytes must not change before the promise resolves. Undefined: the message is on its way already. Call it only when there
   * is room. Nothing is sent once `isAwaited` returns false: dead senders send nothing (A7).
   */
  sendSliced(write: () => void, isAwaited: () => boolean = () => true): Promise<void> | undefined {
    // One at a time: the outcome of another sender's message does not concern this one.
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
   * Something here waits for an answer of an actor with node number `nc` (−1: any): `stale` is called when the session that
   * comes up is to another incarnation. Only needed before there is a session: a lost one is reported by number.
   */
  expect(nc: number, stale: () => void): void {
    if (this.#carrier === undefined) this.#before.expect(nc, stale);
  }

  /** The node numbers from which answers are expected. */
  expected(): Set<number> {
    return this.#before.expected();
  }

  /** The session is up: what was held goes out first. */
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
    this.#backlog.settle(); // when everything went out at once, the native core reports no room later
    this.#before.failStale(nc);
  }

  /** Hands over what stands in the chunk. */
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

  /** Frames of a stream have left. Returns true when the peer was busy and is not any more. */
  streamDone(stream: number, frames: number): boolean {
    this.#backlog.streams.done(stream, frames);
    return this.#backlog.settle();
  }

  /** What waits outside of streams has shrunk to `pending` bytes. Returns true when the peer was busy and is not any more. */
  drained(pending: number): boolean {
    return this.#backlog.shrink(pending);
  }

  /** Undefined when there is room now; else resolves when the backlog is below the high-water mark or the session is over. */
  whenWritable(): Promise<void> | undefined {
    this.flush();
    const isFree = this.#gathering === undefined && this.#backlog.isBelowHighWater;
    return this.#isClosed || isFree ? undefined : this.#backlog.whenRoom();
  }

  /** The session is over, or there will be none: nothing goes out any more. */
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
    if (this.#isWriting)
      throw new SnowmeshError('SNOW_ERR_UNSENDABLE', 'a message was sent from within a getter of a message');
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

  /** Earlier frames go out before this one; later frames of the same sender go the same way, so that order is kept (B1). */
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
      this.#backlog.add(0);
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
        this.flush(); // frames written meanwhile go out first, with the announcements among them
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
    `a PID or reference of another node object (number ${nc}) cannot travel`,
  );
}
