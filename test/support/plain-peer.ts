// A peer written from docs/wire.md alone, without code of snowmesh: it shows that the document is complete. It follows the protocol; for
// a peer that breaks it see wire-peer.ts.
import { once } from 'node:events';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { selfSigned } from './certificate.ts';
import { deferred, within } from './deadline.ts';
import { ALPN, frameOf, Handshake, type Identity, newIncarnation, Wire } from './plain-handshake.ts';
import { type PlainPid, type PlainRef, Reader, Writer } from './plain-terms.ts';

type Field = 'N' | 'P' | 'R' | 'T' | 'u8' | 'u32' | 'u64' | 'target' | 'names' | 'blob';

/** The tag and the fields of each frame, as in section 6. */
const LAYOUTS = {
  SEND: [0x10, 'P', 'T'],
  REG_SEND: [0x11, 'N', 'T'],
  PEER_LIST: [0x12, 'names'],
  LINK: [0x13, 'P', 'P'],
  UNLINK: [0x14, 'P', 'P', 'u64'],
  EXIT: [0x15, 'P', 'P', 'T'],
  MONITOR: [0x16, 'P', 'R', 'target'],
  DEMONITOR: [0x17, 'P', 'R'],
  MONITOR_EXIT: [0x18, 'P', 'R', 'T'],
  SPAWN: [0x19, 'P', 'R', 'u8', 'R', 'N', 'T'],
  SPAWN_REPLY: [0x1a, 'P', 'R', 'u8', 'P', 'T'],
  ROOM_BROADCAST: [0x1e, 'N', 'blob', 'T'],
  UNLINK_ACK: [0x33, 'P', 'P', 'u64'],
  EXIT2: [0x34, 'P', 'P', 'T'],
  CALL: [0x35, 'P', 'R', 'u32', 'P', 'T'],
  REG_CALL: [0x36, 'P', 'R', 'u32', 'N', 'T'],
  REPLY: [0x37, 'R', 'u8', 'T'],
  ALIAS_SEND: [0x38, 'R', 'T'],
  GOODBYE: [0x39, 'u8'],
  SPAWN_ACK: [0x3a, 'P', 'P'],
  SYSTEM: [0x3f, 'N', 'T'],
  PING: [0xf0, 'u64', 'u32'],
  PONG: [0xf1, 'u64', 'u32'],
} as const satisfies Record<string, readonly [number, ...Field[]]>;
export type Tag = keyof typeof LAYOUTS;

const TAGS = new Map<number, Tag>(Object.entries(LAYOUTS).map(([name, [tag]]) => [tag, name as Tag]));
const SLOT = 0x30;
const SHAPE = 0x31;
const FRAGMENT = 0x32;
const FRAGMENT_BYTES = 131_072;
const FIRST = 1;
const LAST = 2;
/** The number under which this peer announces the node. */
const PEER = { slot: 1, creation: 0 };

/** A frame of the peer: its name in the table, and its fields in order. */
export interface PlainFrame {
  readonly tag: Tag;
  readonly fields: readonly unknown[];
}

/** A session with one snowmesh node. */
export class PlainPeer implements AsyncDisposable {
  readonly own: Identity;
  readonly peer: Identity;
  /** The identities that the node has announced, by `slot/creation`. */
  readonly announced = new Map<string, Identity>();
  readonly shapes: string[][] = [];
  /** The numbers of received FRAGMENT and PING frames. */
  fragments = 0;
  pings = 0;
  /** Resolves when the connection has ended: to the error if a frame of the node was wrong. */
  readonly over: Promise<unknown>;
  private readonly wire: Wire;
  private readonly frames: PlainFrame[] = [];
  private readonly streams = new Map<number, { total: number; parts: Buffer[] }>();
  private readonly told = new Map<string, { slot: number; creation: number }>();
  private wake = deferred();
  private isOver = false;
  private nextStream = 1;

  private constructor(wire: Wire, own: Identity, peer: Identity) {
    this.wire = wire;
    this.own = own;
    this.peer = peer;
    this.announce(peer, PEER);
    this.over = this.read().catch((error: unknown) => error);
    void this.over.then(() => {
      this.isOver = true;
      this.wake.resolve();
    });
  }

