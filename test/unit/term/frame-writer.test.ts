import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FRAGMENT_BYTES, MAX_SHAPES, Pid, Ref, TermDecoder } from '../../../ts/term/index.ts';
import { framesIn, Line, SEND, SHAPE, SLOT } from './frames.ts';
import { codeOf, same } from './outcome.ts';
import { refused, sendable } from './values.ts';
import { bytes, hex, vectors } from './vector-values.ts';

describe('values over a connection', () => {
  it.each(sendable)('B11 brings %s to the other side, again and again', (_name, make) => {
    const line = new Line();
    const value = make();
    const first = line.receive(line.send(value))[0];
    for (let time = 0; time < 40; time++) same(line.receive(line.send(value))[0], first);
  });

  it('B11 brings all of them over one connection', () => {
    const line = new Line();
    for (let time = 0; time < 3; time++) {
      for (const [, make] of sendable) {
        const value = make();
        same(line.receive(line.send(value))[0], arrived(value));
      }
    }
  });

  it('B11 keeps bytes of 64 MiB', () => {
    const line = new Line();
    const data = new Uint8Array(64 * 1024 * 1024);
    for (let at = 0; at < data.length; at += 4096) data[at] = at >>> 12;
    const [back] = line.receive(line.send({ data })) as [{ data: Uint8Array }];
    expect(Buffer.compare(back.data, data)).toBe(0);
  });
});

function arrived(value: unknown): unknown {
  const line = new Line();
  return line.receive(line.send(value))[0];
}

describe('long binaries', () => {
  const MIB = 1024 * 1024;

  it('are handed over as they are, in their places', () => {
    const { writer } = new Line();
    const first = new Uint8Array(MIB).fill(1);
    const second = new Float64Array(MIB / 8).fill(2);
    writer.begin(SEND);
    writer.term({ first, text: 'x'.repeat(400_000), second, last: new Uint8Array(9) });
    const parts = writer.end() ?? [];
    expect(parts.includes(first)).toBe(true);
    expect(parts.some((part) => part.buffer === second.buffer)).toBe(true);
    const body = Buffer.concat(parts).subarray(1);
    const line = new Line();
    line.decoder.defineShape(0, ['first', 'text', 'second', 'last']);
    const back = line.decoder.decode(body) as Record<string, Uint8Array>;
    expect(Object.keys(back)).toEqual(['first', 'text', 'second', 'last']);
    expect(
      isDeepStrictEqual(back, { first, text: 'x'.repeat(400_000), second, last: new Uint8Array(9) }),
    ).toBe(true);
  });

  it('are written once when the message has to start again', () => {
    const line = new Line();
    const value = [new Uint8Array(MIB), { ['k'.repeat(300)]: 1, data: new Uint8Array(MIB).fill(3) }];
    expect(isDeepStrictEqual(line.receive(line.send(value)), [value])).toBe(true);
  });

  it('M7 count for the limit', () => {
    const line = new Line({ maxMessage: 3 * MIB });
    const part = new Uint8Array(MIB);
    expect(codeOf(() => line.send([part, part, part]))).toBe('SNOW_ERR_TOO_LARGE');
    expect(isDeepStrictEqual(line.receive(line.send([part, part])), [[part, part]])).toBe(true);
  });

  it('B8 are refused when a getter takes their bytes away', () => {
    const line = new Line();
    const data = new Uint8Array(MIB);
    const hostile = {
      data,
      get theft() {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return 1;
      },
    };
    expect(codeOf(() => line.send(hostile))).toBe('SNOW_ERR_UNSENDABLE');
    expect(line.receive(line.send('next'))).toEqual(['next']);
  });

  it('become views of a frame that nobody else writes to, and copies of any other', () => {
    const { writer } = new Line();
    const data = new Uint8Array(MIB).fill(7);
    writer.begin(SEND);
    writer.term([data, new Uint8Array(70_000)]);
    const frame = Buffer.concat(writer.end() ?? []);
    const decoder = new TermDecoder();
    const [viewed, small] = decoder.decode(frame, 1, true) as [Uint8Array, Uint8Array];
    expect(Buffer.compare(viewed, data)).toBe(0);
    expect([viewed.buffer === frame.buffer, small.buffer === frame.buffer]).toEqual([true, false]);
    const [copied] = decoder.decode(frame, 1) as [Uint8Array];
    expect(Buffer.compare(copied, data)).toBe(0);
    expect(copied.buffer === frame.buffer).toBe(false);
  });
});

