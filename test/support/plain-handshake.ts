// Sections 1 to 3 of docs/wire.md for a peer that shares no code with snowmesh: TLS, frames, and the handshake with its
// proofs, from both sides.
import { createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { deferred } from './deadline.ts';
import { Reader, Writer } from './plain-terms.ts';

export const ALPN = 'snowmesh/1';
const VERSION = 1;
export const HELLO = 0x01;
export const CHALLENGE = 0x02;
export const PROOF = 0x03;
export const ACK = 0x04;
export const REFUSE = 0x0f;
const ACCEPTED = 0;

/** The identity of a node in frames. */
export interface Identity {
  readonly name: string;
  readonly incarnation: bigint;
}

/** What HELLO or CHALLENGE says of its sender; `dialled` is empty in CHALLENGE. */
interface Greeting extends Identity {
  readonly dialled: string;
}

export const frameOf = (tag: number, body: Uint8Array): Buffer =>
  new Writer()
    .u32(body.length + 1)
    .u8(tag)
    .raw(body)
    .done();

/** TLS and length-prefixed frames. */
export class Wire {
  readonly socket: TLSSocket;
  private buffer: Buffer = Buffer.alloc(0);
  private readonly frames: Buffer[] = [];
  private wake = deferred();
  private isClosed = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => this.take(part));
    socket.once('close', () => {
      this.isClosed = true;
      this.wake.resolve();
    });
  }

  /** The next whole frame: length, tag and body. Undefined: the connection is closed. */
  async next(): Promise<Buffer | undefined> {
    while (this.frames.length === 0) {
      if (this.isClosed) return undefined;
      await this.wake.promise;
    }
    return this.frames.shift();
  }

  write(frame: Uint8Array): void {
    this.socket.write(frame);
  }

  private take(part: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, part]);
    while (this.buffer.length >= 4) {
      const end = 4 + this.buffer.readUInt32LE();
      if (this.buffer.length < end) break;
      this.frames.push(this.buffer.subarray(0, end));
      this.buffer = this.buffer.subarray(end);
    }
    this.wake.resolve();
    this.wake = deferred();
  }
}

/** Section 3, both sides. */
export class Handshake {
  private readonly wire: Wire;
  private readonly key: Buffer;
  private readonly own: Identity;
  private transcript: Buffer = Buffer.alloc(0);

  constructor(wire: Wire, cookie: string, own: Identity) {
    this.wire = wire;
    this.key = pbkdf2Sync(cookie, 'snowmesh cookie v1', 65_536, 32, 'sha256');
    this.own = own;
  }

  /** Performs the handshake of the dialling side. Returns the identity that answered. */
  async initiate(peer: string): Promise<Identity> {
    this.tell(HELLO, this.greeting().name(peer));
    const challenge = await this.hear(CHALLENGE);
    const identity = greetingOf(challenge, false);
    if (identity.name !== peer) throw new Error(`${identity.name} answered instead of ${peer}`);
    this.wire.write(frameOf(PROOF, this.proof('snowmesh/1 initiator')));
    const ack = await this.frame(ACK);
    const decision = ack.subarray(32, 33);
    if (!timingSafeEqual(this.proof('snowmesh/1 acceptor', decision), ack.subarray(0, 32)))
      throw new Error('the acceptor does not know the cookie');
    if (decision[0] !== ACCEPTED) throw new Error(`decision ${decision[0]}`);
    return identity;
  }

  /** Performs the handshake of the accepting side. Returns the identity that dialled. */
  async accept(): Promise<Identity> {
    const peer = greetingOf(await this.hear(HELLO), true);
    if (peer.dialled !== this.own.name) throw new Error(`${peer.name} wants ${peer.dialled}`);
    this.tell(CHALLENGE, this.greeting());
    const proof = await this.frame(PROOF);
    if (!timingSafeEqual(this.proof('snowmesh/1 initiator'), proof.subarray(0, 32)))
      throw new Error('the initiator does not know the cookie');
    const decision = Buffer.from([ACCEPTED]);
    const mac = this.proof('snowmesh/1 acceptor', decision);
    this.wire.write(frameOf(ACK, Buffer.concat([mac, decision])));
    return peer;
  }

  private greeting(): Writer {
    const { incarnation, name } = this.own;
    return new Writer().u16(VERSION).u64(0n).u64(0n).u64(incarnation).u8(0).raw(randomBytes(32)).name(name);
  }

  private tell(tag: number, body: Writer): void {
    const frame = frameOf(tag, body.done());
    this.transcript = Buffer.concat([this.transcript, frame]);
    this.wire.write(frame);
  }

  private async hear(tag: number): Promise<Buffer> {
    const body = await this.frame(tag);
    this.transcript = Buffer.concat([this.transcript, frameOf(tag, body)]);
    return body;
  }

  private async frame(tag: number): Promise<Buffer> {
    const whole = await this.wire.next();
    if (whole === undefined) throw new Error('the connection was closed in the handshake');
    if (whole[4] === REFUSE) throw new Error(`refused with code ${whole[5]}`);
    if (whole[4] !== tag) throw new Error(`tag ${whole[4]} came instead of ${tag}`);
    return whole.subarray(5);
  }

  private proof(label: string, more: Buffer = Buffer.alloc(0)): Buffer {
    const exporter = this.wire.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const hmac = createHmac('sha256', this.key).update(label).update(exporter);
    return hmac.update(this.transcript).update(more).digest();
  }
}

function greetingOf(body: Buffer, isHello: boolean): Greeting {
  const reader = new Reader(body);
  const version = reader.u16();
  if (version !== VERSION) throw new Error(`version ${version}`);
  if (reader.u64() !== 0n) throw new Error('capabilities are required');
  reader.u64();
  const incarnation = reader.u64();
  reader.u8();
  reader.take(32);
  const name = reader.name();
  return { incarnation, name, dialled: isHello ? reader.name() : '' };
}

/** 64 random bits, never 0. */
export const newIncarnation = (): bigint => randomBytes(8).readBigUInt64LE() || 1n;
