// The known answers of test/vectors, which the Rust core reads as well: both must agree byte for byte.
import { describe, expect, it } from 'vitest';
import { decodeTerm, encodeTerm, Pid, parsePid, TermDecoder } from '../../../ts/term/index.ts';
import { codeOf, same } from './outcome.ts';
import { bytes, hex, type TermVectors, toValue, vectors } from './vector-values.ts';

const terms = vectors<TermVectors>('terms.json');

interface PidVector {
  readonly bits: string;
  readonly nc: number;
  readonly local: number;
  readonly text: string;
}
const { pids } = vectors<{ pids: PidVector[] }>('pids.json');

function connected(): TermDecoder {
  const decoder = new TermDecoder();
  terms.shapes.forEach((keys, id) => decoder.defineShape(id, keys));
  return decoder;
}

const usesShapes = (value: unknown): boolean => JSON.stringify(value)?.includes('"shaped":') === true;

describe('accepted terms', () => {
  it.each(terms.accept)('reads $name', ({ hex: term, value }) => {
    same(connected().decode(bytes(term)), toValue(value, terms.shapes));
    if (!usesShapes(value)) same(decodeTerm(bytes(term)), toValue(value, terms.shapes));
  });

  it.each(terms.accept.filter(({ canonical }) => canonical))('writes $name', ({ hex: term, value }) => {
    expect(hex(encodeTerm(toValue(value, terms.shapes)))).toBe(term);
  });
});

describe('refused terms', () => {
  it.each(terms.reject)('refuses $name', ({ hex: term }) => {
    expect(codeOf(() => decodeTerm(bytes(term)))).toBe('SNOW_ERR_BAD_TERM');
  });
});

describe('PIDs', () => {
  it.each(pids)('packs and displays $text', ({ bits, nc, local, text }) => {
    const pid = new Pid(nc, local);
    expect(pid.toBigInt()).toBe(BigInt(bits));
    expect(pid.toString()).toBe(text);
    expect(pid.equals(parsePid(text))).toBe(true);
    const written = Buffer.from(encodeTerm(pid));
    expect(written.readBigUInt64LE(2)).toBe(BigInt(bits));
    expect(pid.equals(decodeTerm(written))).toBe(true);
  });
});
