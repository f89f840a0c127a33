// Owns the handle of the native core, the sessions and peers, and the dials under way. It knows nothing of actors, and does not
// read or write frames: Outgoing writes them and the listener reads them.
import { BatchAnswer, type Native, type OpenOptions } from '../../../bindings/index.ts';
import type { TraceHeaders } from '../../actor/index.ts';
import { Pid, RefCipher } from '../../term/index.ts';
import { DialReason, DownCause as NativeCause } from '../../wire/index.ts';
import { type NodeName, parseNodeName } from '../node-name.ts';
import type { Limits } from '../options.ts';
import { BatchReader, type EntryReceiver, type NativeRefusal, type SessionUp } from './batch.ts';
import type { Carrier } from './carrier.ts';
import { DOWN_CAUSES, resultWithoutSession } from './end-causes.ts';
import type { EntryReader } from './entry-reader.ts';
import { FlushQueue } from './flush-queue.ts';
import { Identities, type Identity } from './identities.ts';
import type { NetworkListener } from './network-listener.ts';
import { Outgoing } from './outgoing.ts';
import type { OutgoingHost } from './outgoing-host.ts';
import { type PeerState, PeerTable } from './peers.ts';
import { Session } from './session.ts';

/** Bytes of one inbound batch. */
export const RX_BYTES = 1024 * 1024;

export interface NetworkOptions {
  readonly native: Native;
  readonly limits: Limits;
  /** The canonical PID of an actor of this node (M6). */
  readonly ownPid: (local: number) => Pid;
}

export class Network implements OutgoingHost<Outgoing>, EntryReceiver {
  readonly identities = new Identities();
  readonly refs = new RefCipher();
  trace: TraceHeaders | null = null;
  readonly #native: Native;
  readonly #limits: Limits;
  readonly #ownPid: (local: number) => Pid;
  readonly #rx = new Uint8Array(RX_BYTES);
  readonly #batches = new BatchReader(this.#rx, this);
  /** Live sessions. Ids run through all 65 535 numbers, so an array would be as long after that many connections. */
  readonly #sessions = new Map<number, Session>();
  /** The session of the last entry: most have the same as the one before. */
  #recent: Session | undefined;
  readonly #peers = new PeerTable();
  readonly #flushes = new FlushQueue();
  readonly #owners = new WeakMap<Outgoing, Session>();
  #handle = 0;
  #serial = 0;
  #isOpen = false;
  #onStopped: (() => void) | undefined;
  #listener!: NetworkListener;

  constructor({ native, limits, ownPid }: NetworkOptions) {
    this.#ownPid = ownPid;
    this.#native = native;
    this.#limits = limits;
  }

  /** Sets the listener. Call it in the same turn of the event loop as `open`: batches arrive in later turns. */
  report(listener: NetworkListener): void {
    this.#listener = listener;
  }

