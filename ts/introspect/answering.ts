// Answers the questions of peers. One question is worked on at a time, and between two parts of work the event loop gets several times
// as long: peers that ask without end slow nothing down but their own answers.
import type { Runtime } from '../actor/index.ts';
import type { Refusal } from './messages.ts';
import type { NodeView } from './node-view.ts';
import type { AskedPeer } from './port.ts';
import { isQuestion, QUESTIONS, type Question } from './questions.ts';

/** Questions of one peer that wait; further ones are refused. */
export const MAX_WAITING = 32;
/** So many times as long as a question took nothing more is answered. */
const REST_FACTOR = 4;
/** The longest rest. Unit: ms. */
const MAX_REST_MS = 1000;

interface Waiting {
  readonly id: number;
  readonly question: Question;
  readonly options: unknown;
}

/** What goes back to a peer. */
export interface AnswerPort<P> {
  answer(peer: P, id: number, value: unknown): void;
  refuse(peer: P, id: number, why: Refusal): void;
}

export class Answering<P extends AskedPeer> {
  readonly #runtime: Runtime;
  readonly #view: NodeView;
  readonly #port: AnswerPort<P>;
  /** By peer, each in the order it asked; the peers in the order in which they get their turn. */
  readonly #waiting = new Map<P, Waiting[]>();
  #isWorking = false;
  #isClosed = false;

  constructor(runtime: Runtime, view: NodeView, port: AnswerPort<P>) {
    this.#runtime = runtime;
    this.#view = view;
    this.#port = port;
  }

  /** A peer asks. O(options). */
  asked(peer: P, id: number, question: string, options: unknown): void {
    if (!isQuestion(question)) return this.#port.refuse(peer, id, 'unknown');
    if (!QUESTIONS[question].takes(options)) return this.#port.refuse(peer, id, 'bad');
    let waiting = this.#waiting.get(peer);
    if (waiting === undefined) this.#waiting.set(peer, (waiting = []));
    if (waiting.length >= MAX_WAITING) return this.#port.refuse(peer, id, 'busy');
    waiting.push({ id, question, options });
    if (this.#isWorking || this.#isClosed) return;
    this.#isWorking = true;
    setImmediate(this.#work);
  }

  /** Its session is over. */
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

  /** The oldest question of the peer whose turn it is, which then is the last one. */
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
      this.#runtime.logger.warn(
        { event: 'introspection_failed', question, err: error },
        'a question of a peer failed',
      );
      if (!this.#isClosed) this.#port.refuse(peer, id, 'failed');
    }
  }
}
