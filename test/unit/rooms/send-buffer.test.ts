// Waits for a client to read what it asked for: by events of its socket, not by looking again and again.
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { jsonFrame, Packet } from '../../../ts/rooms/frame.ts';
import { OutputBatch } from '../../../ts/rooms/output-batch.ts';
import { SendBuffer } from '../../../ts/rooms/send-buffer.ts';
import { portOf, type RoomSocket } from '../../../ts/rooms/socket-port.ts';
import { turns } from '../../support/deadline.ts';

/** The stream of a socket of `ws`: what is written stays until the client reads. */
class Stream extends Writable {
  readonly #unread: (() => void)[] = [];
  #isRead = false;

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#isRead) done();
    else this.#unread.push(done);
  }

  /** The client reads everything from now on. */
  read(): void {
    this.#isRead = true;
    for (const done of this.#unread) done();
  }
}

class ServerSocket extends EventEmitter {
  readonly _socket = stream;
  readonly _isServer = true;
  readonly _extensions = {};
}

const packet = (bytes: number): Packet => new Packet([jsonFrame('x'.repeat(bytes))]);
const owner = { terminate() {}, caughtUp() {} };
const listener = { dropped() {}, tooSlow() {} };
let stream: Stream;
let socket: ServerSocket;
/** Whether the wait has ended. */
let isRead: boolean;

beforeEach(() => {
  vi.spyOn(globalThis, 'setTimeout');
  stream = new Stream();
  socket = new ServerSocket();
  isRead = false;
});
afterEach(() => vi.restoreAllMocks());

function wait(bufferBytes: number, bytes: number): SendBuffer<typeof owner> {
  const output = new OutputBatch();
  const host = { ...listener, output, limits: { bufferBytes, slow: 'close' } as const };
  const buffer = new SendBuffer(portOf(socket as unknown as RoomSocket), host, owner);
  buffer.pushKept(packet(bytes));
  void buffer.untilRead().then(() => (isRead = true));
  return buffer;
}

it.each([
  ['more than the socket takes', 100, 100_000],
  ['less than the socket takes', 100, 1000],
])('R16 a client that has to read %s', async (_what, bufferBytes, bytes) => {
  const buffer = wait(bufferBytes, bytes);
  await turns();
  expect(isRead).toBe(false);
  stream.read();
  await turns();
  expect([isRead, buffer.waiting]).toEqual([true, 0]);
  expect(setTimeout).not.toHaveBeenCalled();
});

it('R16 a client that has less to read than may wait, and one whose connection ends', async () => {
  wait(10_000, 1000);
  await turns(1);
  expect(isRead).toBe(true);
  isRead = false;
  const buffer = wait(100, 1000);
  await turns();
  expect(isRead).toBe(false);
  buffer.close();
  await turns(1);
  expect(isRead).toBe(true);
});

it('R10 short messages count as much as they take in memory', () => {
  stream = new Stream({ highWaterMark: 1 });
  socket = new ServerSocket();
  const tooSlow = vi.fn();
  const limits = { bufferBytes: 10_000, slow: 'close' } as const;
  const host = { ...listener, tooSlow, output: new OutputBatch(), limits };
  const buffer = new SendBuffer(portOf(socket as unknown as RoomSocket), host, owner);
  buffer.push(packet(1));
  buffer.flush(); // the socket takes nothing more
  let count = 0;
  for (; tooSlow.mock.calls.length === 0; count++) buffer.pushKept(packet(1));
  expect(count).toBeLessThan(100);
});
