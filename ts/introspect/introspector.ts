import type { Runtime } from '../actor/index.ts';
import { Answering } from './answering.ts';
import type { AskChannel, AskedPeer } from './ask-channel.ts';
import { Asking, failure } from './asking.ts';
import { type AskNode, Introspection } from './introspection.ts';
import { type Message, parseMessage } from './messages.ts';
import { type NodeFacts, NodeView } from './node-view.ts';
import { QUESTIONS, type Question, type Questions } from './questions.ts';

/** How `node.introspect` asks another node. */
export interface IntrospectOptions {
  /** ms to wait for each answer. Default 5000. */
  readonly timeout?: number | undefined;
}

/** Introspection of one node: answers questions about it, and sends questions to other nodes. It is the listener of its channel. */
export class Introspector<P extends AskedPeer> {
  readonly view: NodeView;
  readonly #node: NodeFacts;
  readonly #answering: Answering<P>;
  readonly #asking: Asking<P>;
  readonly #answersPeers: boolean;
  #channel: AskChannel<P> | undefined;

  /** @param answersPeers whether other nodes may ask. */
  constructor(runtime: Runtime, node: NodeFacts, answersPeers: boolean) {
    this.#node = node;
    this.#answersPeers = answersPeers;
    this.view = new NodeView(runtime, node);
    this.#answering = new Answering(runtime, this.view, {
      answer: (peer, id, value) => void this.#send(peer, ['answer', id, value]),
      refuse: (peer, id, why) => void this.#send(peer, ['refuse', id, why]),
    });
    this.#asking = new Asking({
      send: (peer, id, question, options) => this.#send(peer, ['ask', id, question, options]),
      after: (ms, action) => runtime.after(ms, action),
    });
  }

  /** Sets the channel over which it asks and answers. */
  opened(channel: AskChannel<P> | undefined): void {
    this.#channel = channel;
  }

  /** @param name full name of a node, which need not be connected yet. */
  of(name: string, timeoutMs: number): Introspection {
    const ask: AskNode = (question, options) => this.#ask(name, question, options, timeoutMs);
    return new Introspection(name, ask);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#answering.close();
    this.#asking.close();
    this.view.close();
  }

  up(): void {}

  down(peer: P): void {
    this.#answering.lost(peer);
    this.#asking.lost(peer);
  }

  message(peer: P, value: unknown): void {
    const message = parseMessage(value);
    if (message === undefined) return;
    switch (message[0]) {
      case 'ask':
        if (this.#answersPeers) return this.#answering.asked(peer, message[1], message[2], message[3]);
        return void this.#send(peer, ['refuse', message[1], 'off']);
      case 'answer':
        return this.#asking.answered(peer, message[1], message[2]);
      case 'refuse':
        return this.#asking.refused(peer, message[1], message[2]);
    }
  }

  async #ask<Q extends Question>(
    name: string,
    question: Q,
    options: Questions[Q][0],
    timeoutMs: number,
  ): Promise<Questions[Q][1]> {
    if (name === this.#node.name) return QUESTIONS[question].answer(this.view, options);
    const peer = this.#channel?.peer(name);
    if (peer === undefined) throw failure(name, question, 'nodedown');
    return this.#asking.ask(peer, question, options, timeoutMs);
  }

  /** False: the send queue to that peer is full, or its session ended. */
  #send(peer: P, message: Message): boolean {
    return this.#channel?.broadcast([peer], message).length === 0;
  }
}
