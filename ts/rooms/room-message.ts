import { Binary } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { Frame } from './frame.ts';

/** How a payload is written down. */
export const Kind = { text: 0, json: 1, binary: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What a user sends, as bytes. */
export interface Content {
  readonly kind: Kind;
  readonly payload: Uint8Array;
}

/**
 * Text stays text, bytes stay bytes, anything else becomes JSON. O(size).
 *
 * @throws SNOW_ERR_UNSENDABLE for what JSON cannot say: a function, undefined, a bigint, a circle.
 */
export function contentOf(message: unknown): Content {
  if (typeof message === 'string') return { kind: Kind.text, payload: Buffer.from(message) };
  if (message instanceof Uint8Array) return { kind: Kind.binary, payload: Uint8Array.from(message) };
  if (message instanceof ArrayBuffer) return { kind: Kind.binary, payload: new Uint8Array(message.slice(0)) };
  let json: string | undefined;
  try {
    json = JSON.stringify(message);
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_UNSENDABLE', `a room message cannot be written as JSON: ${cause}`, {
      cause,
    });
  }
  if (json === undefined)
    throw new SnowmeshError('SNOW_ERR_UNSENDABLE', `a room message cannot be ${typeof message}`);
  return { kind: Kind.json, payload: Buffer.from(json) };
}

/** Which connections a message leaves out: `#` and a connection's id, or `@` and a key. */
export type Except = readonly string[];

/** One message of a room, from its broadcast to the end of its window. */
export class RoomMessage {
  /** The node that broadcast it, in this life of its rooms: 64 random bits in base 36. */
  readonly origin: string;
  /** Counts the messages of the origin, in all its rooms. 0: it has no number and cannot be resumed. */
  readonly sequence: number;
  /** Sequence of the origin's message before it in this room: a receiver that has that one has no gap. */
  readonly previous: number;
  readonly content: Content;
  readonly except: Except;
  /** ms of this node's monotonic clock. */
  readonly arrivedAt: number;
  #enveloped: Frame | undefined;
  #plain: Frame | undefined;

  constructor(
    id: { readonly origin: string; readonly sequence: number; readonly previous: number },
    content: Content,
    except: Except,
    arrivedAt: number,
  ) {
    this.origin = id.origin;
    this.sequence = id.sequence;
    this.previous = id.previous;
    this.content = content;
    this.except = except;
    this.arrivedAt = arrivedAt;
  }

  /** For clients of the subprotocol: with room and number. Made once. */
  enveloped(room: string): Frame {
    this.#enveloped ??= this.#envelope(room);
    return this.#enveloped;
  }

  /** For other clients: the payload as it is. Made once. */
  get plain(): Frame {
    this.#plain ??= plainFrame(this.content);
    return this.#plain;
  }

  #envelope(room: string): Frame {
    const { origin, sequence, content } = this;
    if (content.kind === Kind.binary) {
      const name = Buffer.from(room);
      const tail = Buffer.alloc(1 + origin.length + 6);
      tail[0] = origin.length;
      tail.write(origin, 1, 'latin1');
      tail.writeUIntBE(sequence, 1 + origin.length, 6);
      return new Frame(false, [Buffer.of(Binary.room, name.length), name, tail, content.payload]);
    }
    const head = Buffer.from(`["m",${JSON.stringify(room)},"${origin}",${sequence},`);
    return new Frame(true, [head, jsonOf(content), CLOSING]);
  }
}

/** A message without envelope. */
export function plainFrame(content: Content): Frame {
  return new Frame(content.kind !== Kind.binary, [content.payload]);
}

/** A message to one connection of the subprotocol. */
export function directFrame(content: Content): Frame {
  return content.kind === Kind.binary
    ? new Frame(false, [Buffer.of(Binary.direct), content.payload])
    : new Frame(true, [DIRECT, jsonOf(content), CLOSING]);
}

const DIRECT = Buffer.from('["d",');
const CLOSING = Buffer.from(']');

function jsonOf({ kind, payload }: Content): Uint8Array {
  return kind === Kind.json ? payload : Buffer.from(JSON.stringify(textOf(payload)));
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
}
