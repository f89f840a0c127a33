// The trace contexts of messages in mailboxes, and of actors.
import type { Context, SpanContext } from '@opentelemetry/api';
import { OldestFirst } from '../collections/index.ts';
import { type Cell, TRACED } from '../kernel/index.ts';

/** The context of one message. */
class Entry {
  readonly message: unknown;
  readonly context: SpanContext;
  /** In the list of all: the next that arrived; in the index: the next of an equal message. */
  next: Entry | undefined = undefined;
  /** In the index: the last of the equal messages that this one is the first of. */
  last: Entry = this;

  constructor(message: unknown, context: SpanContext) {
    this.message = message;
    this.context = context;
  }
}

/**
 * The contexts of the messages in one mailbox. Equal messages are taken in the order of their arrival.
 *
 * A list, as long as messages are taken in the order of their arrival; from the first that is not until there are none, an index by message.
 */
class MailboxContexts {
  #first: Entry | undefined = undefined;
  #last: Entry | undefined = undefined;
  #isIndexed = false;
  #byMessage: OldestFirst<unknown, Entry> | undefined;
  #count = 0;

  /** @param most limit of the mailbox. Contexts of messages that were dropped are removed, oldest first. */
  add(message: unknown, context: SpanContext, most: number): void {
    while (this.#count >= most)
      this.take(this.#isIndexed ? this.#byMessage?.oldestKey() : this.#first?.message);
    const entry = new Entry(message, context);
    this.#count++;
    if (this.#isIndexed) this.#index(entry);
    else if (this.#last === undefined) this.#first = this.#last = entry;
    else this.#last = this.#last.next = entry;
  }

  take(message: unknown): SpanContext | undefined {
    if (this.#count === 0) return undefined;
    return this.#isIndexed ? this.#takeIndexed(message) : this.#takeListed(message);
  }

  #takeListed(message: unknown): SpanContext | undefined {
    const first = this.#first as Entry;
    if (first.message !== message) {
      this.#isIndexed = true;
      this.#first = this.#last = undefined;
      for (let entry: Entry | undefined = first; entry !== undefined; ) {
        const next: Entry | undefined = entry.next;
        entry.next = undefined;
        this.#index(entry);
        entry = next;
      }
      return this.#takeIndexed(message);
    }
    this.#count--;
    this.#first = first.next;
    if (first.next === undefined) this.#last = undefined;
    return first.context;
  }

  #index(entry: Entry): void {
    this.#byMessage ??= new OldestFirst();
    const first = this.#byMessage.get(entry.message);
    if (first === undefined) this.#byMessage.set(entry.message, entry);
    else first.last = first.last.next = entry;
  }

  #takeIndexed(message: unknown): SpanContext | undefined {
    const byMessage = this.#byMessage as OldestFirst<unknown, Entry>;
    const first = byMessage.get(message);
    if (first === undefined) return undefined;
    this.#count--;
    const { next } = first;
    if (next === undefined) byMessage.delete(message);
    else {
      next.last = first.last;
      byMessage.set(message, next);
    }
    if (this.#count === 0) this.#isIndexed = false;
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
