// A match by the fields of an object, as Erlang's receive matches by a pattern of values.
import { kindOf, SnowmeshError } from '../errors/index.ts';
import type { Keys } from '../mailbox/index.ts';
import { Pid, Ref } from '../term/index.ts';
import { FieldSearch } from './field-search.ts';
import { type CompiledMatch, matchTag, RefMatch } from './key-match.ts';
import type { Pattern, PatternValue } from './match.ts';
import { SystemMessage } from './system-message.ts';
import { TimerRef } from './timer-ref.ts';

const TIMEOUT_ALONE =
  'A timeout alone is receive(undefined, { timeout }): the first argument is the match. For messages with that one field use a predicate.';

/** Reads a pattern once and compiles it. Throws SNOW_ERR_BAD_MATCH, and what a getter of the pattern throws. */
export function compilePattern(pattern: Pattern): CompiledMatch {
  const fields = Object.keys(pattern);
  if (fields.length === 0)
    throw badPattern('An object without fields would match every object: name the fields to compare.');
  if (fields.length === 1 && fields[0] === 'timeout') throw badPattern(TIMEOUT_ALONE);
  // The last field is compared first, unless it is `type`, whose tag has a search of its own: it tells most messages apart.
  if (fields.at(-1) !== 'type') fields.reverse();
  const values = fields.map((field) => checked(field, pattern[field]));
  return new PatternMatch(fields, values);
}

/** Whether an object is one that a pattern may be: a literal, not an instance of a class. */
export function isPattern(match: object): match is Pattern {
  const prototype: unknown = Object.getPrototypeOf(match);
  return prototype === Object.prototype || prototype === null;
}

class PatternMatch implements CompiledMatch {
  readonly isSafe = true;
  readonly keys: Keys;
  /** Matches every message that has the pattern's reference, or else its tag. */
  readonly broad: CompiledMatch | undefined;
  private readonly fields: readonly string[];
  private readonly values: readonly PatternValue[];
  /** For the first field, if equal values of it are identical. */
  private readonly search: FieldSearch | undefined;

  constructor(fields: readonly string[], values: readonly PatternValue[]) {
    this.fields = fields;
    this.values = values;
    const [value] = values;
    const isByIdentity = value === null || (typeof value !== 'object' && !Number.isNaN(value));
    this.search = isByIdentity ? FieldSearch.of(fields[0] as string) : undefined;
    this.broad = broadMatch(fields, values);
    this.keys = this.broad === undefined ? NONE : this.broad.keys;
  }

  takes(message: unknown): boolean {
    return typeof message === 'object' && message !== null && fits(message, this.fields, this.values);
  }

  firstIn(slots: readonly unknown[], from: number, to: number): number {
    const { fields, values, search } = this;
    const wanted = values[0];
    for (let at = from; at < to; at++) {
      if (search !== undefined) {
        at = search.first(slots, at, to, wanted);
        if (at < 0) return -1;
      }
      const message = slots[at];
      if (typeof message === 'object' && message !== null && fits(message, fields, values)) return at;
    }
    return -1;
  }
}

const NONE: Keys = [];

/** The match by which the mailbox remembers how far it searched: by a reference, which few messages have, before the tag. */
function broadMatch(fields: readonly string[], values: readonly PatternValue[]): CompiledMatch | undefined {
  const ref = values[fields.indexOf('ref')];
  if (ref instanceof Ref) return new RefMatch(ref);
  const type = values[fields.indexOf('type')];
  return typeof type === 'string' ? matchTag(type) : undefined;
}

/** The values are compared first: most messages differ there, and only few have to be asked what they are. */
function fits(message: object, fields: readonly string[], values: readonly PatternValue[]): boolean {
  for (let at = 0; at < fields.length; at++) {
    const value = (message as Record<string, unknown>)[fields[at] as string];
    const wanted = values[at] as PatternValue;
    if (value !== wanted && !isSame(value, wanted)) return false;
  }
  if (Array.isArray(message) || message instanceof SystemMessage) return false;
  for (const field of fields) if (!Object.hasOwn(message, field)) return false;
  return true;
}

/** Whether values that are not identical are equal: NaN, and two objects that denote the same PID or reference. */
function isSame(value: unknown, wanted: PatternValue): boolean {
  if (typeof wanted !== 'object') return Number.isNaN(wanted) && Number.isNaN(value);
  return wanted !== null && wanted.equals(value);
}

function checked(field: string, value: unknown): PatternValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'undefined':
      throw badPattern(
        `The field ${name(field)} of the pattern is undefined: leave it out to match any value of it.`,
      );
    default:
      if (value === null || value instanceof Ref || value instanceof Pid) return value;
  }
  if (value instanceof TimerRef)
    throw badPattern(`The field ${name(field)} of the pattern is a timer: match by the TimerRef itself.`);
  throw badPattern(
    `The field ${name(field)} of the pattern is ${kindOf(value)}: a pattern compares strings, numbers, bigints, booleans, null, PIDs and references; use a predicate for other values.`,
  );
}

function name(field: string): string {
  return JSON.stringify(field.slice(0, 40));
}

function badPattern(why: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_MATCH', why);
}
