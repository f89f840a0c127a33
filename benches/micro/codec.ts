// Terms to bytes and back, as on a connection whose shapes have been announced.
import { FrameWriter, TermDecoder } from '../../ts/term/index.ts';
import type { BenchCase, Figure, Round, Settings } from '../harness.ts';

const SEND = 0x10;
const SHAPE = 0x31;
const HEADER = 5;

/** benches/peers/codec.mjs has the same. */
const values: Readonly<Record<string, () => unknown>> = {
  map: () => ({ id: 123_456, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: 61_728.5 }),
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
  ints_2500: () => Array.from({ length: 2500 }, (_, n) => (n * 7919) & 0xffffff),
};

export const codec: readonly BenchCase[] = Object.keys(values).map((name) => ({
  name: `micro/codec_${name}`,
  about: 'One value encoded into a frame, and decoded; bytes of the term.',
  rivals: { node: { case: name, rivals: ['msgpackr'] } },
  open: (settings) => ({ round: () => roundTrip(settings, values[name]?.()) }),
}));

function roundTrip(settings: Settings, value: unknown): Round {
  const identityOf = (): never => {
    throw new Error('no PIDs here');
  };
  const writer = new FrameWriter(new Uint8Array(256 * 1024), { identityOf });
  const decoder = new TermDecoder();
  const encode = (): number => {
    writer.reset();
    writer.begin(SEND);
    writer.term(value);
    writer.end();
    return writer.pending;
  };
  encode();
  learnShapes(writer, decoder);
  const bytes = encode() - HEADER;
  const frame = writer.chunk.slice(0, HEADER + bytes);
  return {
    encode: perOperation(settings, encode),
    decode: perOperation(settings, () => (decoder.decode(frame, HEADER) === undefined ? 0 : 1)),
    size: { value: bytes, unit: 'bytes' },
  };
}

/** Reads the announcements that stand before the first frame, as the receiving side does. */
function learnShapes(writer: FrameWriter, decoder: TermDecoder): void {
  const view = Buffer.from(writer.chunk.buffer, 0, writer.pending);
  for (let at = 0; at < view.length; at += 4 + view.readUInt32LE(at)) {
    if (view[at + 4] !== SHAPE) continue;
    const keys: string[] = [];
    let key = at + HEADER + 4;
    for (let left = view.readUInt16LE(at + HEADER + 2); left > 0; left--) {
      const end = key + 2 + view.readUInt16LE(key);
      keys.push(view.toString('utf8', key + 2, end));
      key = end;
    }
    decoder.defineShape(view.readUInt16LE(at + HEADER), keys);
  }
}

/** Sums up what the measured code gives, so that it cannot be left out. */
let sink = 0;

/** The time of one `work()`, over half a round. Unit: nanoseconds. */
export function perOperation(settings: Settings, work: () => number): Figure {
  for (let count = 64; ; count *= 2) {
    const start = performance.now();
    for (let n = 0; n < count; n++) sink += work();
    const seconds = (performance.now() - start) / 1000;
    if (seconds < settings.roundSeconds / 2) continue;
    if (sink === Number.POSITIVE_INFINITY) throw new Error('unreachable');
    return { value: (seconds * 1e9) / count, unit: 'ns/op' };
  }
}