describe('shapes', () => {
  it('announces keys once, before the frame that uses them', () => {
    const line = new Line();
    line.send({ id: 1, name: 'a' });
    line.send({ id: 2, name: 'b' });
    const tags = framesIn(line.writer.chunk.subarray(0, line.writer.pending)).map(({ tag }) => tag);
    expect(tags).toEqual([SHAPE, SEND, SEND]);
    expect(line.receive()).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ]);
    expect(line.shapes).toEqual([['id', 'name']]);
  });

  it('tells apart the same keys in another order, and one list within the other', () => {
    const line = new Line();
    for (const value of [{ a: 1, b: 2 }, { b: 1, a: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }, {}, { a: 5 }]) {
      line.send(value);
      expect(Object.entries(line.receive()[0] as object)).toEqual(Object.entries(value));
    }
    expect(line.shapes).toEqual([['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c'], []]);
  });

  it('announces those of inner objects as well', () => {
    const line = new Line();
    line.send({ outer: [{ inner: { deep: 1 } }] });
    expect(line.receive()).toEqual([{ outer: [{ inner: { deep: 1 } }] }]);
    expect(line.shapes.toSorted()).toEqual([['deep'], ['inner'], ['outer']]);
  });

  it('writes objects beyond 4 096 shapes with their keys, and goes on with the shapes it knows', () => {
    const line = new Line();
    line.send({ known: 1 });
    for (let n = 0; n < MAX_SHAPES + 500; n++) {
      const value = { [`key${n}`]: n, nested: { [`other${n}`]: [n] } };
      line.send(value);
      expect(line.receive().at(-1)).toEqual(value);
    }
    expect(line.shapes).toHaveLength(MAX_SHAPES);
    line.send({ known: 2 });
    expect(framesIn(line.writer.chunk.subarray(0, line.writer.pending))[0]?.body.length).toBeLessThan(8);
    expect(line.receive()).toEqual([{ known: 2 }]);
  });

  it('writes objects of many keys with their keys, however they are nested', () => {
    const line = new Line();
    const wide = (inner: unknown): object => ({
      inner,
      ...Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`k${n}`, n])),
    });
    let value: unknown = { known: true };
    for (let level = 0; level < 20; level++) value = wide(value);
    for (let time = 0; time < 100; time++) expect(line.receive(line.send(value))).toEqual([value]);
    line.send({ fresh: 1 });
    expect(line.receive()).toEqual([{ fresh: 1 }]);
    expect(line.shapes).toContainEqual(['fresh']);
  });

  it('bounds what precedes one message', () => {
    const line = new Line();
    const many = Array.from({ length: 3000 }, (_, n) => ({ [`${'long key '.repeat(20)}${n}`]: n }));
    expect(line.receive(line.send(many))).toEqual([many]);
    expect(line.receive(line.send(many))).toEqual([many]);
  });

  it('B12 sends the key __proto__ as any other', () => {
    const line = new Line();
    const value = JSON.parse('{"__proto__":{"polluted":1}}') as object;
    for (let time = 0; time < 40; time++) {
      line.send(value);
      const [back] = line.receive() as [object];
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
      expect(Object.keys(back)).toEqual(['__proto__']);
      expect('polluted' in back).toBe(false);
    }
  });

  it('survives objects that change their keys while they are read', () => {
    const line = new Line();
    for (let time = 0; time < 5; time++) {
      const value: Record<string, unknown> = {
        get first() {
          delete value['second'];
          value['third'] = 3;
          return 1;
        },
        second: 2,
      };
      line.send(value);
      expect(line.receive()).toHaveLength(1);
    }
  });

  it('refuses a Map that grows while it is read', () => {
    const line = new Line();
    const map = new Map<string, unknown>();
    map.set('a', {
      get trap() {
        map.set(`k${map.size}`, 1);
        return 1;
      },
    });
    expect(codeOf(() => line.send(map))).toBe('SNOW_ERR_UNSENDABLE');
  });
});

