// WebSocket frames of a server: encoded once, and written to every socket without changes (RFC 6455, section 5.2: unmasked).
import { deflateRawSync } from 'node:zlib';

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
const COMPRESSED = 0x40;
/** Bytes at the end of a deflate block that permessage-deflate omits (RFC 7692, section 7.2.1). */
const TAIL_BYTES = 4;
/** Shorter payloads do not shrink; longer ones would block the event loop. Unit: bytes. */
const DEFLATE_FROM = 1024;
const DEFLATE_UP_TO = 256 * 1024;

/** One encoded WebSocket message. */
export class Frame {
  readonly isText: boolean;
  /** Header and payload. */
  readonly wire: Buffer;
  readonly #payloadAt: number;
  #deflated: Buffer | undefined;

  constructor(isText: boolean, parts: readonly Uint8Array[]) {
    let length = 0;
    for (const part of parts) length += part.length;
    const wire = Buffer.allocUnsafe(headerBytes(length) + length);
    let at = writeHeader(wire, isText ? FINAL_TEXT : FINAL_BINARY, length);
    this.#payloadAt = at;
    for (const part of parts) {
      wire.set(part, at);
      at += part.length;
    }
    this.isText = isText;
    this.wire = wire;
  }

  get payload(): Buffer {
    return this.wire.subarray(this.#payloadAt);
  }

  /** The frame compressed by permessage-deflate without context takeover, once for all receivers. */
  get deflated(): Buffer {
    this.#deflated ??= deflate(this);
    return this.#deflated;
  }
}

/** A text frame with a value as JSON. */
export function jsonFrame(value: unknown): Frame {
  return textFrame(JSON.stringify(value));
}

/** A text frame. */
export function textFrame(text: string): Frame {
  return new Frame(true, [Buffer.from(text)]);
}

/** Frames that are written to a socket together. */
export class Packet {
  readonly frames: readonly Frame[];
  /** Length of `wire`. */
  readonly bytes: number;
  #wire: Buffer | undefined;

  constructor(frames: readonly Frame[]) {
    let bytes = 0;
    for (const { wire } of frames) bytes += wire.length;
    this.frames = frames;
    this.bytes = bytes;
  }

  /** All frames in one buffer, concatenated once for all receivers. */
  get wire(): Buffer {
    if (this.#wire === undefined) {
      const [first] = this.frames;
      this.#wire =
        this.frames.length === 1 && first !== undefined
          ? first.wire
          : Buffer.concat(this.frames.map(({ wire }) => wire));
    }
    return this.#wire;
  }
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(wire: Buffer, first: number, length: number): number {
  wire[0] = first;
  if (length < 126) {
    wire[1] = length;
    return 2;
  }
  if (length < 65_536) {
    wire[1] = 126;
    return wire.writeUInt16BE(length, 2);
  }
  wire[1] = 127;
  wire.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
  return wire.writeUInt32BE(length >>> 0, 6);
}

function deflate(frame: Frame): Buffer {
  const { payload, wire, isText } = frame;
  if (payload.length < DEFLATE_FROM || payload.length > DEFLATE_UP_TO) return wire;
  const whole = deflateRawSync(payload, { finishFlush: 2 /* Z_SYNC_FLUSH */ });
  const length = whole.length - TAIL_BYTES;
  if (length >= payload.length) return wire;
  const deflated = Buffer.allocUnsafe(headerBytes(length) + length);
  const at = writeHeader(deflated, (isText ? FINAL_TEXT : FINAL_BINARY) | COMPRESSED, length);
  whole.copy(deflated, at, 0, length);
  return deflated;
}
