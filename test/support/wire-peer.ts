// A peer that breaks the protocol or stops half-way, without code of snowmesh: each step of the handshake is a method of its own, so that a
// test can do it wrong. For a peer that follows the protocol see plain-peer.ts.
import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { selfSigned } from './certificate.ts';
import { deferred, within } from './deadline.ts';
import { ACK, ALPN, CHALLENGE, frameOf, HELLO, PROOF, REFUSE } from './plain-handshake.ts';
import { Writer } from './plain-terms.ts';

export interface Frame {
  readonly tag: number;
  readonly body: Buffer;
  /** As sent: length, tag and body. */
  readonly whole: Buffer;
}

export interface Introduction {
  readonly version?: number;
  readonly required?: bigint;
  readonly offered?: bigint;
  readonly incarnation?: bigint;
  readonly flags?: number;
  readonly nonce?: Buffer;
  readonly name: string;
  /** Only in HELLO: the name that the dialler means to reach. */
  readonly dialled?: string;
  /** Bytes after the last field. */
  readonly trailing?: Buffer;
}

/** The key behind a cookie. Costs some ten ms, so it is remembered. */
export function cookieKey(cookie: string): Buffer {
  let key = keys.get(cookie);
  if (key === undefined) {
    key = pbkdf2Sync(cookie, 'snowmesh cookie v1', 65_536, 32, 'sha256');
    keys.set(cookie, key);
  }
  return key;
}
const keys = new Map<string, Buffer>();

export function introduce(tag: typeof HELLO | typeof CHALLENGE, facts: Introduction): Buffer {
  const body = new Writer()
    .u16(facts.version ?? 1)
    .u64(facts.required ?? 0n)
    .u64(facts.offered ?? 0n)
    .u64(facts.incarnation ?? 0x1234_5678_9abc_def1n)
    .u8(facts.flags ?? 0)
    .raw(facts.nonce ?? randomBytes(32))
    .name(facts.name);
  if (tag === HELLO) body.name(facts.dialled ?? '');
  return frameOf(tag, body.raw(facts.trailing ?? Buffer.alloc(0)).done());
}

/** What an introduction said. */
export function readIntroduction({
  body,
}: Frame): Required<Pick<Introduction, 'version' | 'incarnation' | 'name' | 'flags'>> {
  const length = body.readUInt16LE(59);
  return {
    version: body.readUInt16LE(0),
    incarnation: body.readBigUInt64LE(18),
    flags: body.readUInt8(26),
    name: body.subarray(61, 61 + length).toString(),
  };
}

/** The certificate of every peer of this process: the same one again is a reconnect, another one is another node. */
const identity = selfSigned();

/** One connection that talks frames. */
export class WirePeer implements AsyncDisposable {
  readonly socket: TLSSocket;
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>;
  #buffer: Buffer = Buffer.alloc(0);
  readonly #frames: Frame[] = [];
  #wake = deferred();
  #isClosed = false;
  #isRaw = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => this.#take(part));
    // A reset ends a connection as well: the `once` of node:events would reject for it.
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
    void this.closed.then(() => {
      this.#isClosed = true;
      this.#wake.resolve();
    });
  }

  /** TCP and TLS, without a handshake. */
  static async dial(port: number, host = '127.0.0.1'): Promise<WirePeer> {
    const socket = connect({
      host,
      port,
      ...identity,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
    });
    const peer = new WirePeer(socket);
    await within('a TLS connection', once(socket, 'secureConnect'));
    return peer;
  }

  /** TCP, TLS and a whole handshake. Rejects when the other side refuses. */
  static async join(port: number, cookie: string, facts: Introduction): Promise<WirePeer> {
    const peer = await WirePeer.dial(port);
    const hello = introduce(HELLO, facts);
    peer.write(hello);
    const challenge = await peer.expect(CHALLENGE);
    const transcript = Buffer.concat([hello, challenge.whole]);
    peer.write(frameOf(PROOF, peer.mac(cookie, 'snowmesh/1 initiator', transcript)));
    const ack = await peer.expect(ACK);
    const decision = ack.body.subarray(32, 33);
    const proof = peer.mac(cookie, 'snowmesh/1 acceptor', Buffer.concat([transcript, decision]));
    if (!proof.equals(ack.body.subarray(0, 32))) throw new Error('the acceptor did not prove the cookie');
    return peer;
  }

  /** HMAC over role, exporter and transcript. */
  mac(cookie: string, label: string, transcript: Buffer, exporter: Buffer = this.exporter()): Buffer {
    return createHmac('sha256', cookieKey(cookie)).update(label).update(exporter).update(transcript).digest();
  }

  /** The channel binding of RFC 9266. */
  exporter(): Buffer {
    return this.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send(tag: number, body: Writer): void {
    this.write(frameOf(tag, body.done()));
  }

  /** The next frame; rejects when the connection closes first. */
  async next(ms?: number): Promise<Frame> {
    while (this.#frames.length === 0) {
      if (this.#isClosed) throw new Error('the connection was closed');
      await within('a frame', this.#wake.promise, ms);
    }
    return this.#frames.shift() as Frame;
  }

  /** The next frame, which must have that tag; a refusal becomes an error that says it. */
  async expect(tag: number): Promise<Frame> {
    const next = await this.next();
    if (next.tag === REFUSE) {
      throw Object.assign(new Error(`refused: ${next.body.subarray(3).toString()}`), {
        refusal: next.body[0],
      });
    }
    if (next.tag !== tag)
      throw new Error(`a frame 0x${next.tag.toString(16)} came instead of 0x${tag.toString(16)}`);
    return next;
  }

  /** Waits for a frame of that tag and skips what comes before. */
  async find(tag: number): Promise<Frame> {
    for (;;) {
      const next = await this.next();
      if (next.tag === tag) return next;
    }
  }

  /** From now on bytes are not cut into frames: what was not read yet, and what comes, goes to `take`. */
  raw(take: (part: Buffer) => void): void {
    this.#isRaw = true;
    const rest = Buffer.concat([...this.#frames.splice(0).map(({ whole }) => whole), this.#buffer]);
    if (rest.length > 0) take(rest);
    this.socket.on('data', take);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(part: Buffer): void {
    if (this.#isRaw) return;
    this.#buffer = Buffer.concat([this.#buffer, part]);
    while (this.#buffer.length >= 4) {
      const length = this.#buffer.readUInt32LE(0);
      if (this.#buffer.length < 4 + length) break;
      const whole = this.#buffer.subarray(0, 4 + length);
      this.#buffer = this.#buffer.subarray(4 + length);
      this.#frames.push({ tag: whole[4] ?? 0, body: whole.subarray(5), whole });
    }
    this.#wake.resolve();
    this.#wake = deferred();
  }
}

/** Accepts TLS connections; each becomes a WirePeer. */
export class WireAcceptor implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #peers: WirePeer[] = [];
  #wake = deferred();
  #taken = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => {
      this.#peers.push(new WirePeer(socket));
      this.#wake.resolve();
      this.#wake = deferred();
    });
  }

  static async listen(): Promise<WireAcceptor> {
    const server = createServer({ ...identity, minVersion: 'TLSv1.3', ALPNProtocols: [ALPN] });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WireAcceptor(server, (server.address() as { port: number }).port);
  }

  /** The next connection that was not taken yet. */
  async accept(): Promise<WirePeer> {
    while (this.#taken >= this.#peers.length) await within('a connection', this.#wake.promise);
    return this.#peers[this.#taken++] as WirePeer;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A TCP connection without TLS. */
export async function dialPlain(port: number): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await within('a TCP connection', once(socket, 'connect'));
  return socket;
}