  /** Listens. Returns the port. Throws what `Native.open` throws. */
  open(options: OpenOptions): number {
    keepFreedMemory();
    this.#handle = this.#native.open(options, this.#rx, this.#onBatch);
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
  peer(name: string): PeerState | undefined {
    return this.#peers.get(name);
  }

  peers(): IterableIterator<PeerState> {
    return this.#peers.all();
  }

  /** Live sessions. */
  readonly sessions = (): IterableIterator<Session> => this.#sessions.values();

  /** Starts a dial, or joins the one under way. */
  dial(name: NodeName, reason: number = DialReason.ASKED): PeerState {
    const peer = this.#peers.of(name);
    if (this.#peers.startDial(peer, reason))
      this.#native.dial(this.#handle, peer.request, name.full, name.host, name.port, reason);
    return peer;
  }

  /** The Outgoing for a peer that is being dialled: its frames are held until the session is up. */
  pendingOutgoing(peer: PeerState): Outgoing {
    peer.pendingOutgoing ??= new Outgoing(this, this.#limits);
    return peer.pendingOutgoing;
  }

  hangup(session: Session): void {
    this.#flushes.flushOne(session.outgoing);
    this.#native.hangup(this.#handle, session.id, NativeCause.DISCONNECT);
  }

  /** Ends a session, by default because the peer broke the protocol. Frames that have arrived already are dropped. */
  end(session: Session, why: string, cause: number = NativeCause.PROTOCOL): void {
    if (session.endReason !== undefined) return;
    session.endReason = why;
    this.#native.hangup(this.#handle, session.id, cause);
  }

  identityOf(nc: number): Identity | undefined {
    return this.identities.of(nc);
  }

  /** The PID object for a node number and a local id. */
  readonly pid = (nc: number, local: number): Pid =>
    nc === 0 ? this.#ownPid(local) : new Pid(nc, local, this.identities.of(nc));

  touch(outgoing: Outgoing): void {
    this.#flushes.add(outgoing);
  }

  busy(outgoing: Outgoing): void {
    const session = this.#owners.get(outgoing);
    if (session !== undefined) this.#listener.busy(session, outgoing.waiting);
  }

  /** Passes every chunk that holds frames to the native core. */
  flush(): void {
    this.#flushes.flush();
  }

  /** Ends every session after its output is sent. Resolves when the native core has released everything. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    this.#native.close(this.#handle);
    await stopped;
  }

  /** The second call, without bytes, comes when the actors that wait for messages of the batch have run. */
  readonly #onBatch = (bytes: number, bigs: Uint8Array[] | null): number => {
    if (bytes === 0) {
      this.#flushes.release();
      return 0;
    }
    this.#flushes.hold();
    this.#batches.read(bytes, bigs);
    this.#listener.batchEnd();
    this.flush();
    return BatchAnswer.CALL_AGAIN;
  };

  // -- entries of a batch ---------------------------------------------------------------------------------------------

  frame(id: number, tag: number, reader: EntryReader): void {
    const session = this.#session(id);
    if (session !== undefined && session.endReason === undefined) this.#listener.frame(session, tag, reader);
  }

  frameLost(id: number): void {
    const session = this.#session(id);
    if (session !== undefined) this.end(session, 'no memory for a message', NativeCause.CLOSED);
  }

  sessionUp({ id, nc, incarnation, name: text, ...given }: SessionUp): void {
    const identity = this.identities.learn(nc, text, incarnation);
    let name: NodeName;
    try {
      name = parseNodeName(text);
    } catch (error) {
      this.#native.hangup(this.#handle, id, NativeCause.PROTOCOL);
      throw error; // a fault: the native core has judged the name by the same rules (K3)
    }
    const peer = this.#peers.of(name);
    const outgoing = peer.pendingOutgoing ?? new Outgoing(this, this.#limits);
    peer.pendingOutgoing = undefined;
    const facts = { ...given, id, serial: ++this.#serial, pidOf: this.pid, refs: this.refs };
    const session = new Session(facts, identity, outgoing);
    this.#sessions.set(id, session);
    identity.outgoing = outgoing;
    peer.session = session;
    this.#listener.sessionUp(session);
    this.#owners.set(outgoing, session);
    outgoing.open(nc, this.#carrier(id));
  }

  sessionDown(id: number, cause: number, detail: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#recent = undefined;
    const { identity, outgoing } = session;
    const peer = this.#peers.get(identity.name);
    if (identity.outgoing === outgoing) identity.outgoing = undefined;
    if (peer?.session === session) {
      peer.session = undefined;
      this.#peers.forgetIdle(peer); // the listener's code may dial anew
    }
    this.#closeOutgoing(outgoing, identity.name);
    this.#listener.sessionDown(session, DOWN_CAUSES[cause] ?? 'closed', detail || (session.endReason ?? ''));
  }

  dialEnded(request: number, status: number, detail: string): void {
    const peer = this.#peers.endDial(request);
    if (peer === undefined) return;
    if (peer.session !== undefined) return peer.settle('up');
    const result = resultWithoutSession(status);
    const { pendingOutgoing } = peer;
    const numbers = pendingOutgoing?.expected() ?? [];
    if (pendingOutgoing !== undefined) this.#closeOutgoing(pendingOutgoing, peer.name.full);
    this.#listener.dialFailed(peer.name.full, result, detail, numbers);
    peer.settle(result);
  }

  drained(id: number, pending: number): void {
    const session = this.#session(id);
    if (session?.outgoing.drained(pending)) this.#listener.writable(session);
  }

  streamDone(id: number, stream: number, frames: number): void {
    const session = this.#session(id);
    if (session?.outgoing.streamDone(stream, frames)) this.#listener.writable(session);
  }

  peerLoop(id: number, stalled: boolean, ageMs: number): void {
    const session = this.#session(id);
    if (session === undefined || session.isStalled === stalled) return;
    session.isStalled = stalled;
    session.stalledSince = performance.now() - ageMs;
    this.#listener.peerLoop(session, stalled, ageMs);
  }

  stopped(): void {
    this.#onStopped?.();
  }

  refused({ status, ...facts }: NativeRefusal): void {
    this.#listener.refused({ ...facts, why: resultWithoutSession(status) });
  }

  fault(error: unknown): void {
    this.#listener.fault(error);
  }

  #session(id: number): Session | undefined {
    if (this.#recent?.id === id) return this.#recent;
    return (this.#recent = this.#sessions.get(id));
  }

  #closeOutgoing(outgoing: Outgoing, node: string): void {
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
}

let hasKeptMemory = process.platform !== 'linux' || typeof MessageChannel === 'undefined';

/**
 * Makes glibc keep freed memory while messages arrive. By default it returns 128 KiB and more at the end of its heap to the system, which
 * clears each page again at its next use: a third of the cost of receiving 64 KiB. Freeing a large block raises that limit to twice its
 * size. No page of this block is touched, and closing the port frees it at once. The native core returns memory when traffic stops.
 */
function keepFreedMemory(): void {
  if (hasKeptMemory) return;
  hasKeptMemory = true;
  const { port1, port2 } = new MessageChannel();
  const block = new ArrayBuffer(32 * 1024 * 1024 - 64 * 1024); // glibc ignores blocks above 32 MiB
  port1.postMessage(block, [block]);
  port1.close();
  port2.close();
}
