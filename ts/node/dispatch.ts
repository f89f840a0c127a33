// Turns the frames of peers into signals of the actor layer. The native core has validated each body and has translated its
// PIDs: node number 0 is the current incarnation of this node. A `to` with another number is an actor of an earlier incarnation of
// this node, or of a third node: it counts as dead here (M4) and is never looked up by its local id.
import {
  type CallRequest,
  type Inbound,
  ReplyStatus,
  type Runtime,
  type SpawnStatus,
} from '../actor/index.ts';
import type { Pid, Ref, RefCipher } from '../term/index.ts';
import { FOR_EVER, FrameTag } from '../wire/index.ts';
import type { Channels } from './channels.ts';
import { readPeerList } from './mesh/peer-list.ts';
import type { EntryReader } from './session/entry-reader.ts';
import type { Session } from './session/session.ts';
import { TRACE_CHANNEL } from './session/trace-prefix.ts';
import { MAX_TRACE_BYTES, readTraceHeaders } from './trace-headers.ts';

/** What frames act on. */
export interface DispatchPort {
  readonly runtime: Runtime;
  readonly channels: Channels;
  /** The PID object for a node number and a local id. */
  pid(nc: number, local: number): Pid;
  /** Decrypts the ids of this node's references. */
  readonly refs: RefCipher;
  /** A peer has listed its peers. */
  peersListed(session: Session, names: readonly string[]): void;
  /** Ends the session of a peer that exceeds a limit. */
  exceeded(session: Session, limit: string): void;
}

/** Reads the body of one frame and acts on it. */
type Handler = (frame: InboundFrame) => void;

/** What each frame does. A tag of `FrameTag` without an entry does not compile. */
const HANDLERS: { readonly [name in keyof typeof FrameTag]: Handler } = {
  SEND: (frame) => {
    const to = frame.own();
    if (to < 0) return frame.runtime.deadLetters.count('noproc', 'an earlier incarnation');
    frame.inbound.deliver(to, frame.term());
  },
  REG_SEND: (frame) => {
    const name = frame.name();
    frame.runtime.sender.deliverNamed(name, frame.term());
  },
  ALIAS_SEND: (frame) => {
    const alias = frame.ref();
    if (alias.nc === 0) frame.runtime.sender.deliverAlias(alias, frame.term());
    else frame.runtime.deadLetters.count('alias', alias);
  },

  LINK: pair((frame, from, to) => {
    if (frame.hasRoom()) frame.inbound.link(from, to);
  }),
  UNLINK: pair((frame, from, to) => frame.inbound.unlink(from, to, frame.u64())),
  UNLINK_ACK: pair((frame, from, to) => frame.inbound.unlinkAck(from, to, frame.u64())),
  EXIT: pair((frame, from, to) => frame.inbound.exit(from, to, frame.term())),
  EXIT2: pair((frame, from, to) => frame.inbound.exit2(from, to, frame.term())),
  SPAWN_ACK: pair((frame, from, to) => frame.runtime.inboundSpawns.confirmed(from, to)),

  MONITOR: (frame) => {
    const from = frame.pid();
    const ref = frame.peerRef();
    if (ref === undefined || !frame.hasRoom()) return;
    if (frame.u8() === 1) return frame.inbound.monitorNamed(from, ref, frame.name());
    const to = frame.own();
    if (to >= 0) frame.inbound.monitor(from, ref, to);
    else frame.runtime.remote.monitorExit(undefined, from, ref, 'noproc');
  },
  DEMONITOR: (frame) => {
    const from = frame.pid();
    const ref = frame.peerRef();
    if (ref !== undefined) frame.runtime.monitors.unwatchedBy(from, ref);
  },
  MONITOR_EXIT: (frame) => {
    const to = frame.own();
    const ref = frame.ref();
    if (to >= 0) frame.inbound.monitorExit(frame.session.identity, to, ref, frame.term());
  },

  SPAWN: (frame) => {
    const from = frame.pid();
    const request = frame.peerRef();
    const flags = frame.u8();
    const monitor = frame.peerRef();
    const name = frame.name();
    if (request === undefined || monitor === undefined || !frame.hasRoom()) return;
    frame.runtime.inboundSpawns.order({ from, request, flags, monitor, function: name, term: frame.term() });
  },
  SPAWN_REPLY: (frame) => {
    const to = frame.own();
    const request = frame.ref();
    const status = frame.u8() as SpawnStatus;
    const child = frame.pid();
    // The child must be an actor of the node that replies.
    if (child.nc !== frame.session.identity.nc) return frame.runtime.deadLetters.count('unasked', request);
    if (to >= 0) frame.runtime.spawns.replied(to, request, status, child, frame.term());
  },

  CALL: (frame) => {
    const { from, ref, ms } = frame.caller();
    if (ref === undefined) return;
    const to = frame.own();
    const { left } = frame;
    const request = frame.term() as CallRequest;
    if (to >= 0) frame.inbound.call(from, ref, ms, to, request, left);
    else frame.runtime.remote.reply(null, ref, ReplyStatus.noproc, undefined);
  },
  REG_CALL: (frame) => {
    const { from, ref, ms } = frame.caller();
    if (ref === undefined) return;
    const name = frame.name();
    const { left } = frame;
    frame.inbound.callNamed(from, ref, ms, name, frame.term() as CallRequest, left);
  },
  REPLY: (frame) => {
    const ref = frame.ref();
    const status = frame.u8() as ReplyStatus;
    if (ref.nc === 0) frame.runtime.calls.answered(frame.session.identity, ref, status, frame.term());
  },

  SHAPE: (frame) => frame.session.defineShape(frame.reader),
  PEER_LIST: (frame) => frame.peersListed(readPeerList(frame.reader)),
  SYSTEM: (frame) => {
    const channel = frame.name();
    if (channel === TRACE_CHANNEL) frame.traced();
    else frame.toChannel(channel, frame.term());
  },
  ROOM_BROADCAST: (frame) => {
    const room = frame.name();
    const payload = frame.reader.blob();
    frame.toRoom(room, payload, frame.term());
  },

  // Reserved tags: legal, without effect.
  GLOBAL_REGISTER: () => {},
  GLOBAL_UNREGISTER: () => {},
  GLOBAL_SYNC: () => {},
};

