// Matches in the form in which a mailbox searches for them.
import { kindOf, SnowmeshError } from '../errors/index.ts';
import type { Key, Keys } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import { ClassMatch, type CompiledMatch, hasKeys, matchTag, RefMatch, TimerMatch } from './key-match.ts';
import type { Match } from './match.ts';
import { compilePattern, isPattern } from './pattern.ts';
import { promiseOf } from './promise.ts';
import { SystemMessage } from './system-message.ts';
import { TimerRef } from './timer-ref.ts';

/** Compiles a match. Throws SNOW_ERR_BAD_MATCH. */
export function compileMatch(match: Match): CompiledMatch {
  if (typeof match === 'string') return matchTag(match);
  if (match instanceof Ref) return new RefMatch(match);
  if (match instanceof TimerRef) return new TimerMatch(match);
  if (typeof match === 'function') return compileFunction(match);
  if (Array.isArray(match)) return new AnyOf(match.map(compileMatch));
  if (typeof match === 'object' && match !== null && isPattern(match)) return compilePattern(match);
  throw new SnowmeshError(
    'SNOW_ERR_BAD_MATCH',
    `Cannot match by ${kindOf(match)}: use a tag, a reference, a class, a pattern such as { type: 'done' }, a predicate, or an array of those; a timeout alone is receive(undefined, { timeout }).`,
  );
}

/** Of user code. The mailbox remembers how far it searched only while the receive waits. */
class Predicate implements CompiledMatch {
  readonly isSafe = false;
  readonly keys: Keys = NONE;
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
    const pending = promiseOf(verdict);
    if (pending === undefined) return Boolean(verdict);
    pending.then(undefined, () => {});
    throw asyncPredicate();
  }
}

class AnyOf implements CompiledMatch {
  readonly isSafe: boolean;
  readonly keys: Keys;
  readonly firstIn: CompiledMatch['firstIn'] = undefined;
  readonly broad: CompiledMatch | undefined = undefined;
  private readonly parts: readonly CompiledMatch[];

  constructor(parts: readonly CompiledMatch[]) {
    this.parts = parts;
    this.isSafe = parts.every((part) => part.isSafe);
    // One part without a key may match any message.
    this.keys = parts.every(hasKeys) ? parts.flatMap((part) => part.keys as Key | Key[]) : NONE;
    if (this.isSafe) this.firstIn = (slots, from, to) => firstOfAny(parts, slots, from, to);
    if (hasKeys(this) && parts.some((part) => part.broad !== undefined))
      this.broad = new AnyOf(parts.map((part) => part.broad ?? part));
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

const NONE: readonly Key[] = [];

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
