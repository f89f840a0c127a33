// Reads frames that a writer put into its chunk, the way the receiving side does.
import { FrameWriter, type FrameWriterOptions, TermDecoder } from '../../../ts/term/index.ts';

export const SEND = 0x10;
export const SLOT = 0x30;
export const SHAPE = 0x31;

export interface Frame {
  readonly tag: number;
  readonly body: Buffer;
}

/** Cuts bytes into frames; throws unless they are whole. */
export function framesIn(bytes: Uint8Array): Frame[] {
  const buffer = Buffer.from(bytes);
  const frames: Frame[] = [];
  for (let at = 0; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32LE(at);
    if (end > buffer.length) throw new Error('a frame beyond the end');
    frames.push({ tag: buffer.readUInt8(at + 4), body: buffer.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}

/** Keys of a SHAPE frame. */
export function shapeIn(body: Buffer): { id: number; keys: string[] } {
  const keys: string[] = [];
  let at = 4;
  for (let left = body.readUInt16LE(2); left > 0; left--) {
    const end = at + 2 + body.readUInt16LE(at);
    keys.push(body.toString('utf8', at + 2, end));
    at = end;
  }
  if (at !== body.length) throw new Error('bytes behind a shape');
  return { id: body.readUInt16LE(0), keys };
}

/** Both ends of a connection: what the writer's messages become on the other side, announcements in their place. */
export class Line {
  readonly writer: FrameWriter;
  readonly decoder: TermDecoder = new TermDecoder();
  readonly shapes: string[][] = [];
  readonly slots: number[] = [];

  constructor(options: Partial<FrameWriterOptions> & { readonly chunk?: number } = {}) {
    const { chunk = 256 * 1024, ...rest } = options;
    this.writer = new FrameWriter(new Uint8Array(chunk), {
      identityOf: (nc) => ({ name: `node${nc}@host:1`, incarnation: BigInt(nc) }),
      ...rest,
    });
  }

  /** Writes one SEND frame without a receiver. Returns what `end` does. */
  send(value: unknown): Uint8Array | undefined {
    const { writer } = this;
    writer.begin(SEND);
    try {
      writer.term(value);
    } catch (error) {
      writer.cancel();
      throw error;
    }
    const parts = writer.end();
    return parts && Buffer.concat(parts);
  }

  /** Takes everything out of the chunk. Returns the messages. */
  receive(big?: Uint8Array): unknown[] {
    const frames = framesIn(this.writer.chunk.subarray(0, this.writer.pending));
    this.writer.reset();
    if (big !== undefined) frames.push({ tag: big[0] as number, body: Buffer.from(big.subarray(1)) });
    return frames.flatMap(({ tag, body }) => {
      if (tag === SEND) return [this.decoder.decode(body)];
      if (tag === SHAPE) this.learn(body);
      else if (tag === SLOT) this.slots.push(body.readUInt16LE(0) * 256 + body.readUInt8(2));
      else throw new Error(`unexpected frame ${tag}`);
      return [];
    });
  }

  private learn(body: Buffer): void {
    const { id, keys } = shapeIn(body);
    if (id !== this.shapes.length) throw new Error(`shape ${id} after ${this.shapes.length}`);
    if (new Set(keys).size !== keys.length) throw new Error('a key twice');
    this.shapes.push(keys);
    this.decoder.defineShape(id, keys);
  }
}
