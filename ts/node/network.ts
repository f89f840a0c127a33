// The node's side of the native core: its handle, the sessions and the peers behind them, and who is being dialled.
// It knows frames only as what Outgoing writes and the receiver below hands up; it knows nothing of actors.
import {
  ConnectStatus,
  type Native,
  DownCause as NativeCause,
  NativeEvent,
  type OpenOptions,
} from '../../bindings/index.ts';
import type { Pid } from '../term/index.ts';
import { EntryReader, readU32 } from './entry-reader.ts';
import { SHAPE } from './frame-tag.ts';
import { Identities, type Identity } from './identities.ts';
import { type NodeName, parseNodeName } from './node-name.ts';
import type { Limits } from './options.ts';
import { type Carrier, Outgoing, type OutgoingHost } from './outgoing.ts';
import { DIAL_RESULTS, type DialResult, type Peer } from './peer.ts';
import { Peers } from './peers.ts';
import { DOWN_CAUSES, type DownCause, Session } from './session.ts';

/** Bytes of one inbound batch. */
export const RX_BYTES = 1024 * 1024;
const ENTRY_HEADER = 8;
const FIRST_EVENT = 0xa0;
const LAST_EVENT = 0xa9;

/** What the floor above hears, in the order things happened. */
export interface NetworkListener {
  /** Before any frame of that session. */
  sessionUp(session: Session): void;
  /** After its last frame. */
  sessionDown(session: Session, cause: DownCause, detail: string): void;
  /** One validated frame; `reader` stands at its body. */
  frame(session: Session, tag: number, reader: EntryReader): void;
  /** At the end of each batch. Returns true while there is work to run. */
  batchEnd(): boolean;
  /** The peer's event loop stopped turning, or turns again. */
  peerLoop(session: Session, stalled: boolean, ageMs: number): void;
  /** What waits to be sent to a peer fell below the mark. */
  writable(session: Session): void;
  /** More than the high-water mark waits to be sent to the peer. */
  busy(session: Session, bytes: number): void;
  /** A dial of ours failed; `numbers` are the incarnations somebody waited for. */
  dialFailed(peer: Peer, result: DialResult, detail: string, numbers: Iterable<number>): void;
  /** Messages that were still on this side when their session ended, or when there was none to be had. */
  lostMessages(node: string, count: number): void;
  /** Somebody failed to authenticate. */
  refused(name: string, reason: string): void;
  /** A frame could not be handled: a fault of ours, never of the peer. */
  fault(error: unknown): void;
}

export interface NetworkOptions {
  readonly native: Native;
  readonly limits: Limits;
  readonly listener: NetworkListener;
  /** Makes the PIDs that stand in messages. */
  readonly pidOf: (nc: number, local: number) => Pid;
}

export class Network implements OutgoingHost {
  readonly identities = new Identities();
  readonly #native: Native;
  readonly #limits: Limits;
  readonly #listener: NetworkListener;
  readonly #pidOf: (nc: number, local: number) => Pid;
  readonly #rx = new Uint8Array(RX_BYTES);
  readonly #reader = new EntryReader(this.#rx);
  readonly #sessions: (Session | undefined)[] = [];
  readonly #peers = new Peers();
  readonly #dirty: Outgoing[] = [];
  readonly #owners = new WeakMap<Outgoing, Session>();
  #isFlushDue = false;
  #handle = 0;
  #serial = 0;
  #isOpen = false;
  #stopped: (() => void) | undefined;

