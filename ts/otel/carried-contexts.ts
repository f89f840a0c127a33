// Which trace context belongs to which message in a mailbox, and to which actor.
import type { Context, SpanContext } from '@opentelemetry/api';
import { OldestFirst } from '../collections/index.ts';
import { type Cell, TRACED } from '../kernel/index.ts';

/** The first of equal messages knows the last one. */
class Entry {
  readonly context: SpanContext;
  next: Entry | undefined = undefined;
  last: Entry = this;

  constructor(context: SpanContext) {
    this.context = context;
  }
}

/** The contexts of the messages of one mailbox, by the message: equal ones leave it in the order they came in. */
class MailboxContexts {
  readonly #byMessage = new OldestFirst<unknown, Entry>();
  #count = 0;

  /** @param most messages that can be in the mailbox: those that were dropped are forgotten, the oldest first. */
  add(message: unknown, context: SpanContext, most: number): void {
    while (this.#count >= most) this.take(this.#byMessage.oldestKey());
    const entry = new Entry(context);
    const first = this.#byMessage.get(message);
    if (first === undefined) this.#byMessage.set(message, entry);
    else first.last = first.last.next = entry;
    this.#count++;
  }

  take(message: unknown): SpanContext | undefined {
    const first = this.#byMessage.get(message);
    if (first === undefined) return undefined;
    this.#count--;
    const { next } = first;
    if (next === undefined) this.#byMessage.delete(message);
    else {
      next.last = first.last;
      this.#byMessage.set(message, next);
    }
    return first.context;
  }
}

/** What is known of one actor. */
class ActorContexts {
  readonly mail = new MailboxContexts();
  /** The context that its code was started in. */
  start: Context | undefined = undefined;
  /** That of its spawn, until its code is started. */
  spawn: SpanContext | undefined = undefined;
  /** That of the message it took last; null: that had none; undefined: it has taken none. */
  last: SpanContext | null | undefined = undefined;
}

/** The contexts of all actors of a node. An actor that ends takes its own with it. */
export class CarriedContexts {
  readonly #actors = new WeakMap<Cell, ActorContexts>();

  of(cell: Cell): ActorContexts | undefined {
    return this.#actors.get(cell);
  }

  make(cell: Cell): ActorContexts {
    let contexts = this.#actors.get(cell);
    if (contexts === undefined) this.#actors.set(cell, (contexts = new ActorContexts()));
    cell.flags |= TRACED;
    return contexts;
  }

  /** `message` is about to enter the actor's mailbox. */
  enters(cell: Cell, message: unknown, context: SpanContext): void {
    const gate = cell.extra?.gate;
    if (gate?.isFull === true && gate.policy !== 'drop-old') return; // it will be dropped
    this.make(cell).mail.add(message, context, 1 + (cell.mailbox?.size ?? 0));
  }

  /** The actor takes `message`, which was in its mailbox as `item`. */
  taken(cell: Cell, item: unknown): SpanContext | undefined {
    const contexts = this.#actors.get(cell);
    if (contexts === undefined) return undefined;
    const context = contexts.mail.take(item);
    contexts.last = context ?? null;
    return context;
  }
}
