// msgpackr with shared record structures, its fastest mode on a connection.
import { Packr } from 'msgpackr';

const values = {
  map: () => ({ id: 123456, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: 61728.5 }),
  nested: () => ({
    kind: 'call',
    args: [1, 'two', true, null],
    meta: { ttl: 5000, trace: 'abcdef0123456789' },
    list: [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ],
  }),
  text_1KiB: () => 'abcdefghijklmnop'.repeat(64),
  bytes_64B: () => new Uint8Array(64).fill(7),
  ints_2500: () => Array.from({ length: 2500 }, (_, i) => (i * 7919) & 0xffffff),
};

let sink = 0;
function perOperation(work, roundSeconds) {
  let n = 64;
  for (;;) {
    const t = performance.now();
    for (let i = 0; i < n; i++) sink += work() ? 1 : 0;
    const seconds = (performance.now() - t) / 1000;
    if (seconds > roundSeconds / 2) return (seconds * 1e9) / n;
    n *= seconds < roundSeconds / 16 ? 4 : 2;
  }
}

export function codec(kase, roundSeconds) {
  const value = values[kase]();
  const packr = new Packr({ structures: [] });
  const bytes = Uint8Array.prototype.slice.call((packr.pack(value), packr.pack(value)));
  const buffer = Buffer.from(bytes);
  return {
    encode: { value: perOperation(() => packr.pack(value), roundSeconds), unit: 'ns/op' },
    decode: { value: perOperation(() => packr.unpack(buffer), roundSeconds), unit: 'ns/op' },
    size: { value: bytes.length, unit: 'bytes' },
  };
}
