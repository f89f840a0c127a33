// The bytes of a batch as the receiver gets them: whose memory they are, and which session they came over.
import { expect, it } from 'vitest';
import { BatchReader, type EntryReceiver } from '../../../../ts/node/session/batch.ts';
import { EntryReader } from '../../../../ts/node/session/entry-reader.ts';
import { NativeEvent } from '../../../../ts/wire/index.ts';
import { Body } from '../scripted-native.ts';

it.each([
  ['a copy, when its memory is used for the next batch', false],
  ['a view, when its memory is that of the message alone', true],
])('the bytes of a room broadcast are %s', (_what, isAlone) => {
  const body = new Body()
    .u8(9)
    .u32(3)
    .bytes(Uint8Array.of(1, 2, 3))
    .u16(0x1234);
  const memory = new Uint8Array(body.done());
  const reader = new EntryReader(new Uint8Array(0)).reset(memory, 1, memory.length, isAlone);
  const blob = reader.blob();
  expect([blob, reader.u16(), reader.at]).toEqual([new Uint8Array([1, 2, 3]), 0x1234, reader.end]);
  memory.fill(7);
  expect([...blob]).toEqual(isAlone ? [7, 7, 7] : [1, 2, 3]);
  expect(blob.byteLength === blob.buffer.byteLength).toBe(!isAlone);
});

it('numbers are exact: above 2^53 they are bigints', () => {
  const values = [0n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n];
  const body = new Body();
  for (const value of values) body.u64(value);
  const bytes = body.u16(0xfffe).done();
  const reader = new EntryReader(bytes).reset(bytes, 0, bytes.length);
  const read = values.map(() => reader.u64());
  expect(read.map(BigInt)).toEqual(values);
  expect(read.map((value) => typeof value)).toEqual(['number', 'number', 'number', 'bigint', 'bigint']);
  expect(reader.u16()).toBe(0xfffe);
});

it('each entry of a batch comes with its session, of which there can be more than 256', () => {
  const heard: unknown[] = [];
  const faults: unknown[] = [];
  const receiver: Partial<EntryReceiver> = {
    frame: (id, tag, reader) => {
      heard.push([id, tag, reader.end - reader.at, reader.isAlone]);
      if (tag === 0x11) throw new Error('a fault');
    },
    frameLost: (id) => heard.push([id, 'lost']),
    drained: (id, pending) => heard.push([id, 'drained', pending]),
    fault: (error) => faults.push(error),
  };
  const entry = (id: number, tag: number, body: Body): Uint8Array => {
    const bytes = body.done();
    return new Body().u32(bytes.length).u8(tag).u8(0).u16(id).bytes(bytes).done();
  };
  const batch = new Body()
    .bytes(entry(0x0102, 0x10, new Body().u64(1n)))
    .bytes(entry(0xff00, 0x11, new Body()))
    .bytes(entry(3, NativeEvent.BIG, new Body().u32(1)))
    .bytes(entry(3, NativeEvent.BIG, new Body().u32(2)))
    .bytes(entry(0x0400, NativeEvent.WRITABLE, new Body().u32(5)))
    .bytes(entry(4, NativeEvent.NODE_FORGOTTEN + 1, new Body()))
    .done();
  const rx = new Uint8Array(batch.length + 100);
  rx.set(batch);
  const reader = new BatchReader(rx, receiver as EntryReceiver);
  reader.read(batch.length, [new Uint8Array(1), Uint8Array.of(0x12, 0, 1, 2, 3, 4, 5, 6, 7, 8)]);
  expect(heard).toEqual([
    [0x0102, 0x10, 8, false],
    [0xff00, 0x11, 0, false],
    [3, 0x12, 9, true],
    [3, 'lost'],
    [0x0400, 'drained', 5],
    [4, NativeEvent.NODE_FORGOTTEN + 1, 0, false],
  ]);
  expect(faults).toEqual([new Error('a fault')]);
});
