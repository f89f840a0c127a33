// The trace contexts of messages in mailboxes, and of actors.
import type { Context, SpanContext } from '@opentelemetry/api';
import { OldestFirst } from '../collections/index.ts';
import { type Cell, TRACED } from '../kernel/index.ts';

/** Entries of equal messages form a list; the first one has a reference to the last. */
class Entry {
  readonly context: SpanContext;
  next: Entry | undefined = undefined;
  last: Entry = this;

  constructor(context: SpanContext) {
    this.context = context;
  }
}

/** The contexts of the messages in one mailbox, by message. Equal messages are taken in the order of their arrival. */
class MailboxContexts {
  readonly #byMessage = new OldestFirst<unknown, Entry>();
  #count = 0;

  /** @param most limit of the mailbox. Contexts of messages that were dropped are removed, oldest first. */
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

/** The contexts of one actor. */
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
