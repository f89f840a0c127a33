// Short byte arrays that arrive: each is its receiver's own (B8), although they share memory.
import { describe, expect, it } from 'vitest';
import { copyTerm, FrameWriter, TermDecoder } from '../../../ts/term/index.ts';

const COUNT = 100;
const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) & 0xff);

/** What one connection delivers of one value after the other. */
function remote(): (value: Uint8Array) => Uint8Array {
  const writer = new FrameWriter(new Uint8Array(256 * 1024), {
    identityOf: () => ({ name: '', incarnation: 0n }),
  });
  const decoder = new TermDecoder();
  return (value) => {
    writer.reset();
    writer.begin(1);
    writer.term(value);
    writer.end();
    return decoder.decode(writer.chunk, 5) as Uint8Array;
  };
}

const WAYS = [
  ['sent in the node', () => copyTerm<Uint8Array>],
  ['of another node', remote],
] as const;

describe.each(WAYS)('B8 bytes %s', (_, open) => {
  it.each([0, 1, 64, 65, 100, 256, 257, 1000, 1024, 1025, 5000])('are their own: %d', (length) => {
    const arrive = open();
    const arrived = Array.from({ length: COUNT }, (_each, seed) => arrive(bytesOf(length, seed)));
    for (const [seed, bytes] of arrived.entries()) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(Buffer.compare(bytes, bytesOf(length, seed))).toBe(0);
      expect(bytes.byteOffset % 8).toBe(0);
      bytes.fill(seed);
    }
    for (const [seed, bytes] of arrived.entries())
      expect(Buffer.compare(bytes, new Uint8Array(length).fill(seed))).toBe(0);
  });

  it.each([
    [64, 64],
    [65, 2048],
    [256, 2048],
    [257, 8192],
    [1024, 8192],
    [1025, 1025],
  ])('of %d keep %d bytes of memory', (length, most) => {
    const arrive = open();
    const memory = new Set(Array.from({ length: COUNT }, () => arrive(bytesOf(length, 0)).buffer));
    for (const { byteLength } of memory) expect(byteLength).toBe(most);
    expect(memory.size).toBe(
      length > 64 && length < 1025 ? Math.ceil(COUNT / Math.floor(most / ((length + 7) & ~7))) : COUNT,
    );
  });

  it('cannot be given away together with others', () => {
    const arrive = open();
    const [first, second] = [arrive(bytesOf(100, 1)), arrive(bytesOf(100, 2))];
    expect(first.buffer).toBe(second.buffer);
    try {
      structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
    } catch {
      // Node 20 clones what cannot be given away, later ones refuse.
    }
    expect([first, second]).toEqual([bytesOf(100, 1), bytesOf(100, 2)]);
  });
});

it('B8 other views than Uint8Array have memory of their own', () => {
  const arrive = remote() as unknown as (value: Float32Array) => Float32Array;
  for (const send of [copyTerm<Float32Array>, arrive]) {
    const value = send(new Float32Array(50).fill(1));
    expect([value.byteOffset, value.buffer.byteLength]).toEqual([0, 200]);
  }
});
