import { randomBytes } from 'node:crypto';
import { Ref } from './ref.ts';

const ROUNDS = 27;
const TWO_32 = 2 ** 32;
/** The upper half of an own id: below 2^53. */
const OWN_HIGH_LIMIT = 2 ** 21;
/** No reference has it. */
const NO_ID = 0;

/**
 * Encrypts the counter in references that leave a node: on the wire an id is the counter under a keyed permutation of 64 bits
 * (the block cipher Speck64/128). A peer that was not given a reference cannot guess its id.
 */
export class RefCipher {
  /** The halves of the last result. */
  low = 0;
  high = 0;
  readonly #keys = new Int32Array(ROUNDS);

  /** @param key 16 bytes; default: random ones. */
  constructor(key: Uint8Array = randomBytes(16)) {
    const words = new DataView(key.buffer, key.byteOffset, 16);
    const left = [words.getInt32(4, true), words.getInt32(8, true), words.getInt32(12, true)];
    let round = words.getInt32(0, true);
    for (let index = 0; index < ROUNDS; index++) {
      this.#keys[index] = round;
      const next = left[index % 3] as number;
      const mixed = (round + ((next >>> 8) | (next << 24))) ^ index;
      left[index % 3] = mixed;
      round = ((round << 3) | (round >>> 29)) ^ mixed;
    }
  }

  /** Encrypts an id. The result is in `low` and `high`. O(1). */
  encrypt(high: number, low: number): void {
    const keys = this.#keys;
    let x = high | 0;
    let y = low | 0;
    for (let index = 0; index < ROUNDS; index++) {
      x = (((x >>> 8) | (x << 24)) + y) ^ (keys[index] as number);
      y = ((y << 3) | (y >>> 29)) ^ x;
    }
    this.high = x >>> 0;
    this.low = y >>> 0;
  }

  /** Decrypts an id. The result is in `low` and `high`. O(1). */
  decrypt(high: number, low: number): void {
    const keys = this.#keys;
    let x = high | 0;
    let y = low | 0;
    for (let index = ROUNDS - 1; index >= 0; index--) {
      y ^= x;
      y = (y >>> 3) | (y << 29);
      x = ((x ^ (keys[index] as number)) - y) | 0;
      x = (x << 8) | (x >>> 24);
    }
    this.high = x >>> 0;
    this.low = y >>> 0;
  }

  /** Makes a received reference. A forged one of this node (`nc` 0) gets an id that no reference has. */
  receive(nc: number, local: number, high: number, low: number): Ref {
    if (nc !== 0) return foreignRef(nc, local, high, low);
    this.decrypt(high, low);
    return new Ref(0, local, this.high < OWN_HIGH_LIMIT ? this.high * TWO_32 + this.low : NO_ID);
  }
}

/** A reference of another node: all 64 bits are kept. */
export function foreignRef(nc: number, local: number, high: number, low: number): Ref {
  return new Ref(nc, local, (high % OWN_HIGH_LIMIT) * TWO_32 + low, high >>> 21);
}
