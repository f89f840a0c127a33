// Answers the questions of peers. It answers one question at a time, and then rests several times as long as the answer took: a peer that
// asks without pause delays only its own answers.
import type { Runtime } from '../actor/index.ts';
import type { AskedPeer } from './ask-channel.ts';
import { only } from './check.ts';
import type { Refusal } from './messages.ts';
import type { NodeView } from './node-view.ts';
import { isQuestion, QUESTIONS, type Question } from './questions.ts';

/** Most waiting questions of one peer. Further ones are refused with `busy`. */
export const MAX_WAITING = 32;
/** The rest after an answer, as a multiple of the time that it took. */
const REST_FACTOR = 4;
/** Most ms of rest after an answer. */
const MAX_REST_MS = 1000;

interface Waiting {
  readonly id: number;
  readonly question: Question;
  readonly options: unknown;
}

/** Sends answers to peers. */
export interface AnswerPort<P> {
  answer(peer: P, id: number, value: unknown): void;
  refuse(peer: P, id: number, why: Refusal): void;
}

export class Answering<P extends AskedPeer> {
  readonly #runtime: Runtime;
  readonly #view: NodeView;
  readonly #port: AnswerPort<P>;
  /** The waiting questions of each peer, oldest first. The peer that is served next is first in the map. */
  readonly #waiting = new Map<P, Waiting[]>();
  #isWorking = false;
  #isClosed = false;

  constructor(runtime: Runtime, view: NodeView, port: AnswerPort<P>) {
    this.#runtime = runtime;
    this.#view = view;
    this.#port = port;
  }

  /** A question of a peer arrived. O(options). */
  asked(peer: P, id: number, question: string, options: unknown): void {
    if (!isQuestion(question)) return this.#port.refuse(peer, id, 'unknown');
    if (!QUESTIONS[question].takes(options)) return this.#port.refuse(peer, id, 'bad');
    let waiting = this.#waiting.get(peer);
    if (waiting === undefined) this.#waiting.set(peer, (waiting = []));
    if (waiting.length >= MAX_WAITING) return this.#port.refuse(peer, id, 'busy');
    // A peer may send more fields than a question has, of any size: they must not wait here.
    waiting.push({ id, question, options: only(QUESTIONS[question].takes, options) });
    if (this.#isWorking || this.#isClosed) return;
    this.#isWorking = true;
    setImmediate(this.#work);
  }

  /** The peer's session ended. */
  lost(peer: P): void {
    this.#waiting.delete(peer);
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  readonly #work = (): void => {
    const next = this.#next();
    if (next === undefined) {
      this.#isWorking = false;
      return;
    }
    const [peer, asked] = next;
    const began = performance.now();
    void this.#answer(peer, asked).then(() => {
      const restMs = Math.min(MAX_REST_MS, REST_FACTOR * (performance.now() - began));
      if (restMs < 1) setImmediate(this.#work);
      else setTimeout(this.#work, restMs).unref();
    });
  };

  /** Takes the oldest question of the first peer, and moves that peer to the end. */
  #next(): [P, Waiting] | undefined {
    for (const [peer, waiting] of this.#waiting) {
      this.#waiting.delete(peer);
      const asked = waiting.shift();
      if (waiting.length > 0) this.#waiting.set(peer, waiting);
      if (asked !== undefined) return [peer, asked];
    }
    return undefined;
  }

  async #answer(peer: P, { id, question, options }: Waiting): Promise<void> {
    try {
      const answer = QUESTIONS[question].answer as (view: NodeView, options: unknown) => unknown;
      const value = await answer(this.#view, options);
      if (!this.#isClosed) this.#port.answer(peer, id, value);
    } catch (error) {
      this.#runtime.throttledLog.write(
        'warn',
        { event: 'introspection_failed', question, err: error },
        'a question of a peer failed',
        question,
      );
      if (!this.#isClosed) this.#port.refuse(peer, id, 'failed');
    }
  }
}
