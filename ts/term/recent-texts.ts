// The short texts that were read last. Messages repeat their tags, names and states; finding a text again costs a third of making it, and
// leaves no garbage.
import { MAX_ASCII, readAscii } from './text.ts';

const SLOT_BITS = 9;
/** 32-bit words that identify a text together with its length: the first and the last eight bytes, which overlap if it is shorter. */
const WORDS = 4;

const words = new Int32Array(WORDS << SLOT_BITS);
const texts: string[] = new Array<string>(1 << SLOT_BITS).fill('');

/** The text of `length` ASCII bytes at `at`; undefined as {@link readAscii}. `bytes` and `view` are the same memory. */
export function readRecent(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
): string | undefined {
  if (length < 2 || length > MAX_ASCII) return readAscii(bytes, at, length);
  let a: number;
  let b = 0;
  let c = 0;
  let d = 0;
  if (length >= 8) {
    a = view.getInt32(at, true);
    b = view.getInt32(at + 4, true);
    c = view.getInt32(at + length - 8, true);
    d = view.getInt32(at + length - 4, true);
  } else if (length >= 4) {
    a = view.getInt32(at, true);
    b = view.getInt32(at + length - 4, true);
  } else {
    // The first, the middle and the last byte of two or three.
    a =
      (bytes[at] as number) |
      ((bytes[at + (length >>> 1)] as number) << 8) |
      ((bytes[at + length - 1] as number) << 16);
  }
  const slot = slotOf(a, b, c, d);
  const first = slot * WORDS;
  const text = texts[slot] as string;
  const isSame =
    words[first] === a && words[first + 1] === b && words[first + 2] === c && words[first + 3] === d;
  if (isSame && text.length === length) return text;
  const made = readAscii(bytes, at, length);
  if (made === undefined) return undefined;
  words[first] = a;
  words[first + 1] = b;
  words[first + 2] = c;
  words[first + 3] = d;
  texts[slot] = made;
  return made;
}

/** A peer that sends texts of one slot makes each of them anew, which costs what it would without the slots. */
function slotOf(a: number, b: number, c: number, d: number): number {
  const mixed = a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca77) ^ Math.imul(d, 0xc2b2ae3d);
  return Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f) >>> (32 - SLOT_BITS);
}
