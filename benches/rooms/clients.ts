// Many WebSocket clients in one process, at the lowest cost: one TCP socket each. All sockets are read into one buffer, and frames are parsed
// there without a copy. Only the servers are measured; the clients are the same for every server.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';

/** The protocol of a server on top of WebSocket. */
export interface Dialect {
  readonly path: string;
  readonly protocol?: string;
  /** Offers permessage-deflate, each frame compressed for itself. */
  readonly deflates?: boolean;
  /** The text to send as soon as the socket is open. */
  readonly greeting: readonly string[];
  /**
   * A text frame.
   *
   * @param say answers.
   * @returns where the payload of a room message begins; −1: something else; −2: it is in the room now.
   */
  read(buffer: Buffer, start: number, end: number, say: (text: string) => void): number;
}

export const IN_ROOM = -2;
export const SOMETHING_ELSE = -1;

const DEFLATE =
  'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n';
/** What a deflated frame leaves out (RFC 7692, section 7.2.1). */
const TAIL = Buffer.of(0, 0, 255, 255);

/** Bytes of a room message's payload, which are valid during the call. */
export type OnPayload = (buffer: Buffer, start: number, end: number) => void;

const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** Connects a client; resolves when it is in the room. */
export function joinRoom(port: number, dialect: Dialect, onPayload: OnPayload): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const callback = (bytes: number): boolean => {
      reader.take(READ_BUFFER, bytes);
      return true;
    };
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: READ_BUFFER, callback } });
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a server closed the socket of a client')));
    const protocol = dialect.protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${dialect.protocol}\r\n`;
    const extensions = dialect.deflates === true ? DEFLATE : '';
    socket.write(
      `GET ${dialect.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${protocol}${extensions}` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    const say = (text: string): void => void socket.write(masked(0x81, Buffer.from(text)));
    const reader = new FrameReader(
      () => {
        for (const text of dialect.greeting) say(text);
      },
      (buffer, start, end) => {
        const at = dialect.read(buffer, start, end, say);
        if (at >= 0) onPayload(buffer, at, end);
        else if (at === IN_ROOM) resolve(socket);
      },
      (payload) => void socket.write(masked(PONG, payload)),
    );
  });
}

/** A masked frame of a client; the mask is zero, so the payload goes out as it is. */
function masked(first: number, body: Buffer): Buffer {
  const size = body.length;
  const head =
    size < 126 ? Buffer.of(first, 0x80 | size) : Buffer.of(first, 0x80 | 126, size >> 8, size & 255);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}

const PING = 0x89;
const PONG = 0x8a;

class FrameReader {
  readonly #onOpen: () => void;
  readonly #onText: OnPayload;
  readonly #pong: (payload: Buffer) => void;
  #isOpen = false;
  /** The begin of a frame that is not complete. */
  #parts: Buffer[] = [];
  #have = 0;
  #need = 2;

  constructor(onOpen: () => void, onText: OnPayload, pong: (payload: Buffer) => void) {
    this.#pong = pong;
    this.#onOpen = onOpen;
    this.#onText = onText;
  }

  /** @param buffer is used again for the next data. */
  take(buffer: Buffer, length: number): void {
    if (this.#have === 0) return this.#keep(buffer, this.#read(buffer, length), length);
    this.#keep(buffer, 0, length);
    if (this.#have < this.#need) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#have = 0;
    this.#keep(whole, this.#read(whole, whole.length), whole.length);
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#parts.push(Buffer.from(buffer.subarray(start, end)));
    this.#have += end - start;
  }

  /** Gives where it stopped. */
  #read(buffer: Buffer, length: number): number {
    let at = 0;
    this.#need = 2;
    if (!this.#isOpen) {
      const end = buffer.subarray(0, length).indexOf('\r\n\r\n');
      if (end < 0) return 0;
      const answer = buffer.toString('latin1', 0, end);
      if (!answer.startsWith('HTTP/1.1 101')) throw new Error(`a server refused a client: ${answer}`);
      this.#isOpen = true;
      at = end + 4;
      this.#onOpen();
    }
    for (;;) {
      const left = length - at;
      if (left < 2) return at;
      let size = buffer[at + 1] as number;
      let head = 2;
      if (size === 126) {
        if (left < 4) return this.#wait(at, 4);
        size = buffer.readUInt16BE(at + 2);
        head = 4;
      }
      if (left < head + size) return this.#wait(at, head + size);
      const first = buffer[at] as number;
      if (first === 0xc1) this.#inflated(buffer.subarray(at + head, at + head + size));
      else if (first === 0x81) this.#onText(buffer, at + head, at + head + size);
      else if (first === PING) this.#pong(buffer.subarray(at + head, at + head + size));
      at += head + size;
    }
  }

  #inflated(payload: Buffer): void {
    const text = inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
    this.#onText(text, 0, text.length);
  }

  #wait(at: number, need: number): number {
    this.#need = need;
    return at;
  }
}

/** Text as the servers' payloads begin: eight digits of a number, a space, sixteen of the time it was sent. */
export function digits(buffer: Buffer, at: number, count: number): number {
  let value = 0;
  for (let index = 0; index < count; index++) value = value * 10 + (buffer[at + index] as number) - 48;
  return value;
}
