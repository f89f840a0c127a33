import { describe, expect, it } from 'vitest';
import { readRecent } from '../../../ts/term/recent-texts.ts';

const encoder = new TextEncoder();

/** Reads `text` from the middle of other bytes. */
function read(text: string): string | undefined {
  const own = encoder.encode(text);
  const bytes = new Uint8Array(own.length + 8).fill(0xff);
  bytes.set(own, 4);
  return readRecent(bytes, new DataView(bytes.buffer), 4, own.length);
}

/** A whole number below `limit`, the same in every run. */
let state = 1;
const below = (limit: number): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1) % limit;

describe('readRecent', () => {
  it('reads every text of 0 to 16 ASCII characters as it is, however many others were read before', () => {
    // Few different characters, so that texts share their words and their slots; NUL is what unused words hold.
    const text = (length: number): string =>
      Array.from({ length }, () => ['\0', 'a', 'b', '\x7f'][below(4)]).join('');
    for (let round = 0; round < 20_000; round++) {
      const made = text(below(17));
      expect(read(made)).toBe(made);
      expect(read(made)).toBe(made);
    }
  });

  it('tells texts of different lengths apart whose words are the same', () => {
    for (let length = 0; length <= 16; length++)
      for (const character of ['\0', 'a'])
        expect(read(character.repeat(length))).toBe(character.repeat(length));
  });

  it('reads no text with a byte that is not ASCII, and none that is longer', () => {
    for (let length = 2; length <= 16; length++) {
      for (let at = 0; at <= length - 2; at++)
        expect(read(`${'a'.repeat(at)}é${'a'.repeat(length - 2 - at)}`)).toBeUndefined();
    }
    expect(read('a'.repeat(17))).toBeUndefined();
  });
});