  /** Dials a node as `name`. */
  static async dial(port: number, cookie: string, name: string, peer: string): Promise<PlainPeer> {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...selfSigned(),
      rejectUnauthorized: false, // trust comes from the cookie
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
    });
    const wire = new Wire(socket);
    await within('a TLS connection', once(socket, 'secureConnect'));
    const own = { name, incarnation: newIncarnation() };
    return new PlainPeer(
      wire,
      own,
      await within('a handshake', new Handshake(wire, cookie, own).initiate(peer)),
    );
  }

  /** @internal */
  static async accepted(socket: TLSSocket, cookie: string, own: Identity): Promise<PlainPeer> {
    const wire = new Wire(socket);
    return new PlainPeer(wire, own, await new Handshake(wire, cookie, own).accept());
  }

  /** The PID of an actor of this peer. */
  mine(local: number): PlainPid {
    return { slot: 0, creation: 0, local };
  }

  /** A PID that the node wrote, as this peer has to write it: each side numbers nodes for itself. */
  ours({ slot, creation, local }: PlainPid): PlainPid {
    if (slot === 0 && creation === 0) return { ...PEER, local };
    const identity = this.identityOf({ slot, creation, local });
    if (identity.name === this.own.name && identity.incarnation === this.own.incarnation)
      return this.mine(local);
    return { ...this.numberOf(identity), local };
  }

  refOf({ owner, id }: PlainRef): PlainRef {
    return { owner: this.ours(owner), id };
  }

  /** The identity that a PID belongs to which the node wrote. */
  identityOf({ slot, creation }: PlainPid): Identity {
    if (slot === 0 && creation === 0) return this.peer;
    const identity = this.announced.get(`${slot}/${creation}`);
    if (identity === undefined) throw new Error(`nobody was announced as ${slot}/${creation}`);
    return identity;
  }

  /** The number under which this peer writes an identity; announces one that is new. */
  numberOf(identity: Identity): { slot: number; creation: number } {
    const key = `${identity.name} ${identity.incarnation}`;
    const known = this.told.get(key);
    if (known !== undefined) return known;
    const number = { slot: this.told.size + 1, creation: 0 };
    this.announce(identity, number);
    return number;
  }

  send(tag: Tag, ...fields: readonly unknown[]): void {
    const body = new Writer();
    const [code, ...layout] = LAYOUTS[tag];
    for (const [at, field] of layout.entries()) put(body, field, fields[at]);
    this.write(code, body.done());
  }

  /** Any frame, whole or as fragments. */
  write(tag: number, body: Uint8Array): void {
    if (body.length + 1 <= FRAGMENT_BYTES) return this.wire.write(frameOf(tag, body));
    const whole = Buffer.concat([Buffer.from([tag]), body]);
    const stream = this.nextStream++;
    for (let at = 0; at < whole.length; at += FRAGMENT_BYTES) {
      const flags = (at === 0 ? FIRST : 0) | (at + FRAGMENT_BYTES >= whole.length ? LAST : 0);
      const head = new Writer().u32(stream).u8(flags);
      if (at === 0) head.u64(BigInt(whole.length));
      this.wire.write(frameOf(FRAGMENT, head.raw(whole.subarray(at, at + FRAGMENT_BYTES)).done()));
    }
  }

  /** The next frame of that tag; others before it are kept. Rejects when the connection ends first. */
  async next(tag: Tag): Promise<readonly unknown[]> {
    const found = (): number => this.frames.findIndex((frame) => frame.tag === tag);
    while (found() < 0) {
      if (this.isOver) throw new Error(`the connection ended: ${String(await this.over)}`);
      await within(`a frame ${tag}`, this.wake.promise);
    }
    return this.frames.splice(found(), 1)[0]?.fields ?? [];
  }

  /** Frames of that tag that came and were not taken. */
  waiting(tag: Tag): number {
    return this.frames.filter((frame) => frame.tag === tag).length;
  }

  async close(): Promise<void> {
    this.wire.socket.destroy();
    await this.over;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private announce(identity: Identity, { slot, creation }: { slot: number; creation: number }): void {
    this.told.set(`${identity.name} ${identity.incarnation}`, { slot, creation });
    const body = new Writer().u16(slot).u8(creation).u64(identity.incarnation).name(identity.name);
    this.wire.write(frameOf(SLOT, body.done()));
  }

  private async read(): Promise<undefined> {
    for (let whole = await this.wire.next(); whole !== undefined; whole = await this.wire.next()) {
      this.took(whole[4] ?? 0, whole.subarray(5));
    }
  }

  private took(tag: number, body: Buffer): void {
    const reader = new Reader(body, this.shapes);
    if (tag === SLOT) return this.tookSlot(reader);
    if (tag === SHAPE) return this.tookShape(reader);
    if (tag === FRAGMENT) return this.tookFragment(reader);
    const name = TAGS.get(tag);
    if (name === undefined) {
      if (tag >= 0x80 && tag <= 0xbf) return;
      throw new Error(`an unknown tag 0x${tag.toString(16)}`);
    }
    const fields = LAYOUTS[name].slice(1).map((field) => get(reader, field as Field));
    if (!reader.isAtEnd) throw new Error(`bytes are left behind ${name}`);
    if (name === 'PING') {
      this.pings += 1;
      return this.send('PONG', fields[0], 0);
    }
    this.frames.push({ tag: name, fields });
    this.wake.resolve();
    this.wake = deferred();
  }

  private tookSlot(reader: Reader): void {
    const key = `${reader.u16()}/${reader.u8()}`;
    const incarnation = reader.u64();
    this.announced.set(key, { incarnation, name: reader.name() });
  }

  private tookShape(reader: Reader): void {
    if (reader.u16() !== this.shapes.length) throw new Error('shapes are announced in order');
    this.shapes.push(Array.from({ length: reader.u16() }, () => reader.name()));
  }

  private tookFragment(reader: Reader): void {
    this.fragments += 1;
    const id = reader.u32();
    const flags = reader.u8();
    if ((flags & FIRST) !== 0) this.streams.set(id, { total: Number(reader.u64()), parts: [] });
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error('a part of a stream that is not open');
    stream.parts.push(reader.rest());
    if ((flags & LAST) === 0) return;
    this.streams.delete(id);
    const whole = Buffer.concat(stream.parts);
    if (whole.length === stream.total) this.took(whole[0] ?? 0, whole.subarray(1));
  }
}

