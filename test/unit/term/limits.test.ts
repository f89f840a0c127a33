// What V8 cannot hold, or only at a cost out of proportion to its bytes, is refused where it is sent and where it arrives.
import { describe, expect, it } from 'vitest';
import { decodeTerm, encodeTerm, FrameWriter } from '../../../ts/term/index.ts';
import { colliding } from '../../support/colliding.ts';
import { codeOf } from './outcome.ts';

const LIST = 0x0a;
const u32 = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  value >>> 24,
];

/** A term: a list of `count` times the same bytes. */
function listOf(count: number, entry: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(6 + count * entry.length);
  bytes.set([2, LIST, ...u32(count)]);
  return bytes.fill(Buffer.from(entry), 6);
}

const CHOSEN = colliding(4096, 12);

describe('counts', () => {
  it('refuse a list of more entries than the limit, at both ends', () => {
    expect(codeOf(() => encodeTerm(new Array(2 ** 24 + 1).fill(0)))).toBe('SNOW_ERR_TOO_LARGE');
    expect(codeOf(() => decodeTerm(listOf(2 ** 24 + 1, [7])))).toBe('SNOW_ERR_BAD_TERM');
  });

  it('refuse small values that would fill the heap, at both ends', () => {
    const maps = new Array(5_600_000).fill(new Map());
    expect(codeOf(() => encodeTerm(maps))).toBe('SNOW_ERR_TOO_LARGE');
    expect(codeOf(() => decodeTerm(listOf(5_600_000, [0x0b, 0, 0, 0, 0])))).toBe('SNOW_ERR_BAD_TERM');
  }, 60_000);

  it('pass a long message of honest data', () => {
    const row = { id: 1, name: 'x', tags: ['a', 'b'], at: new Date(0) };
    const rows = new Array(300_000).fill(row);
    const writer = new FrameWriter(new Uint8Array(1024 * 1024), {
      identityOf: () => ({ name: '', incarnation: 1n }),
    });
    writer.begin(0x10);
    writer.term([rows, new Uint8Array(1_000_000)]);
    expect(writer.end()?.length).toBeGreaterThan(0);
  });
});

describe('bigints', () => {
  it('of 1 MiB pass, longer ones are refused at both ends', () => {
    const largest = 2n ** (8n * 2n ** 20n) - 1n;
    expect(decodeTerm(encodeTerm(largest))).toBe(largest);
    expect(codeOf(() => encodeTerm(largest + 1n))).toBe('SNOW_ERR_TOO_LARGE');
    const longer = Buffer.alloc(2 + 5 + 2 ** 20 + 1, 1);
    longer.set([2, 0x08, 0, ...u32(2 ** 20 + 1)]);
    expect(codeOf(() => decodeTerm(longer))).toBe('SNOW_ERR_BAD_TERM');
  });
});

describe('keys chosen to collide', () => {
  const bytes = (keys: readonly number[]): Uint8Array =>
    Buffer.from([2, 0x0c, ...u32(keys.length), ...keys.flatMap((key) => [0x22, ...u32(key)])]);

  it.each([
    ['a Set', () => new Set(CHOSEN)],
    ['a Map', () => new Map(CHOSEN.map((key) => [key, 0]))],
    ['bigints with the same low 64 bits', () => new Set(CHOSEN.map((key) => (BigInt(key) << 64n) + 5n))],
  ])('are refused in %s where they are sent', (_, value) => {
    expect(codeOf(() => encodeTerm(value()))).toBe('SNOW_ERR_UNSENDABLE');
  });

  it('are refused where they arrive', () => {
    expect(codeOf(() => decodeTerm(bytes(CHOSEN)))).toBe('SNOW_ERR_BAD_TERM');
    expect((decodeTerm(bytes(CHOSEN.slice(0, 1000))) as Set<number>).size).toBe(1000);
  });

  it('count together for a whole message', () => {
    const thousand = new Set(CHOSEN.slice(0, 1000));
    expect(codeOf(() => encodeTerm([thousand]))).toBeUndefined();
    expect(codeOf(() => encodeTerm(new Array(20).fill(thousand)))).toBe('SNOW_ERR_UNSENDABLE');
  });

  it.each([
    ['multiples of a page', (index: number) => index * 4096],
    ['halves', (index: number) => index + 0.5],
    ['times', (index: number) => 1.7e12 + index * 1000],
    ['texts', (index: number) => `${index * 65_536}`],
    ['bigints', (index: number) => BigInt(index) << 20n],
  ])('are not seen in %s', (_, key) => {
    const keys = new Set<unknown>(Array.from({ length: 20_000 }, (__, index) => key(index)));
    expect((decodeTerm(encodeTerm(keys)) as Set<unknown>).size).toBe(20_000);
  });
});
