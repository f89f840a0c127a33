// Sends questions to other nodes and matches their answers.
import { SnowmeshError } from '../errors/index.ts';
import type { AskedPeer } from './ask-channel.ts';
import { only } from './check.ts';
import type { Refusal } from './messages.ts';
import { QUESTIONS, type Question, type Questions } from './questions.ts';

/** Most questions of this node that have no answer yet. */
const MAX_PENDING = 10_000;

interface Pending<P> {
  readonly peer: P;
  readonly question: Question;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SnowmeshError) => void;
  readonly cancel: () => void;
}

/** Sends a question, and limits how long it waits. */
export interface AskPort<P> {
  /** False: it cannot be sent now. */
  send(peer: P, id: number, question: Question, options: unknown): boolean;
  /** Calls back once after `ms` milliseconds. Returns a function that cancels it. */
  after(ms: number, action: () => void): () => void;
}

export class Asking<P extends AskedPeer> {
  readonly #port: AskPort<P>;
  readonly #pending = new Map<number, Pending<P>>();
  #ids = 0;

  constructor(port: AskPort<P>) {
    this.#port = port;
  }

  /** @throws as a rejection SNOW_ERR_INTROSPECTION. */
  ask<Q extends Question>(
    peer: P,
    question: Q,
    options: Questions[Q][0],
    timeoutMs: number,
  ): Promise<Questions[Q][1]> {
    const promise = new Promise<unknown>((resolve, reject) => {
      if (this.#pending.size >= MAX_PENDING) return reject(failure(peer.node, question, 'busy'));
      const id = ++this.#ids;
      const cancel = this.#port.after(timeoutMs, () => this.#fail(id, 'timeout'));
      this.#pending.set(id, { peer, question, resolve, reject, cancel });
      if (!this.#port.send(peer, id, question, options)) this.#fail(id, 'busy');
    });
    return promise as Promise<Questions[Q][1]>;
  }

  /** An answer of a peer arrived. It counts only from the session that was asked. */
  answered(peer: P, id: number, value: unknown): void {
    const pending = this.#pending.get(id);
    if (pending?.peer !== peer) return;
    const { gives } = QUESTIONS[pending.question];
    if (!gives(value)) return this.#fail(id, 'bad_answer');
    this.#end(id, pending);
    pending.resolve(only(gives, value));
  }

  refused(peer: P, id: number, why: Refusal): void {
    if (this.#pending.get(id)?.peer === peer) this.#fail(id, why);
  }

  /** The peer's session ended: its questions fail. O(pending). */
  lost(peer: P): void {
    for (const [id, pending] of this.#pending) if (pending.peer === peer) this.#fail(id, 'nodedown');
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, 'stopped');
  }

  #fail(id: number, why: Failure): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#end(id, pending);
    pending.reject(failure(pending.peer.node, pending.question, why));
  }

  #end(id: number, { cancel }: Pending<P>): void {
    this.#pending.delete(id);
    cancel();
  }
}

/** Why there is no answer. */
export type Failure = Refusal | 'timeout' | 'bad_answer' | 'nodedown' | 'stopped';

const SENTENCES: Readonly<Record<Failure, string>> = {
  off: 'it was started with `introspection: false`',
  busy: 'too many questions wait; ask less often',
  bad: 'it does not accept these options; it may run another version of snowmesh',
  unknown: 'it runs a version of snowmesh that does not know this question',
  failed: 'it failed to answer; its log says why',
  timeout: 'no answer came in time: its event loop is blocked or busy, or the option timeout is too short',
  bad_answer: 'its answer is not valid; it may run another version of snowmesh',
  nodedown: 'there is no connection to it, or the connection was lost; call node.connect first',
  stopped: 'this node was stopped',
};

export function failure(node: string, question: Question, why: Failure): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_INTROSPECTION',
    `${node} did not answer "${question}": ${SENTENCES[why]}`,
    {
      details: { node, question, reason: why },
    },
  );
}
