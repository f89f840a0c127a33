// Matches in the form in which a mailbox searches for them.
import { SnowmeshError } from '../errors/index.ts';
import type { Matcher } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import type { Match } from './match.ts';
import { tagOf } from './message-tag.ts';
import { isPromise } from './promise.ts';
import { SystemMessage } from './system-message.ts';
import { Timeout, TimerRef } from './timer-ref.ts';

/** A match in the form in which a mailbox searches for it. */
export interface CompiledMatch extends Matcher {
  /** It is not user code and cannot throw: a sender may run it. */
  readonly isSafe: boolean;
  /** The keys under which the mailbox remembers how far it searched for this match. */
  readonly keys: readonly unknown[];
}

/** Compiles a match. Throws SNOW_ERR_BAD_MATCH. */
export function compileMatch(match: Match): CompiledMatch {
  if (typeof match === 'string') return byTag.get(match) ?? compileTag(match);
  if (match instanceof Ref) return new RefMatch(match);
  if (match instanceof TimerRef) return new TimerMatch(match);
  if (typeof match === 'function') return compileFunction(match);
  if (Array.isArray(match)) return new AnyOf(match.map(compileMatch));
  throw new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    `Cannot match by ${typeof match}: use a tag, a reference, a class, a predicate, or an array of those; a timeout alone is receive(undefined, { timeout }).`,
  );
}

/** A match by a key, which the mailbox remembers. It is not user code. */
abstract class KeyMatch<Key> implements CompiledMatch {
  readonly isSafe = true;
  readonly keys: readonly unknown[];
  protected readonly key: Key;

  constructor(key: Key) {
    this.key = key;
    this.keys = [key];
  }

  abstract takes(message: unknown): boolean;

  // Each subclass has a loop of its own, which calls one test only: the compiler can put it into the loop.
  abstract firstIn(slots: readonly unknown[], from: number, to: number): number;
}

class TagMatch extends KeyMatch<string> {
  takes(message: unknown): boolean {
    return tagOf(message) === this.key;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const { key } = this;
    for (let at = from; at < to; at++) if (tagOf(slots[at]) === key) return at;
    return -1;
  }
}

class RefMatch extends KeyMatch<Ref> {
  takes(message: unknown): boolean {
    return carries(message, this.key);
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const { key } = this;
    for (let at = from; at < to; at++) if (carries(slots[at], key)) return at;
    return -1;
  }
}

class TimerMatch extends KeyMatch<TimerRef> {
  takes(message: unknown): boolean {
    return message instanceof Timeout && message.ref === this.key;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    for (let at = from; at < to; at++) if (this.takes(slots[at])) return at;
    return -1;
  }
}

/** Of a class of system messages. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class
class ClassMatch extends KeyMatch<Function> {
  takes(message: unknown): boolean {
    return message instanceof this.key;
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const { key } = this;
    for (let at = from; at < to; at++) if (slots[at] instanceof key) return at;
    return -1;
  }
}

/** Of user code. The mailbox remembers how far it searched only while the receive waits. */
class Predicate implements CompiledMatch {
  readonly isSafe = false;
  readonly keys: readonly unknown[] = NONE;
  readonly firstIn = undefined;
  // oxlint-disable-next-line typescript/no-unsafe-function-type -- user code
  private readonly predicate: Function;

  // oxlint-disable-next-line typescript/no-unsafe-function-type -- user code
  constructor(predicate: Function) {
    this.predicate = predicate;
  }

  takes(message: unknown): boolean {
    const { predicate } = this;
    const verdict: unknown = predicate(message);
    if (verdict === true || verdict === false) return verdict;
    if (isPromise(verdict)) {
      verdict.then(undefined, () => {});
      throw asyncPredicate();
    }
    return Boolean(verdict);
  }
}

class AnyOf implements CompiledMatch {
  readonly isSafe: boolean;
  readonly keys: readonly unknown[];
  readonly firstIn: CompiledMatch['firstIn'] = undefined;
  private readonly parts: readonly CompiledMatch[];

  constructor(parts: readonly CompiledMatch[]) {
    this.parts = parts;
    this.isSafe = parts.every((part) => part.isSafe);
    this.keys = parts.flatMap((part) => part.keys);
    if (this.isSafe) this.firstIn = (slots, from, to) => firstOfAny(parts, slots, from, to);
  }

  takes(message: unknown): boolean {
    for (const part of this.parts) if (part.takes(message)) return true;
    return false;
  }
}

function firstOfAny(
  parts: readonly CompiledMatch[],
  slots: readonly unknown[],
  from: number,
  to: number,
): number {
  let first = -1;
  for (const part of parts) {
    const at = part.firstIn?.(slots, from, first < 0 ? to : first) ?? -1;
    if (at >= 0) first = at;
  }
  return first;
}

const NONE: readonly unknown[] = [];

/** Tags whose compiled match is kept, and the longest of them; the table starts again empty when it is full. */
const MAX_TAGS = 1024;
const MAX_TAG_LENGTH = 64;

const byTag = new Map<string, CompiledMatch>();

function compileTag(tag: string): CompiledMatch {
  const compiled = new TagMatch(tag);
  if (tag.length > MAX_TAG_LENGTH) return compiled;
  if (byTag.size >= MAX_TAGS) byTag.clear();
  byTag.set(tag, compiled);
  return compiled;
}

/** Compiled matches of the few classes of system messages. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a key
const byClass = new WeakMap<Function, CompiledMatch>();

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class or a predicate, distinguished here
function compileFunction(match: Function): CompiledMatch {
  const known = byClass.get(match);
  if (known !== undefined) return known;
  if (match === SystemMessage || match.prototype instanceof SystemMessage) {
    const compiled = new ClassMatch(match);
    byClass.set(match, compiled);
    return compiled;
  }
  if (Object.prototype.toString.call(match) === '[object AsyncFunction]') throw asyncPredicate();
  return new Predicate(match);
}

/** Refuses an async predicate: its promise is truthy, so it would take every message. */
function asyncPredicate(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    'A predicate of receive must return true or false at once, not a promise: receive the message first, then await what it needs.',
  );
}

function carries(message: unknown, ref: Ref): boolean {
  if (typeof message !== 'object' || message === null) return false;
  if (message instanceof Ref) return message.equals(ref);
  if (Array.isArray(message)) {
    for (const part of message) if (part instanceof Ref && part.equals(ref)) return true;
    return false;
  }
  const own: unknown = (message as { ref?: unknown }).ref;
  return own instanceof Ref && own.equals(ref);
}
