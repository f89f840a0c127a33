// Short byte arrays of a message for many: each receiver's bytes are its own (B8), although copies lie side by side.
import { describe, expect, it } from 'vitest';
import { ByteCopies } from '../../../ts/term/index.ts';

const COUNT = 200;
const sourceOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 0xff);

describe.each([1, 64, 65, 100, 104, 1000, 1024, 1025, 5000])('B8 %d bytes', (length) => {
  it('are the same for all, and stay so when others write into theirs', () => {
    const source = sourceOf(length);
    const picture = source.slice();
    const copies = new ByteCopies(1000);
    const given = Array.from({ length: COUNT }, () => copies.of(source));
    for (const [at, copy] of given.entries()) {
      expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
      expect(Buffer.compare(copy, picture)).toBe(0);
      copy.fill(at);
    }
    for (const [at, copy] of given.entries())
      expect(Buffer.compare(copy, new Uint8Array(length).fill(at))).toBe(0);
    expect(Buffer.compare(source, picture)).toBe(0);
    expect(given.some((copy) => copy.buffer === source.buffer)).toBe(false);
  });

  it('can be looked at as wider numbers wherever they lie', () => {
    const copies = new ByteCopies(1000);
    for (let left = 100; left > 0; left--) expect(copies.of(sourceOf(length)).byteOffset % 8).toBe(0);
  });
});

it('B8 are made of the right source when a message has several, however many', () => {
  const sources = Array.from({ length: 9 }, (_, at) => new Uint8Array(100).fill(at));
  const copies = new ByteCopies(1000);
  for (let round = 0; round < COUNT; round++)
    for (const source of sources) expect(copies.of(source)).toEqual(source);
});

it('B8 cannot be given away together with those of others', () => {
  const copies = new ByteCopies(1000);
  const source = sourceOf(100);
  const [first, second] = [copies.of(source), copies.of(source)];
  expect(first.buffer).toBe(second.buffer);
  try {
    structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
  } catch {
    // Node 20 clones what cannot be given away, later ones refuse.
  }
  expect([first, second]).toEqual([source, source]);
});

it('P3 keep little memory alive: at most 8 KiB hang together', () => {
  const copies = new ByteCopies(1000);
  for (const length of [65, 333, 1024])
    for (let left = 20; left > 0; left--)
      expect(copies.of(sourceOf(length)).buffer.byteLength).toBeLessThanOrEqual(8192);
});

it('P3 keep no more memory alive than a few receivers need', () => {
  for (const receivers of [1, 2, 3]) {
    const copies = new ByteCopies(receivers);
    const source = sourceOf(100);
    for (let count = 0; count < receivers + 2; count++) {
      const copy = copies.of(source);
      expect(copy).toEqual(source);
      expect(copy.buffer.byteLength).toBeLessThanOrEqual(104 * receivers);
    }
  }
});
