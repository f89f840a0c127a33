import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Channel, ChannelPeer } from '../node/index.ts';
import { Pid } from '../term/index.ts';
import { MAX_ORIGINS } from './limits.ts';
import type { Message } from './messages.ts';
import { PeerSide } from './peer-side.ts';

/** No actor has this number: room traffic keeps its own order, and waits for no long message of others. */
const SENDER = new Pid(0, 2 ** 40 - 1);

/** The peers that have rooms, and the way to them. */
export class Peers {
  readonly #runtime: Runtime;
  readonly #sides = new Map<string, PeerSide>();
  /** Which node has an origin or a key: the first that said so. */
  readonly #origins = new OldestFirst<string, string>();
  #channel: Channel | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Those that take part. */
  *all(): IterableIterator<PeerSide> {
    for (const side of this.#sides.values()) if (side.takesPart) yield side;
  }

  /** All peers with a session. */
  sessions(): IterableIterator<PeerSide> {
    return this.#sides.values();
  }

  named(node: string): PeerSide | undefined {
    const side = this.#sides.get(node);
    return side?.takesPart === true ? side : undefined;
  }

  /** Whether a node of this cluster has or had an origin, as far as is remembered. */
  wasHere(origin: string): boolean {
    return this.#origins.has(`origin ${origin}`);
  }

  /** Whether a peer that takes part broadcasts under it. O(peers). */
  hasOrigin(origin: string): boolean {
    for (const side of this.all()) if (side.origin === origin) return true;
    return false;
  }

  sideOf(peer: ChannelPeer): PeerSide | undefined {
    const side = this.#sides.get(peer.node);
    return side?.peer === peer ? side : undefined;
  }

  /** A peer says what its messages are numbered under, and what key it signs with. False: one belongs to another node. */
  introduced({ peer: { node } }: PeerSide, origin: string, keyId: string): boolean {
    const claims = [`origin ${origin}`, `key ${keyId}`];
    for (const claim of claims) if ((this.#origins.get(claim) ?? node) !== node) return false;
    for (const claim of claims) this.#origins.set(claim, node);
    while (this.#origins.size > MAX_ORIGINS) this.#origins.takeOldest();
    return true;
  }

  opened(channel: Channel | undefined): void {
    this.#channel = channel;
  }

  up(peer: ChannelPeer): PeerSide {
    const side = new PeerSide(peer);
    this.#sides.set(peer.node, side);
    return side;
  }

  down(peer: ChannelPeer): PeerSide | undefined {
    const side = this.sideOf(peer);
    if (side !== undefined) this.#sides.delete(peer.node);
    return side;
  }

  send(side: PeerSide, message: Message): void {
    this.#channel?.send(side.peer, message, SENDER);
  }

  /** Sends unless the peer's outbox is full: for what is long, and what a peer asks for again. */
  offer(side: PeerSide, message: Message): void {
    this.#channel?.broadcast([side.peer], message, SENDER);
  }

  /** Sends to all that take part. */
  sendAll(message: Message): void {
    for (const side of this.all()) this.send(side, message);
  }

  /** Gives those that do not get it, because their outbox is full or their session over. */
  broadcast(sides: readonly PeerSide[], room: string, payload: Uint8Array, details: unknown): ChannelPeer[] {
    const peers = sides.map(({ peer }) => peer);
    return this.#channel?.broadcastRoom(peers, room, payload, details, SENDER) ?? peers;
  }

  /** What a peer sent makes no sense: it is ignored, and logged the first time. */
  suspect(side: PeerSide, what: string): void {
    if (side.isSuspect) return;
    side.isSuspect = true;
    const { node } = side.peer;
    this.#runtime.logger.warn({ event: 'rooms_nonsense', node }, `${node} sent ${what} about rooms`);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#sides.clear();
  }
}
