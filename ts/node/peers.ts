import type { NodeName } from './node-name.ts';
import { Peer } from './peer.ts';

/** The peers there are, by name and by the dial under way. Who is idle is forgotten (L16). */
export class Peers {
  readonly #byName = new Map<string, Peer>();
  readonly #byRequest = new Map<number, Peer>();
  #lastRequest = 0;

  get(full: string): Peer | undefined {
    return this.#byName.get(full);
  }

  all(): IterableIterator<Peer> {
    return this.#byName.values();
  }

  /** The peer of that name, a new one if need be: it has to get a session or a dial at once. */
  of(name: NodeName): Peer {
    const known = this.#byName.get(name.full);
    if (known !== undefined) return known;
    const peer = new Peer(name);
    this.#byName.set(name.full, peer);
    return peer;
  }

  /** Numbers the dial of a peer that begins. */
  dialling(peer: Peer): number {
    this.#lastRequest = (this.#lastRequest + 1) >>> 0 || 1; // 0 stands for none
    peer.request = this.#lastRequest;
    this.#byRequest.set(peer.request, peer);
    return peer.request;
  }

  /** Whose dial has ended; undefined for a number that is not under way. */
  dialled(request: number): Peer | undefined {
    const peer = this.#byRequest.get(request);
    this.#byRequest.delete(request);
    if (peer !== undefined) peer.request = 0;
    return peer;
  }

  forgetIdle(peer: Peer): void {
    if (peer.isIdle && this.#byName.get(peer.name.full) === peer) this.#byName.delete(peer.name.full);
  }
}
