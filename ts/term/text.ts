// Encodes and decodes short text without calling native code: such a call costs as much as some 60 characters.
import { UNSENDABLE } from './sendable.ts';

/**
 * Writes UTF-8 at `at`; the room of three bytes a character must be reserved. Returns the end position. For short text.
 *
 * Throws UNSENDABLE at a lone surrogate.
 */
export function writeUtf8(buffer: Uint8Array, text: string, at: number): number {
  const { length } = text;
  for (let index = 0; index < length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      buffer[at++] = code;
      continue;
    }
    if (code < 0x800) {
      buffer[at++] = 0xc0 | (code >>> 6);
    } else {
      if ((code & 0xf800) === 0xd800) {
        const low = code < 0xdc00 && index + 1 < length ? text.charCodeAt(++index) : 0;
        if ((low & 0xfc00) !== 0xdc00) throw UNSENDABLE;
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        buffer[at++] = 0xf0 | (code >>> 18);
        buffer[at++] = 0x80 | ((code >>> 12) & 0x3f);
      } else {
        buffer[at++] = 0xe0 | (code >>> 12);
      }
      buffer[at++] = 0x80 | ((code >>> 6) & 0x3f);
    }
    buffer[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** Longest text that {@link readAscii} reads. */
export const MAX_ASCII = 16;

const text = String.fromCharCode;
const CHARACTERS: readonly string[] = Array.from({ length: 128 }, (_, code) => text(code));

/**
 * The text of `length` ASCII bytes at `at`; undefined when one of them is not ASCII or there are more than
 * {@link MAX_ASCII}.
 *
 * Unrolled by hand: one call with all codes makes one string, while a loop would make one string for each character.
 */
export function readAscii(b: Uint8Array, at: number, length: number): string | undefined {
  if (length > 8) return readLonger(b, at, length);
  if (length === 0) return '';
  const c0 = b[at] as number;
  if (length === 1) return c0 < 0x80 ? CHARACTERS[c0] : undefined;
  const c1 = b[at + 1] as number;
  if (length === 2) return (c0 | c1) < 0x80 ? text(c0, c1) : undefined;
  const c2 = b[at + 2] as number;
  if (length === 3) return (c0 | c1 | c2) < 0x80 ? text(c0, c1, c2) : undefined;
  const c3 = b[at + 3] as number;
  let all = c0 | c1 | c2 | c3;
  if (length === 4) return all < 0x80 ? text(c0, c1, c2, c3) : undefined;
  const c4 = b[at + 4] as number;
  all |= c4;
  if (length === 5) return all < 0x80 ? text(c0, c1, c2, c3, c4) : undefined;
  const c5 = b[at + 5] as number;
  all |= c5;
  if (length === 6) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5) : undefined;
  const c6 = b[at + 6] as number;
  all |= c6;
  if (length === 7) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6) : undefined;
  const c7 = b[at + 7] as number;
  return (all | c7) < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7) : undefined;
}

function readLonger(b: Uint8Array, at: number, length: number): string | undefined {
  if (length > MAX_ASCII) return undefined;
  const c0 = b[at] as number;
  const c1 = b[at + 1] as number;
  const c2 = b[at + 2] as number;
  const c3 = b[at + 3] as number;
  const c4 = b[at + 4] as number;
  const c5 = b[at + 5] as number;
  const c6 = b[at + 6] as number;
  const c7 = b[at + 7] as number;
  const c8 = b[at + 8] as number;
  let all = c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7 | c8;
  if (length === 9) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8) : undefined;
  const c9 = b[at + 9] as number;
  all |= c9;
  if (length === 10) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9) : undefined;
  const ca = b[at + 10] as number;
  all |= ca;
  if (length === 11) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca) : undefined;
  const cb = b[at + 11] as number;
  all |= cb;
  if (length === 12) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb) : undefined;
  const cc = b[at + 12] as number;
  all |= cc;
  if (length === 13) return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb, cc) : undefined;
  const cd = b[at + 13] as number;
  all |= cd;
  if (length === 14)
    return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb, cc, cd) : undefined;
  const ce = b[at + 14] as number;
  all |= ce;
  if (length === 15)
    return all < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb, cc, cd, ce) : undefined;
  const cf = b[at + 15] as number;
  return (all | cf) < 0x80 ? text(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb, cc, cd, ce, cf) : undefined;
}
