import type { Runtime } from '../actor/index.ts';
import { PeerWait } from './peer-wait.ts';
import type { RoomsPeer } from './rooms-peer.ts';

interface Query<A> {
  readonly wait: PeerWait;
  readonly answers: A[];
  readonly done: (answers: A[]) => void;
}

/**
 * Queries to several peers at once. A query ends when every peer has answered or is lost, or has had the time to answer something, with the
 * answers that have arrived.
 *
 * @typeParam A Answers. Queries that are answered by another kind of message have another object: a peer may answer with any message.
 */
export class PeerQueries<A> {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, Query<A>>();
  #next = 1;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param ms The time that a peer has. @param send Sends the query to one peer; the answer must carry the same `ref`. */
  ask(peers: Iterable<RoomsPeer>, ms: number, send: (peer: RoomsPeer, ref: number) => void): Promise<A[]> {
    return new Promise((resolve) => this.begin(peers, ms, send, resolve));
  }

  /** `ask`, for who must handle the last answer before what the peer has sent after it. @param done It may be called at once. */
  begin(
    peers: Iterable<RoomsPeer>,
    ms: number,
    send: (peer: RoomsPeer, ref: number) => void,
    done: (answers: A[]) => void,
  ): void {
    const asked = [...peers];
    if (asked.length === 0) return done([]);
    const ref = this.#next++;
    const wait = new PeerWait(this.#runtime, asked, ms, () => this.#end(ref));
    this.#open.set(ref, { wait, answers: [], done });
    for (const peer of asked) send(peer, ref);
    wait.begin();
  }

  /** A peer has answered. An answer without a pending query to that peer is dropped. */
  answered(peer: RoomsPeer, ref: number, answer: A): void {
    const query = this.#open.get(ref);
    if (query?.wait.unanswered.has(peer) !== true) return;
    query.answers.push(answer);
    query.wait.answered(peer);
  }

  /** A peer is lost: no query waits for it any more. O(open queries). */
  lost(peer: RoomsPeer): void {
    for (const { wait } of [...this.#open.values()]) wait.answered(peer);
  }

  close(): void {
    for (const ref of [...this.#open.keys()]) this.#end(ref);
  }

  #end(ref: number): void {
    const query = this.#open.get(ref);
    if (query === undefined) return;
    this.#open.delete(ref);
    query.wait.end();
    query.done(query.answers);
  }
}