describe('nodes', () => {
  it('announces a node number once, and the peer and ourselves never', () => {
    const line = new Line({ peer: 0x0205 });
    const pids = [new Pid(0, 1), new Pid(0x0205, 2), new Pid(0x0300, 3), new Pid(0x0300, 4)];
    line.send([pids, new Ref(0x0401, 1, 2)]);
    line.send(pids);
    same(line.receive(), [[pids, new Ref(0x0401, 1, 2)], pids]);
    expect(line.slots).toEqual([0x0300, 0x0401]);
  });

  it('announces the node of a PID that stands in the frame itself', () => {
    const line = new Line();
    const { writer } = line;
    writer.begin(SEND);
    writer.pid(new Pid(0x0700, 2 ** 40 - 1));
    writer.ref(new Ref(0x0800, 2 ** 39, 2 ** 53 - 1));
    expect(writer.end()).toBeUndefined();
    const frames = framesIn(writer.chunk.subarray(0, writer.pending));
    expect(frames.map(({ tag }) => tag)).toEqual([SLOT, SLOT, SEND]);
    expect(frames[2]?.body.toString('hex')).toBe('ffffffffff0007000000000080000800ffffffffffff1f00');
  });

  it('does not take a node for announced when nobody knows it', () => {
    const line = new Line({
      identityOf: (nc) => {
        throw new RangeError(`nobody is ${nc}`);
      },
    });
    for (let time = 0; time < 2; time++) expect(() => line.send(new Pid(5, 1))).toThrow(RangeError);
    line.send('fine');
    expect(line.receive()).toEqual(['fine']);
  });

  it('refuses a message with more new nodes than the chunk can announce, and takes it later', () => {
    const line = new Line();
    const pids = Array.from({ length: 5000 }, (_, n) => new Pid((n + 1) * 256, 1));
    const outcomes: (string | undefined)[] = [];
    for (let time = 0; time < 6; time++) {
      outcomes.push(codeOf(() => line.send(pids)));
      line.receive();
    }
    expect(outcomes[0]).toBe('SNOW_ERR_TOO_LARGE');
    expect(outcomes.at(-1)).toBeUndefined();
    expect(line.slots).toHaveLength(5000);
  });
});

describe('a message that fails in the middle', () => {
  it.each(refused)('B9 leaves nothing of %s behind but announcements', (_name, make, _path, code) => {
    const line = new Line();
    line.send('before');
    expect(codeOf(() => line.send([{ fresh: 1 }, new Pid(0x0900, 1), make()]))).toBe(code);
    line.send([{ fresh: 2 }, new Pid(0x0900, 2)]);
    same(line.receive(), ['before', [{ fresh: 2 }, new Pid(0x0900, 2)]]);
    expect(line.slots).toEqual([0x0900]);
  });

  it('leaves nothing behind when it had outgrown the chunk', () => {
    const line = new Line();
    const big = 'x'.repeat(300_000);
    for (let time = 0; time < 3; time++) {
      expect(codeOf(() => line.send([{ a: big, b: big }, () => 0]))).toBe('SNOW_ERR_UNSENDABLE');
      line.send({ a: 1, b: 2 });
    }
    expect(line.receive()).toEqual([
      { a: 1, b: 2 },
      { a: 1, b: 2 },
      { a: 1, b: 2 },
    ]);
    expect(line.shapes).toEqual([['a', 'b']]);
  });
});

