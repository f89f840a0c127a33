import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameWriter, Ref, RefCipher, TermDecoder } from '../../../ts/term/index.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index + 4 * Math.floor(index / 4));
const NEVER = (): never => {
  throw new Error('no node is announced');
};

it('is Speck64/128, as its authors tested it', () => {
  const cipher = new RefCipher(KEY);
  cipher.encrypt(0x3b726574, 0x7475432d);
  expect([cipher.high, cipher.low]).toEqual([0x8c6fa548, 0x454e028b]);
});

it('finds every own id again, and none of another key', () => {
  const [own, other] = [new RefCipher(), new RefCipher()];
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.nat(), (id, local) => {
      own.encrypt(Math.floor(id / 2 ** 32), id % 2 ** 32);
      const { high, low } = own;
      expect(own.receive(0, local, high, low)).toEqual(new Ref(0, local, id));
      expect(other.receive(0, local, high, low).id).not.toBe(id);
    }),
  );
});

it('keeps all 64 bits of a reference of another node', () => {
  const cipher = new RefCipher();
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (high, low) => {
      const ref = cipher.receive(5, 7, high, low);
      const writer = new FrameWriter(new Uint8Array(1000), { identityOf: NEVER, peer: 5, refs: cipher });
      writer.begin(1);
      writer.term(ref);
      const read = new TermDecoder({ refs: cipher }).decode(writer.chunk, 5) as Ref;
      expect(read.equals(ref)).toBe(true);
      expect(read.key).toBe(ref.key);
    }),
  );
  expect(cipher.receive(5, 7, 1 << 30, 1).equals(cipher.receive(5, 7, 0, 1))).toBe(false);
});

it('shows no counter on the wire', () => {
  const cipher = new RefCipher();
  const seen = new Set<number>();
  for (let id = 1; id <= 64; id++) {
    cipher.encrypt(0, id);
    seen.add(cipher.high);
  }
  expect(seen.size).toBeGreaterThan(60); // counters below 2^32 would all have the upper half 0
});
