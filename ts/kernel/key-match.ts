// Matches that a mailbox searches for by a key: it remembers how far it searched for that key.
import type { Key, Keys, Matcher } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import { tagOf } from './message-tag.ts';
import { Timeout, type TimerRef } from './timer-ref.ts';

/** A match in the form in which a mailbox searches for it. */
export interface CompiledMatch extends Matcher {
  /** It is not user code and cannot throw: a sender may run it. */
  readonly isSafe: boolean;
  /** The keys under which the mailbox remembers how far it searched for this match. An empty list: only while the receive waits. */
  readonly keys: Keys;
  readonly broad?: CompiledMatch | undefined;
}

/** Whether the mailbox remembers how far it searched for this match also when no receive waits for it. */
export function hasKeys({ keys }: CompiledMatch): boolean {
  return !Array.isArray(keys) || keys.length > 0;
}

/** A match by a key, which the mailbox remembers. It is not user code. */
abstract class KeyMatch<K extends Key> implements CompiledMatch {
  readonly keys: K;

  constructor(key: K) {
    this.keys = key;
  }

  // Not a field: one is made for each receive of a reference.
  get isSafe(): boolean {
    return true;
  }

  abstract takes(message: unknown): boolean;

  // Each subclass has a loop of its own, which calls one test only: the compiler can put it into the loop.
  abstract firstIn(slots: readonly unknown[], from: number, to: number): number;
}

class TagMatch extends KeyMatch<string> {
  takes(message: unknown): boolean {
    return tagOf(message) === this.keys;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const key = this.keys;
    for (let at = from; at < to; at++) if (tagOf(slots[at]) === key) return at;
    return -1;
  }
}

export class RefMatch extends KeyMatch<Ref> {
  takes(message: unknown): boolean {
    return carries(message, this.keys);
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const key = this.keys;
    for (let at = from; at < to; at++) if (carries(slots[at], key)) return at;
    return -1;
  }
}

export class TimerMatch extends KeyMatch<TimerRef> {
  takes(message: unknown): boolean {
    return message instanceof Timeout && message.ref === this.keys;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    for (let at = from; at < to; at++) if (this.takes(slots[at])) return at;
    return -1;
  }
}

/** Of a class of system messages. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class
export class ClassMatch extends KeyMatch<Function> {
  takes(message: unknown): boolean {
    return message instanceof this.keys;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const key = this.keys;
    for (let at = from; at < to; at++) if (slots[at] instanceof key) return at;
    return -1;
  }
}

/** Tags whose compiled match is kept, and the longest of them; the table starts again empty when it is full. */
const MAX_TAGS = 1024;
const MAX_TAG_LENGTH = 64;

const byTag = new Map<string, CompiledMatch>();

export function matchTag(tag: string): CompiledMatch {
  return byTag.get(tag) ?? compileTag(tag);
}

function compileTag(tag: string): CompiledMatch {
  const compiled = new TagMatch(tag);
  if (tag.length > MAX_TAG_LENGTH) return compiled;
  if (byTag.size >= MAX_TAGS) byTag.clear();
  byTag.set(tag, compiled);
  return compiled;
}

/** Whether a message is this reference, or has it as a part. */
export function carries(message: unknown, ref: Ref): boolean {
  if (typeof message !== 'object' || message === null) return false;
  if (message instanceof Ref) return message.equals(ref);
  if (Array.isArray(message)) {
    for (const part of message) if (part instanceof Ref && part.equals(ref)) return true;
    return false;
  }
  const own: unknown = (message as { ref?: unknown }).ref;
  return own instanceof Ref && own.equals(ref);
}
