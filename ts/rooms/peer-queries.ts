import type { Runtime } from '../actor/index.ts';
import type { RoomsPeer } from './rooms-peer.ts';

interface Query {
  readonly waiting: Set<RoomsPeer>;
  readonly answers: unknown[];
  readonly done: (answers: unknown[]) => void;
  readonly cancel: () => void;
}

/** Queries to several peers at once. A query ends when every peer has answered or is lost, or after a timeout, with the answers that have arrived. */
export class PeerQueries {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, Query>();
  #next = 1;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param ms The timeout. @param send Sends the query to one peer; the answer must carry the same `ref`. */
  ask(
    peers: Iterable<RoomsPeer>,
    ms: number,
    send: (peer: RoomsPeer, ref: number) => void,
  ): Promise<unknown[]> {
    const waiting = new Set(peers);
    if (waiting.size === 0) return Promise.resolve([]);
    const ref = this.#next++;
    return new Promise((resolve) => {
      const cancel = this.#runtime.after(ms, () => this.#end(ref));
      this.#open.set(ref, { waiting, answers: [], done: resolve, cancel });
      for (const peer of [...waiting]) send(peer, ref);
    });
  }

  /** A peer has answered. An answer without a pending query to that peer is dropped. */
  answered(peer: RoomsPeer, ref: number, answer: unknown): void {
    const query = this.#open.get(ref);
    if (query?.waiting.delete(peer) !== true) return;
    query.answers.push(answer);
    if (query.waiting.size === 0) this.#end(ref);
  }

  /** A peer is lost: no query waits for it any more. O(open queries). */
  lost(peer: RoomsPeer): void {
    for (const [ref, { waiting }] of [...this.#open])
      if (waiting.delete(peer) && waiting.size === 0) this.#end(ref);
  }

  close(): void {
    for (const ref of [...this.#open.keys()]) this.#end(ref);
  }

  #end(ref: number): void {
    const query = this.#open.get(ref);
    if (query === undefined) return;
    this.#open.delete(ref);
    query.cancel();
    query.done(query.answers);
  }
}
