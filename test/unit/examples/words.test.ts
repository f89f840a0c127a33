import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_WORD, partitionOf, WordSplitter } from '../../../examples/word-count/words.ts';
import { check } from '../../support/seed.ts';

function wordsOf(...pieces: string[]): string[] {
  const splitter = new WordSplitter();
  const words: string[] = [];
  for (const piece of pieces) splitter.push(piece, (word) => words.push(word));
  splitter.end((word) => words.push(word));
  return words;
}

describe('WordSplitter', () => {
  it('takes letters, marks, digits and inner apostrophes, in lower case', () => {
    expect(wordsOf(`Don't stop: l’été, "utf8" & 数据! 'quoted' 3.14 naïve`)).toEqual([
      "don't",
      'stop',
      'l’été',
      'utf8',
      '数据',
      'quoted',
      '3',
      '14',
      'naïve',
    ]);
  });

  it('brings both spellings of an accent into one form', () => {
    expect(wordsOf('caf\u0065\u0301 caf\u00e9')).toEqual(['café', 'café']);
  });

  it('puts a word together that is cut between two pieces, at an apostrophe too', () => {
    expect(wordsOf('wo', 'rd don', "'t rock'", "n'roll e", '\u0301t')).toEqual([
      'word',
      "don't",
      "rock'n'roll",
      'ét',
    ]);
  });

  it('leaves out what is too long to be a word, without keeping it in memory', () => {
    expect(wordsOf(`a ${'f'.repeat(LONGEST_WORD)} ${'0'.repeat(LONGEST_WORD + 1)} b`)).toEqual([
      'a',
      'f'.repeat(LONGEST_WORD),
      'b',
    ]);
    expect(wordsOf('a ', ...Array.from({ length: 1000 }, () => 'ab12'), ' b')).toEqual(['a', 'b']);
  });

  it('finds the same words however the text is cut', () => {
    const alphabet = fc.constantFrom(
      'a',
      'Z',
      'é',
      '\u0301',
      '’',
      "'",
      ' ',
      '-',
      '7',
      '𝒳',
      '数',
      'x'.repeat(150),
    );
    const property = fc.property(
      fc.array(fc.string({ unit: alphabet, maxLength: 6 }), { maxLength: 12 }),
      (pieces) => {
        expect(wordsOf(...pieces)).toEqual(wordsOf(pieces.join('')));
      },
    );
    check(property, { numRuns: 1000 });
  });
});

describe('partitionOf', () => {
  it('always sends a word to the same counter, and spreads words over all of them', () => {
    const hit = new Set(Array.from({ length: 1000 }, (_, n) => partitionOf(`word${n}`, 12)));
    expect(hit).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    expect(partitionOf('sámi', 7)).toBe(partitionOf('sámi', 7));
  });
});
