// What crosses between two nodes. benches/peers/wire/payload.mjs and the Erlang scripts send the same.
const SIZES: Readonly<Record<string, number>> = {
  '16B': 16,
  '64B': 64,
  '1KiB': 1024,
  '64KiB': 65_536,
  '1MiB': 1_048_576,
};
const WINDOW_BYTES = 8 * 1_048_576;
const MAP_BYTES = 90;

export interface Payload {
  /** Length of the binary; undefined for the map. */
  readonly bytes: number | undefined;
  /** Messages that may be on their way without an acknowledgement: bounded memory on both sides. */
  readonly window: number;
  readonly message: (n: number) => unknown;
}

export function payloadOf(what: string): Payload {
  if (what === 'map') {
    const message = (n: number) => ({ id: n, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: n * 0.5 });
    return { bytes: undefined, window: windowOf(MAP_BYTES), message };
  }
  const bytes = SIZES[what];
  if (bytes === undefined) throw new RangeError(`no payload ${what}`);
  const body = new Uint8Array(bytes).fill(7);
  return { bytes, window: windowOf(bytes), message: (n) => ['msg', n, body] };
}

/** A power of two, so that a quarter of it is a whole number. */
function windowOf(bytes: number): number {
  return Math.max(8, Math.min(16_384, 2 ** Math.floor(Math.log2(WINDOW_BYTES / bytes))));
}
