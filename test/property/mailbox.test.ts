// The mailbox against a plain array: whatever is put in and taken out, and whatever it remembers about its own places, the
// oldest match is found and the rest keeps its order (B5, B6).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FreshKey,
  type Key,
  type Keys,
  Mailbox,
  type Matcher,
  NOTHING,
} from '../../ts/mailbox/index.ts';
import type { Segment } from '../../ts/mailbox/segment.ts';
import { check } from '../support/seed.ts';

interface Letter {
  readonly tag: number;
  readonly ref: FreshKey | undefined;
  readonly number: number;
}

const tag = fc.nat({ max: 20 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push' as const), tag, carries: fc.boolean() }) },
  // Often more than fits in one segment, so that segments fill, empty and leave.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      tag,
      count: fc.nat({ max: 150 }),
      isMixed: fc.boolean(), // if not, a drain empties whole segments, which are in the middle
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shift' as const), count: fc.nat({ max: 100 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      tags: fc.array(tag, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('drain' as const), tag, count: fc.nat({ max: 150 }) }),
  },
  // Only some of the messages with the tags, as a pattern takes them.
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('takeSome' as const),
      tags: fc.array(tag, { minLength: 1, maxLength: 3 }),
      third: fc.nat({ max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scan' as const), tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mark' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('takeRef' as const), at: fc.nat(), isSome: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('takeReply' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), tag }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Pair {
  private readonly mailbox = new Mailbox();
  private model: Letter[] = [];
  /** Fresh references, newest last; a letter may carry one that was made before it. */
  private readonly refs: FreshKey[] = [];
  private number = 0;
  /** Segments that were in the mailbox after the last step. */
  private segments: readonly Segment[] = [];

  do(one: Step): void {
    switch (one.do) {
      case 'push':
        return this.push(one.tag, one.carries ? this.refs.at(-1) : undefined);
      case 'burst':
        for (let n = 0; n < one.count; n++) this.push(one.isMixed ? (one.tag + n) % 21 : one.tag, undefined);
        return;
      case 'shift':
        for (let n = 0; n < one.count && this.model.length > 0; n++) {
          expect(this.mailbox.shift()).toBe(this.model.shift());
        }
        return;
      case 'take':
        return this.take((letter) => one.tags.includes(letter.tag), one.tags);
      case 'takeSome': {
        const broad = (letter: Letter): boolean => one.tags.includes(letter.tag);
        return this.take((letter) => broad(letter) && letter.number % 3 === one.third, one.tags, broad);
      }
      case 'drain':
        for (let n = 0; n < one.count; n++) this.take((letter) => letter.tag === one.tag, [one.tag]);
        return;
      case 'scan':
        return this.take((letter) => letter.tag === one.tag, []);
      case 'mark': {
        const ref: FreshKey = { place: undefined };
        this.mailbox.mark(ref);
        this.refs.push(ref);
        return;
      }
      case 'takeRef': {
        const ref = this.refAt(one.at);
        if (ref === undefined) return;
        const broad = (letter: Letter): boolean => letter.ref === ref;
        if (one.isSome) return this.take((letter) => broad(letter) && letter.tag % 2 === 0, [ref], broad);
        return this.take(broad, [ref]);
      }
      case 'takeReply': {
        const ref = this.refAt(one.at);
        if (ref !== undefined) this.takeReply(ref);
        return;
      }
      case 'forget':
        return this.mailbox.forget(one.tag);
      case 'clear':
        expect(this.mailbox.clear()).toBe(this.model.length);
        this.model = [];
    }
  }

  agree(): void {
    expect(this.mailbox.size).toBe(this.model.length);
    expect([...this.mailbox]).toEqual(this.model);
    this.holdsNothingElse();
  }

  /** The chain is whole in both directions, has no segment without messages but the last, and no message is kept that was taken. */
  private holdsNothingElse(): void {
    const segments: Segment[] = [];
    let faults = 0;
    for (let segment = this.mailbox.head; segment !== null; segment = segment.next) {
      if (segment.previous !== (segments.at(-1) ?? null)) faults++;
      if (kept(segment) !== segment.live || (segment.live === 0 && segment.next !== null)) faults++;
      segments.push(segment);
    }
    if (this.mailbox.tail !== (segments.at(-1) ?? null)) faults++;
    for (const segment of this.segments) {
      const isGone = !segments.includes(segment);
      if (isGone && (kept(segment) > 0 || segment.previous !== null || segment.next !== null)) faults++;
    }
    expect(faults).toBe(0);
    this.segments = segments;
  }

  private push(ofTag: number, ref: FreshKey | undefined): void {
    const letter = { tag: ofTag, ref, number: this.number++ };
    this.mailbox.push(letter);
    this.model.push(letter);
  }

  private refAt(at: number): FreshKey | undefined {
    return this.refs[this.refs.length - 1 - (at % Math.max(1, this.refs.length))];
  }

  /** Without a search, as a receive of a new reference does: it is the one that a search would find, or none. */
  private takeReply(ref: FreshKey): void {
    const first = this.mailbox.firstSince(ref) as Letter | undefined | typeof NOTHING;
    if (typeof first !== 'object' || first.ref !== ref) return;
    this.mailbox.removeFirstSince(ref);
    const at = this.model.findIndex((letter) => letter.ref === ref);
    expect(first).toBe(this.model.splice(at, 1)[0]);
  }

  private take(
    test: (letter: Letter) => boolean,
    keys: readonly unknown[],
    broad?: (letter: Letter) => boolean,
  ): void {
    const wide = broad === undefined ? undefined : matcher(broad, this.number >> 1);
    const [key] = keys as [Key];
    const searched = keys.length === 1 && this.number % 3 > 0 ? key : (keys as Keys); // alone or in a list is the same
    const found = this.mailbox.take({ ...matcher(test, this.number), broad: wide }, searched);
    const at = this.model.findIndex(test);
    expect(found).toBe(at < 0 ? NOTHING : this.model.splice(at, 1)[0]);
  }
}

/** How many messages the slots of a segment keep in memory. */
function kept(segment: Segment): number {
  return segment.slots.filter((slot) => typeof slot === 'object').length;
}

/** With a search of its own in every other case. */
function matcher(test: (letter: Letter) => boolean, number: number): Matcher {
  const takes = (message: unknown): boolean => {
    if (typeof message !== 'object') throw new Error('no message'); // user code sees messages only
    return test(message as Letter);
  };
  if (number % 2 === 0) return { takes };
  const firstIn = (slots: readonly unknown[], from: number, to: number): number => {
    for (let at = from; at < to; at++) if (typeof slots[at] === 'object' && takes(slots[at])) return at;
    return -1;
  };
  return { takes, firstIn };
}

describe('a mailbox', () => {
  it('B5 is what an array would be', () => {
    check(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const pair = new Pair();
        for (const one of steps) {
          pair.do(one);
          pair.agree();
        }
      }),
      { numRuns: 120 },
    );
  });
});
