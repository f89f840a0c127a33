// docs/rules.md is complete: every number that is cited anywhere has a rule, every rule has a test, every link leads to one.
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { citations, findCitations, findProofs, readRules } from '../scripts/rules.mjs';

interface Rule {
  readonly anchor: string;
  readonly text: string;
  readonly links: string | undefined;
}
interface Citation {
  readonly number: string;
  readonly file: string;
  readonly line: number;
}

const rules = readRules() as Map<string, Rule>;
const proofs = findProofs() as Map<string, readonly string[]>;

describe('docs/rules.md', () => {
  it('defines every rule that is cited', () => {
    const undefinedOnes = (findCitations() as Citation[]).filter(({ number }) => !rules.has(number));
    expect(undefinedOnes.map(({ number, file, line }) => `${number} in ${file}:${line}`)).toEqual([]);
  });

  it('has a test for every rule', () => {
    expect(rules.size).toBeGreaterThan(200);
    expect([...rules.keys()].filter((number) => !proofs.has(number))).toEqual([]);
  });

  it('links each rule to tests that prove it (`npm run rules` writes the links)', () => {
    const wrong = [...rules].filter(([number, { links = '' }]) => {
      const files = [...links.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
      return files.length === 0 || files.some((file) => proofs.get(number)?.includes(file) !== true);
    });
    expect(wrong.map(([number]) => number)).toEqual([]);
  });

  it('gives every rule the anchor of its number, once', () => {
    const anchors = [...rules.values()].map(({ anchor }) => anchor);
    expect(anchors).toEqual([...rules.keys()].map((number) => number.toLowerCase()));
  });
});

describe('a citation', () => {
  it.each([
    ['dead senders send nothing (A7)', ['A7']],
    ['A4, A7: crashes', ['A4', 'A7']],
    ['as in J5-J7', ['J5', 'J6', 'J7']],
    ['a u64, a Map<u8>, v1.2, #B1, 99%', []],
  ])('in %s is %s', (text, expected) => {
    expect(citations(text)).toEqual(expected);
  });
});
