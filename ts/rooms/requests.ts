import type { Runtime } from '../actor/index.ts';
import type { PeerSide } from './peer-side.ts';

interface Request {
  readonly waiting: Set<PeerSide>;
  readonly answers: unknown[];
  readonly done: (answers: unknown[]) => void;
  readonly cancel: () => void;
}

/** Questions that several peers answer: each ends with all answers there are when the last has come, a peer is lost, or time is up. */
export class Requests {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, Request>();
  #next = 1;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param send sends the question under a number; the answer comes under the same. */
  ask(
    peers: Iterable<PeerSide>,
    ms: number,
    send: (side: PeerSide, ref: number) => void,
  ): Promise<unknown[]> {
    const waiting = new Set(peers);
    if (waiting.size === 0) return Promise.resolve([]);
    const ref = this.#next++;
    return new Promise((resolve) => {
      const cancel = this.#runtime.after(ms, () => this.#end(ref));
      this.#open.set(ref, { waiting, answers: [], done: resolve, cancel });
      for (const side of [...waiting]) send(side, ref);
    });
  }

  /** A peer's answer; one without a request to that peer is dropped. */
  answered(side: PeerSide, ref: number, answer: unknown): void {
    const request = this.#open.get(ref);
    if (request?.waiting.delete(side) !== true) return;
    request.answers.push(answer);
    if (request.waiting.size === 0) this.#end(ref);
  }

  /** A peer is lost: no request waits for it any more. O(open requests). */
  lost(side: PeerSide): void {
    for (const [ref, { waiting }] of [...this.#open])
      if (waiting.delete(side) && waiting.size === 0) this.#end(ref);
  }

  close(): void {
    for (const ref of [...this.#open.keys()]) this.#end(ref);
  }

  #end(ref: number): void {
    const request = this.#open.get(ref);
    if (request === undefined) return;
    this.#open.delete(ref);
    request.cancel();
    request.done(request.answers);
  }
}
