import type { Runtime } from '../actor/index.ts';
import { SharedOldest } from '../collections/index.ts';
import { ThrottledLog } from '../kernel/index.ts';
import type { Channel, ChannelPeer } from '../node/index.ts';
import { Pid } from '../term/index.ts';
import { MAX_ORIGINS } from './limits.ts';
import type { PeerMessage } from './messages.ts';
import { RoomsPeer } from './rooms-peer.ts';

/** The sender of room traffic. No actor has this number, so room traffic has an order of its own and does not wait for long messages of actors. */
const SENDER = new Pid(0, 2 ** 40 - 1);

/** The peers, and how messages about rooms are sent to them. */
export class Peers {
  readonly #runtime: Runtime;
  readonly #log: ThrottledLog;
  readonly #byNode = new Map<string, RoomsPeer>();
  /** The origins and signing keys, each with the first node that claimed it. */
  readonly #origins = new SharedOldest<string, true>(MAX_ORIGINS);
  #channel: Channel | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#log = new ThrottledLog(runtime);
  }

  /** The peers that take part: those that have rooms. */
  *all(): IterableIterator<RoomsPeer> {
    for (const peer of this.#byNode.values()) if (peer.takesPart) yield peer;
  }

  /** All peers with a session. */
  sessions(): IterableIterator<RoomsPeer> {
    return this.#byNode.values();
  }

  named(node: string): RoomsPeer | undefined {
    const peer = this.#byNode.get(node);
    return peer?.takesPart === true ? peer : undefined;
  }

  /** Whether an origin is remembered as one of a node of this cluster. */
  wasHere(origin: string): boolean {
    return this.#origins.get(`origin ${origin}`) === true;
  }

  /** The origins of the peers that take part. O(peers). */
  origins(): Set<string> {
    return new Set(Array.from(this.all(), ({ origin }) => origin));
  }

  /** Whether a peer that takes part has an origin. O(peers). */
  hasOrigin(origin: string): boolean {
    for (const peer of this.all()) if (peer.origin === origin) return true;
    return false;
  }

  peerOf(channelPeer: ChannelPeer): RoomsPeer | undefined {
    const peer = this.#byNode.get(channelPeer.node);
    return peer?.channelPeer === channelPeer ? peer : undefined;
  }

  /** Something came from a peer. */
  hear(channelPeer: ChannelPeer): RoomsPeer | undefined {
    const peer = this.peerOf(channelPeer);
    if (peer !== undefined) peer.askedAt = undefined;
    return peer;
  }

  /** A peer claims an origin and a signing key. False: one of them belongs to another node. O(peers). */
  introduced(peer: RoomsPeer, origin: string, keyId: string): boolean {
    // A peer that claims very many makes this node forget its own oldest claims, but not what connected peers have.
    for (const other of this.#byNode.values())
      if (other !== peer && (other.origin === origin || (keyId !== '' && other.keyId === keyId)))
        return false;
    const { node } = peer.channelPeer;
    const claims = [`origin ${origin}`, `key ${keyId}`];
    for (const claim of claims) if ((this.#origins.ownerOf(claim) ?? node) !== node) return false;
    for (const claim of claims) this.#origins.renew(claim, node, true);
    peer.greetedAt = this.#runtime.now();
    return true;
  }

  opened(channel: Channel | undefined): void {
    this.#channel = channel;
  }

  up(channelPeer: ChannelPeer): RoomsPeer {
    const peer = new RoomsPeer(channelPeer);
    this.#byNode.set(channelPeer.node, peer);
    return peer;
  }

  down(channelPeer: ChannelPeer): RoomsPeer | undefined {
    const peer = this.peerOf(channelPeer);
    if (peer !== undefined) this.#byNode.delete(channelPeer.node);
    return peer;
  }

  send(peer: RoomsPeer, message: PeerMessage): void {
    this.#channel?.send(peer.channelPeer, message, SENDER);
  }

  /** As `Channel.whenWritable`. */
  whenWritable(peer: RoomsPeer): Promise<void> | undefined {
    return this.#channel?.whenWritable(peer.channelPeer);
  }

  /** Sends a message, or drops it if the peer's outbox is full: for long messages, and for those that a peer can request again. True: it is sent. */
  offer(peer: RoomsPeer, message: PeerMessage): boolean {
    return this.#channel?.broadcast([peer.channelPeer], message, SENDER).length === 0;
  }

  /** Sends a message to all peers that take part. */
  sendAll(message: PeerMessage): void {
    for (const peer of this.all()) this.send(peer, message);
  }

  /** Sends a broadcast. Returns the peers that do not get it, because their outbox is full or their session is over. */
  broadcast(peers: readonly RoomsPeer[], room: string, payload: Uint8Array, details: unknown): ChannelPeer[] {
    const channelPeers = peers.map(({ channelPeer }) => channelPeer);
    return this.#channel?.broadcastRoom(channelPeers, room, payload, details, SENDER) ?? channelPeers;
  }

  /** A message of a peer is invalid: it is ignored, and logged the first time in a session. */
  suspect(peer: RoomsPeer, what: string): void {
    if (peer.isSuspect) return;
    peer.isSuspect = true;
    const { node } = peer.channelPeer;
    const facts = { event: 'rooms_bad_message', node, what };
    this.#log.write('warn', facts, 'what a peer sent about rooms is ignored', node);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#byNode.clear();
  }
}

/** The peer that keeps copies of the messages of a room, chosen by rendezvous hashing. O(peers). */
export function keeperOf(room: string, peers: Iterable<RoomsPeer>): RoomsPeer | undefined {
  let best: RoomsPeer | undefined;
  let most = -1;
  for (const peer of peers) {
    const weight = hash(`${room} ${peer.origin}`);
    if (weight <= most) continue;
    best = peer;
    most = weight;
  }
  return best;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
