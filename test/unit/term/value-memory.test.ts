// The estimated memory of what a peer makes a node keep.
import { describe, expect, it } from 'vitest';
import { copyTerm, memoryOf, Pid, Ref, struct } from '../../../ts/term/index.ts';

const MANY = 20_000;
/** What a peer can send that takes the most memory for its bytes, and what is usual. */
const VALUES: Readonly<Record<string, (at: number) => unknown>> = {
  'small integers': (at) => at,
  fractions: (at) => at + 0.5,
  'short texts': (at) => `text ${at}`,
  'empty binaries': () => new Uint8Array(0),
  binaries: () => new Uint8Array(100),
  views: () => new Float64Array(4),
  'empty lists': () => [],
  lists: (at) => [at, [at]],
  'empty objects': () => ({}),
  objects: (at) => ({ id: at, name: `name ${at}`, more: { at } }),
  'objects of other keys': (at) => ({ [`key ${at}`]: at, [`other ${at}`]: at }),
  'empty sets': () => new Set(),
  sets: (at) => new Set([at, at + 1, at + 2]),
  'empty maps': () => new Map(),
  maps: (at) => new Map([[`key ${at}`, [at]]]),
  dates: (at) => new Date(at),
  bigints: (at) => 2n ** 200n + BigInt(at),
  pids: (at) => new Pid(256, at),
  references: (at) => new Ref(256, 1, at),
  structs: (at) => struct('point', { x: at, y: at }),
  errors: (at) => new RangeError(`error ${at}`, { cause: at }),
};

/** The least of some readings: in one of them V8 may have 200 KB of its own, which the next collection frees. */
function used(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  const readings = Array.from({ length: 4 }, () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  });
  return Math.min(...readings);
}

describe('memoryOf', () => {
  it.each(Object.entries(VALUES))('P7 of %s is at least half of what they take', (_what, make) => {
    const made = Array.from({ length: MANY }, (_, at) => make(at));
    const before = used();
    const copies = copyTerm(made) as unknown[];
    const taken = used() - before;
    expect(memoryOf(copies)).toBeGreaterThan(taken / 2);
    expect(copies).toHaveLength(MANY);
  });

  it('counts the contents of texts and binaries, also inside of containers', () => {
    const [text, bytes] = ['x'.repeat(1000), new Uint8Array(1000)];
    for (const value of [
      text,
      bytes,
      [text],
      { a: { b: bytes } },
      new Set([text]),
      new Map([[text, 1]]),
      new Map([[1, bytes]]),
      struct('s', { text }),
      new Error('e', { cause: text }),
      2n ** 8000n,
    ])
      expect(memoryOf(value)).toBeGreaterThanOrEqual(1000);
  });

  it('is nothing for a value that needs no memory of its own', () => {
    expect([undefined, null, true, 0, -1, 2 ** 30].map(memoryOf)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