  constructor({ native, limits, listener, pidOf }: NetworkOptions) {
    this.#pidOf = pidOf;
    this.#native = native;
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Listens. Returns the port. Throws what `Native.open` throws. */
  open(options: OpenOptions): number {
    this.#handle = this.#native.open(options, this.#rx, (bytes, bigs) => this.#batch(bytes, bigs));
    this.#isOpen = true;
    return this.#native.port(this.#handle);
  }

  get incarnation(): bigint {
    return this.#native.incarnation(this.#handle);
  }

  get handle(): number {
    return this.#handle;
  }

  /** False once `close` was called. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The peer of that canonical name, if there is a session or a dial. */
  peer(name: string): Peer | undefined {
    return this.#peers.get(name);
  }

  peers(): IterableIterator<Peer> {
    return this.#peers.all();
  }

  /** Live sessions. */
  *sessions(): IterableIterator<Session> {
    for (const session of this.#sessions) if (session !== undefined) yield session;
  }

  /** Starts a dial, or joins the one under way. */
  dial(name: NodeName): Peer {
    const peer = this.#peers.of(name);
    if (peer.isIdle)
      this.#native.dial(this.#handle, this.#peers.dialling(peer), name.full, name.host, name.port);
    return peer;
  }

  /** What is written here waits for the session that a dial of `peer` will bring. */
  waitingRoom(peer: Peer): Outgoing {
    peer.waiting ??= new Outgoing(this, this.#limits);
    return peer.waiting;
  }

  hangup(session: Session): void {
    this.#flushOne(session.outgoing);
    this.#native.hangup(this.#handle, session.id, NativeCause.DISCONNECT);
  }

  /** Marks an outgoing half that has frames in its chunk: it is flushed at the end of the slice or of this tick. */
  touch(outgoing: Outgoing): void {
    this.#dirty.push(outgoing);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // A tick runs after the microtasks of the moment have drained: actors that go on there share one flush.
    process.nextTick(flushDue, this);
  }

  /** Word from an outgoing half: more than the high-water mark waits there. */
  busy(outgoing: Outgoing): void {
    const session = this.#owners.get(outgoing);
    if (session !== undefined) this.#listener.busy(session, outgoing.waiting);
  }

  /** Hands every chunk that holds frames to the native core. */
  flush(): void {
    if (this.#dirty.length === 0) return;
    for (const outgoing of this.#dirty) outgoing.flush();
    this.#dirty.length = 0;
  }

  /** The tick that `touch` asked for. */
  flushTick(): void {
    this.#isFlushDue = false;
    this.flush();
  }

  /** Leaves in order; resolves when the native side has let go of everything. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    this.#native.close(this.#handle);
    await stopped;
  }

  #flushOne(outgoing: Outgoing): void {
    outgoing.flush();
    const at = this.#dirty.indexOf(outgoing);
    if (at >= 0) this.#dirty.splice(at, 1);
  }

  /** One batch of the native core: frames and events, in order. Must not throw. */
  #batch(bytes: number, bigs: Uint8Array[] | null): number {
    const rx = this.#rx;
    let at = 0;
    while (at < bytes) {
      const body = at + ENTRY_HEADER;
      const end = body + readU32(rx, at);
      const session = (rx[at + 6] as number) | ((rx[at + 7] as number) << 8);
      try {
        this.#entry(rx[at + 4] as number, session, this.#reader.reset(rx, body, end), bigs);
      } catch (error) {
        this.#listener.fault(error);
      }
      at = end;
    }
    const isBusy = this.#listener.batchEnd();
    this.flush();
    return isBusy ? 1 : 0;
  }

  #entry(tag: number, id: number, reader: EntryReader, bigs: Uint8Array[] | null): void {
    if (tag >= FIRST_EVENT && tag <= LAST_EVENT) return this.#event(tag, id, reader, bigs);
    const session = this.#sessions[id];
    if (session === undefined) return;
    if (tag === SHAPE) return session.defineShape(reader);
    this.#listener.frame(session, tag, reader);
  }

  #event(tag: number, id: number, reader: EntryReader, bigs: Uint8Array[] | null): void {
    const session = this.#sessions[id];
    switch (tag) {
      case NativeEvent.BIG: {
        const frame = bigs?.[reader.u32()];
        if (frame !== undefined)
          this.#entry(frame[0] as number, id, reader.reset(frame, 1, frame.length, true), null);
        return;
      }
      case NativeEvent.SESSION_UP:
        return this.#up(id, reader);
      case NativeEvent.SESSION_DOWN:
        return session && this.#down(session, reader);
      case NativeEvent.NODE_SLOT: {
        const nc = reader.u32();
        const incarnation = reader.big();
        this.identities.learn(nc, reader.name(), incarnation);
        return;
      }
      case NativeEvent.CONNECT_RESULT:
        return this.#dialled(reader);
      case NativeEvent.WRITABLE:
        return session && this.#writable(session, reader.u32());
      case NativeEvent.STREAM_DONE: {
        const stream = reader.u32();
        const isFree = session?.outgoing.streamDone(stream, reader.u32());
        return isFree === true ? this.#listener.writable(session as Session) : undefined;
      }
      case NativeEvent.PEER_LOOP:
        return session && this.#loop(session, reader.u8() !== 0, reader.u32());
      case NativeEvent.STOPPED:
        return this.#stopped?.();
      case NativeEvent.REFUSED: {
        const name = reader.name();
        return this.#listener.refused(name, reader.name());
      }
    }
  }

  #up(id: number, reader: EntryReader): void {
    const nc = reader.u32();
    const incarnation = reader.big();
    const flags = reader.u8();
    const capabilities = reader.big();
    const identity = this.identities.learn(nc, reader.name(), incarnation);
    const name = nameOf(identity);
    if (name === undefined) {
      // Nobody here could address it: there is no session, on neither side.
      this.#listener.refused(identity.name, 'illegal name');
      return this.#native.hangup(this.#handle, id, NativeCause.PROTOCOL);
    }
    const peer = this.#peers.of(name);
    const outgoing = peer.waiting ?? new Outgoing(this, this.#limits);
    peer.waiting = undefined;
    const session = new Session(
      { id, serial: ++this.#serial, flags, capabilities, pidOf: this.#pidOf },
      identity,
      outgoing,
    );
    this.#sessions[id] = session;
    identity.session = session;
    peer.session = session;
    this.#listener.sessionUp(session);
    this.#owners.set(outgoing, session);
    outgoing.open(nc, this.#carrier(id));
  }

  #down(session: Session, reader: EntryReader): void {
    const cause = DOWN_CAUSES[reader.u8()] ?? 'closed';
    const detail = reader.name();
    this.#sessions[session.id] = undefined;
    const { identity } = session;
    const peer = this.#peers.get(identity.name);
    if (identity.session === session) identity.session = undefined;
    if (peer?.session === session) peer.session = undefined;
    this.#close(session.outgoing, identity.name);
    this.#listener.sessionDown(session, cause, detail);
    if (peer !== undefined) this.#peers.forgetIdle(peer);
  }

  #dialled(reader: EntryReader): void {
    const request = reader.u32();
    const status = reader.u8();
    const detail = reader.name();
    const peer = this.#peers.dialled(request);
    if (peer === undefined) return;
    const result = peer.session !== undefined ? 'up' : dialResult(status);
    if (result !== 'up') {
      const { waiting } = peer;
      peer.waiting = undefined;
      const numbers = waiting?.expected() ?? [];
      if (waiting !== undefined) this.#close(waiting, peer.name.full);
      this.#listener.dialFailed(peer, result, detail, numbers);
    }
    peer.settle(result);
    this.#peers.forgetIdle(peer);
  }

  #writable(session: Session, pending: number): void {
    if (session.outgoing.drained(pending)) this.#listener.writable(session);
  }

  #close(outgoing: Outgoing, node: string): void {
    if (outgoing.unsent > 0) this.#listener.lostMessages(node, outgoing.unsent);
    outgoing.close();
  }

  #carrier(id: number): Carrier {
    const native = this.#native;
    const handle = this.#handle;
    return {
      adopt: (chunk) => native.tx(handle, id, chunk),
      flush: (bytes) => native.flush(handle, id, bytes),
      bulk: (stream, parts) => native.bulk(handle, id, stream, parts),
      gather: (total, slice) => native.gather(handle, id, total, slice),
      gathered: (stream) => native.gathered(handle, id, stream),
    };
  }

  #loop(session: Session, stalled: boolean, ageMs: number): void {
    if (session.isStalled === stalled) return;
    session.isStalled = stalled;
    this.#listener.peerLoop(session, stalled, ageMs);
  }
}

/** How a dial ended of which there is no session: one that was up is gone again, and who has written since waits in vain. */
function dialResult(status: number): DialResult {
  return status === ConnectStatus.UP ? 'unreachable' : (DIAL_RESULTS[status] ?? 'unreachable');
}

/** The name of an authenticated peer; undefined when it is none (K3). */
function nameOf({ name }: Identity): NodeName | undefined {
  try {
    return parseNodeName(name);
  } catch {
    return undefined;
  }
}

function flushDue(network: Network): void {
  network.flushTick();
}
