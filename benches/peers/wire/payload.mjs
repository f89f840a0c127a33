// The same messages as in benches/cluster/payload.ts.
const SIZES = { '16B': 16, '64B': 64, '1KiB': 1024, '64KiB': 65_536, '1MiB': 1_048_576 };

export function payloadOf(what) {
  const size = what.split('_').at(-1);
  if (size === 'map')
    return {
      bytes: undefined,
      message: (n) => ({ id: n, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: n * 0.5 }),
    };
  const body = Buffer.alloc(SIZES[size], 7);
  return { bytes: SIZES[size], message: (n) => ['msg', n, body] };
}

/** Messages that may be unacknowledged: at most 16 384, or 8 MiB of them, but at least 8. */
export const windowOf = (bytes = 90) =>
  Math.max(8, Math.min(16_384, 2 ** Math.floor(Math.log2((8 * 1_048_576) / bytes))));