/** Waits for nodes that dial. */
export class PlainAcceptor implements AsyncDisposable {
  readonly own: Identity;
  private readonly server: Server;
  private readonly peers: Promise<PlainPeer>[] = [];
  private wake = deferred();

  private constructor(server: Server, own: Identity, cookie: string) {
    this.server = server;
    this.own = own;
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => {
      const peer = PlainPeer.accepted(socket, cookie, own);
      peer.catch(() => socket.destroy());
      this.peers.push(peer);
      this.wake.resolve();
      this.wake = deferred();
    });
  }

  /** Listens as `<local>@127.0.0.1:<a free port>`. */
  static async listen(local: string, cookie: string): Promise<PlainAcceptor> {
    const server = createServer({ ...selfSigned(), minVersion: 'TLSv1.3', ALPNProtocols: [ALPN] });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return new PlainAcceptor(
      server,
      { name: `${local}@127.0.0.1:${port}`, incarnation: newIncarnation() },
      cookie,
    );
  }

  /** The next node that finished its handshake. */
  async accept(): Promise<PlainPeer> {
    while (this.peers.length === 0) await within('a connection', this.wake.promise);
    return within('a handshake', this.peers.shift() as Promise<PlainPeer>);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) await peer.then((each) => each.close()).catch(() => {});
    this.server.close();
  }
}

function put(body: Writer, field: Field, value: unknown): void {
  if (field === 'N') body.name(value as string);
  else if (field === 'P') body.pid(value as PlainPid);
  else if (field === 'R') body.ref(value as PlainRef);
  else if (field === 'T') body.term(value);
  else if (field === 'u8') body.u8(value as number);
  else if (field === 'u32') body.u32(value as number);
  else if (field === 'u64') body.u64(BigInt(value as number | bigint));
  else if (field === 'blob') body.u32((value as Uint8Array).length).raw(value as Uint8Array);
  else if (field === 'target' && typeof value === 'string') body.u8(1).name(value);
  else if (field === 'target') body.u8(0).pid(value as PlainPid);
  else {
    const names = value as readonly string[];
    body.u16(names.length);
    for (const name of names) body.name(name);
  }
}

function get(reader: Reader, field: Field): unknown {
  if (field === 'N') return reader.name();
  if (field === 'P') return reader.pid();
  if (field === 'R') return reader.ref();
  if (field === 'T') return reader.term();
  if (field === 'u8') return reader.u8();
  if (field === 'u32') return reader.u32();
  if (field === 'u64') return numberOf(reader.u64());
  if (field === 'blob') return reader.take(reader.u32());
  if (field === 'target') return reader.u8() === 1 ? reader.name() : reader.pid();
  return Array.from({ length: reader.u16() }, () => reader.name());
}

/** A bigint only where a number cannot hold it. */
function numberOf(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