describe('sizes', () => {
  it.each([0, 1, 1000, FRAGMENT_BYTES - 100, FRAGMENT_BYTES, 200_000, 300_000, 5_000_000])(
    'takes a message of %i bytes wherever the chunk stands',
    (size) => {
      const line = new Line();
      for (const before of [0, 10, 60_000, 120_000]) {
        const filler = new Uint8Array(before);
        expect(line.send(filler)).toBeUndefined();
        const value = { size, data: new Uint8Array(size).fill(7) };
        const big = line.send(value);
        expect(big !== undefined).toBe(size + 100 > FRAGMENT_BYTES);
        line.send('after');
        const received = line.receive(big);
        expect(received).toHaveLength(3);
        same(
          received.find((message) => (message as { size?: number })?.size === size),
          value,
        );
      }
    },
  );

  it('fills the chunk with frames of every size without losing one', () => {
    const line = new Line();
    const sent: string[] = [];
    const received: unknown[] = [];
    for (let n = 0; n < 3000; n++) {
      if (line.writer.pending > 128 * 1024) received.push(...line.receive());
      const text = 'y'.repeat((n * 7919) % 3000);
      sent.push(text);
      expect(line.send(text)).toBeUndefined();
    }
    received.push(...line.receive());
    expect(received).toEqual(sent);
  });

  it.each([100_000, 150_000, 1_000_000])(
    'M7 refuses messages beyond a limit of %i bytes, to the byte',
    (maxMessage) => {
      const line = new Line({ maxMessage });
      // tag, version, string tag, u32 length
      const most = 'x'.repeat(maxMessage - 7);
      line.receive(line.send(most));
      expect(codeOf(() => line.send(`${most}x`))).toBe('SNOW_ERR_TOO_LARGE');
      expect(codeOf(() => line.send(new Uint8Array(maxMessage * 3)))).toBe('SNOW_ERR_TOO_LARGE');
      line.send('fine');
      expect(line.receive()).toEqual(['fine']);
    },
  );

  it('M7 says the size and the limit', () => {
    const line = new Line({ maxMessage: 100_000 });
    expect(() => line.send(new Uint8Array(100_001))).toThrow(
      'A message of 100008 bytes or more exceeds the limit of 100000: split it, or raise maxMessage on all nodes.',
    );
  });

  it('begins no frame in a full chunk', () => {
    const line = new Line({ chunk: 64 });
    line.send(new Uint8Array(54));
    expect(() => line.writer.begin(SEND)).toThrow(RangeError);
  });
});

interface FrameVectors {
  readonly senderNc: number;
  readonly greeting: readonly { hex: string; senderNc: number; name: string; incarnation: string }[];
  readonly shapes: readonly string[];
  readonly accept: readonly { name: string; hex: string }[];
}

describe('the known answers', () => {
  const known = vectors<FrameVectors>('frames.json');
  const line = new Line({
    peer: 256,
    identityOf: (nc) => {
      const found = known.greeting.find(({ senderNc }) => senderNc === nc);
      if (found === undefined) throw new RangeError(`nobody is ${nc}`);
      return { name: found.name, incarnation: BigInt(found.incarnation) };
    },
  });
  const { writer } = line;
  const take = (): string => {
    const taken = hex(writer.chunk.subarray(0, writer.pending));
    writer.reset();
    return taken;
  };
  const decoder = new TermDecoder();

  it('announces shapes and nodes as the core does', () => {
    const objects = [{ id: 1, name: 2 }, {}, JSON.parse('{"__proto__":1}') as object];
    objects.forEach((object, index) => {
      line.send(object);
      expect(take().startsWith(known.shapes[index] as string)).toBe(true);
      decoder.defineShape(index, Object.keys(object));
    });
    for (const { hex: frame, senderNc } of known.greeting.slice(1)) {
      line.send(new Pid(senderNc, 1));
      expect(take().startsWith(frame)).toBe(true);
    }
  });

  const pidAt = (frame: Buffer, at: number): Pid =>
    new Pid(frame.readUIntLE(at + 5, 3), frame.readUIntLE(at, 5));
  const refAt = (frame: Buffer, at: number): Ref => {
    const { nc, local } = pidAt(frame, at);
    const id = frame.readBigUInt64LE(at + 8);
    return new Ref(nc, local, Number(id % 2n ** 53n), Number(id >> 53n));
  };

  it.each(known.accept.filter(({ name }) => /^(SEND|REG_SEND|ALIAS_SEND|LINK|UNLINK|EXIT2?)\b/.test(name)))(
    'writes $name as the core does',
    ({ name, hex: expected }) => {
      const frame = Buffer.from(bytes(expected));
      writer.begin(frame.readUInt8(4));
      let at = 5;
      const pid = (): void => {
        writer.pid(pidAt(frame, at));
        at += 8;
      };
      if (name.startsWith('REG_SEND')) {
        const length = frame.readUInt16LE(at);
        writer.name(frame.toString('utf8', at + 2, at + 2 + length));
        at += 2 + length;
      } else if (name.startsWith('ALIAS_SEND')) {
        writer.ref(refAt(frame, at));
        at += 16;
      } else {
        pid();
        if (!name.startsWith('SEND')) pid();
      }
      if (name.startsWith('UNLINK')) {
        writer.u64(frame.readBigUInt64LE(at));
        at += 8;
      }
      if (at < frame.length) writer.term(decoder.decode(frame, at));
      writer.end();
      expect(take()).toBe(expected);
    },
  );
});