const BY_TAG: (Handler | undefined)[] = [];
for (const [name, tag] of Object.entries(FrameTag)) BY_TAG[tag] = HANDLERS[name as keyof typeof FrameTag];

/** A handler for a frame that begins with `from` and `to`. A frame for an earlier incarnation of this node is ignored. */
function pair(handle: (frame: InboundFrame, from: Pid, to: number) => void): Handler {
  return (frame) => {
    const from = frame.pid();
    const to = frame.own();
    if (to >= 0) handle(frame, from, to);
  };
}

/** Monitors that the actors of one peer may have on actors of this node. */
export const MAX_PEER_MONITORS = 524_288;
/** Links between the actors of this node and those of one peer. */
export const MAX_PEER_LINKS = 524_288;

const FOUR_GIB = 0x1_0000_0000;

/** The frame being handled: a cursor over its body, and what it acts on. One object serves all frames. */
class InboundFrame {
  readonly runtime: Runtime;
  readonly #port: DispatchPort;
  session!: Session;
  reader!: EntryReader;

  constructor(port: DispatchPort) {
    this.#port = port;
    this.runtime = port.runtime;
  }

  get inbound(): Inbound {
    return this.runtime.inbound;
  }

  u8(): number {
    return this.reader.u8();
  }

  u64(): number | bigint {
    return this.reader.u64();
  }

  name(): string {
    return this.reader.name();
  }

  /** Whether the actors of the peer may have one more link or monitor on this node. If not, the session ends. */
  hasRoom(): boolean {
    const { nc } = this.session.identity;
    const { links, monitors } = this.runtime;
    const isOver = monitors.countOf(nc) >= MAX_PEER_MONITORS || links.countOf(nc) >= MAX_PEER_LINKS;
    if (isOver) this.#port.exceeded(this.session, 'too many links or monitors');
    return !isOver;
  }

  /** Unread bytes. */
  get left(): number {
    return this.reader.end - this.reader.at;
  }

  /** The term that fills the rest of the body. */
  term(): never {
    return this.session.term(this.reader) as never; // a peer may send any value: the actor layer checks it
  }

  /** The local id of a PID of this node; −1 for a PID of another node or incarnation. */
  own(): number {
    const low = this.reader.u32();
    const high = this.reader.u32();
    if (high === 0) return low; // without a multiplication it remains an integer for V8
    return high > 0xff ? -1 : high * FOUR_GIB + low;
  }

  pid(): Pid {
    const low = this.reader.u32();
    const high = this.reader.u32();
    return this.#port.pid(high >>> 8, (high & 0xff) * FOUR_GIB + low);
  }

  ref(): Ref {
    const low = this.reader.u32();
    const high = this.reader.u32();
    const idLow = this.reader.u32();
    const idHigh = this.reader.u32();
    return this.#port.refs.receive(high >>> 8, (high & 0xff) * FOUR_GIB + low, idHigh, idLow);
  }

  /** A reference to answer to. Undefined, and counted as a dead letter, when the peer did not make it. */
  peerRef(): Ref | undefined {
    const ref = this.ref();
    if (ref.nc === this.session.identity.nc) return ref;
    this.runtime.deadLetters.count('unasked', ref);
    return undefined;
  }

  /** The fields that CALL and REG_CALL begin with. */
  caller(): { readonly from: Pid; readonly ref: Ref | undefined; readonly ms: number } {
    const from = this.pid();
    const ref = this.peerRef();
    const ms = this.reader.u32();
    return { from, ref, ms: ms === FOR_EVER ? Number.POSITIVE_INFINITY : ms };
  }

  /** Reads a trace context for the next frame. It is ignored when it is malformed or nothing is traced. */
  traced(): void {
    const isRead = this.runtime.tracing !== null && this.left <= MAX_TRACE_BYTES;
    this.session.trace = isRead ? readTraceHeaders(this.term()) : null;
  }

  peersListed(names: readonly string[]): void {
    this.#port.peersListed(this.session, names);
  }

  toChannel(name: string, value: unknown): void {
    this.#port.channels.message(this.session, name, value);
  }

  toRoom(room: string, payload: Uint8Array, details: unknown): void {
    this.#port.channels.room(this.session, room, payload, details);
  }
}

export class FrameDispatch {
  readonly #frame: InboundFrame;

  constructor(port: DispatchPort) {
    this.#frame = new InboundFrame(port);
  }

  /** Handles one frame; `reader` is at the start of its body. Throws for a tag that the native core should not pass on. */
  frame(session: Session, tag: number, reader: EntryReader): void {
    const handle = BY_TAG[tag];
    if (handle === undefined)
      throw new Error(`the native core passed on a frame with the unknown tag ${tag}`);
    const frame = this.#frame;
    frame.session = session;
    frame.reader = reader;
    if (session.trace === null || tag === FrameTag.SHAPE) handle(frame);
    else this.#traced(session, handle);
  }

  #traced(session: Session, handle: Handler): void {
    const { trace } = session;
    session.trace = null;
    const { tracing } = this.#frame.runtime;
    if (tracing === null || trace === null) handle(this.#frame);
    else tracing.arrive(trace, () => handle(this.#frame));
  }
}
