// Bytes from anywhere: a term or SNOW_ERR_BAD_TERM, never anything else (T1, T4); and every value comes back as it was (B11).
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTerm, encodeTerm } from '../../ts/index.ts';
import { check } from '../support/seed.ts';
import { same } from '../unit/term/outcome.ts';
import { bytes, type TermVectors, vectors } from '../unit/term/vector-values.ts';

const known = vectors<TermVectors>('terms.json');
const seeds = [...known.accept, ...known.reject]
  .map(({ hex }) => bytes(hex))
  .filter(({ length }) => length < 4096);

/** A known answer with some bytes changed, taken out or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'drop', 'put'), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    }),
  )
  .map(([seed, changes]) => {
    const changed = [...seed];
    for (const [place, how, byte] of changes) {
      const at = changed.length === 0 ? 0 : place % changed.length;
      changed.splice(at, how === 'put' ? 0 : 1, ...(how === 'drop' ? [] : [byte]));
    }
    return Uint8Array.from(changed);
  });

/** What became of some bytes: the value, or the code of the error. */
function outcome(data: Uint8Array): { value: unknown } | { code: unknown } {
  try {
    return { value: decodeTerm(data) };
  } catch (error) {
    return { code: (error as { code?: unknown }).code };
  }
}

function isTermOrRefused(data: Uint8Array): void {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  const read = outcome(data);
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before);
  if ('code' in read) {
    expect(read.code).toBe('SNOW_ERR_BAD_TERM');
    return;
  }
  // What was taken can be written, and means the same then.
  const written = encodeTerm(read.value);
  expect(Buffer.compare(encodeTerm(decodeTerm(written)), written)).toBe(0);
}

describe('bytes that claim to be a term', () => {
  it('T1 are one or are refused, when they are noise', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        isTermOrRefused(noise);
        isTermOrRefused(Uint8Array.of(2, ...noise)); // past the version
      }),
      { numRuns: 5000 },
    );
  });

  it('T1 are one or are refused, when they are nearly right', () => {
    check(fc.property(mutated, isTermOrRefused), { numRuns: 10_000 });
  });

  it('T4 cost no more memory than they have bytes, whatever they announce', () => {
    const announced = fc.tuple(
      fc.constantFrom(0x05, 0x09, 0x0a, 0x0b, 0x0c, 0x0e),
      fc.integer({ min: 2 ** 20, max: 2 ** 32 - 1 }),
    );
    check(
      fc.property(announced, ([tag, length]) => {
        const claim = Buffer.alloc(10);
        claim.set([2, tag]);
        claim.writeUInt32LE(length, 2);
        expect(outcome(claim)).toEqual({ code: 'SNOW_ERR_BAD_TERM' });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('values', () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: false,
    withNullPrototype: false,
    key: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'constructor', '')),
  } as fc.ObjectConstraints);

  it('B11 come back as they were', () => {
    check(
      fc.property(value, (given) => {
        const written = encodeTerm(given);
        expect(Buffer.compare(encodeTerm(decodeTerm(written)), written)).toBe(0);
        // Node.js 20 takes two invalid dates for different ones.
        if (!inspect(given, { depth: 50 }).includes('Invalid Date')) same(decodeTerm(written), given);
      }),
      { numRuns: 3000 },
    );
  });
});
