import { describe, expect, it } from 'vitest';
import { MAX_STREAMS, Streams } from '../../../../ts/node/session/streams.ts';

describe('the streams of a session', () => {
  it('B1 keeps a sender on its stream until all its frames have left', () => {
    const streams = new Streams();
    const stream = streams.enter(7, 1);
    expect(streams.enter(7, 1)).toBe(stream);
    expect(streams.has(7)).toBe(true);
    expect(streams.has(8)).toBe(false);
    streams.done(stream, 1);
    expect(streams.has(7)).toBe(true);
    streams.done(stream, 1);
    expect(streams.has(7)).toBe(false);
    expect(streams.isEmpty).toBe(true);
  });

  it('B1 does not take the end of earlier frames for the end of a frame queued meanwhile', () => {
    const streams = new Streams();
    const stream = streams.enter(7, 1);
    streams.enter(7, 1); // queued after the native side drained the first, before word of it came
    streams.done(stream, 1);
    expect(streams.has(7)).toBe(true);
    streams.done(stream, 1);
    expect(streams.has(7)).toBe(false);
  });

  it('gives different senders different streams, and a number again once it is free', () => {
    const streams = new Streams();
    const first = streams.enter(1, 1);
    const second = streams.enter(2, 1);
    expect(second).not.toBe(first);
    streams.done(first, 1);
    expect(streams.enter(3, 1)).toBe(first);
    expect(streams.has(2)).toBe(true);
  });

  it('opens a bounded number and shares them beyond', () => {
    const streams = new Streams();
    const ids = new Set<number>();
    for (let sender = 1; sender <= MAX_STREAMS * 3; sender++) ids.add(streams.enter(sender, 1));
    expect(ids.size).toBe(MAX_STREAMS);
    const shared = streams.enter(MAX_STREAMS + 1, 1);
    expect(streams.enter(MAX_STREAMS + 1, 1)).toBe(shared);
    for (const id of ids) streams.done(id, 5);
    expect(streams.isEmpty).toBe(true);
    expect(streams.has(MAX_STREAMS + 1)).toBe(false);
  });

  it('ignores reports of a stream it does not have', () => {
    const streams = new Streams();
    streams.done(9, 1);
    expect(streams.isEmpty).toBe(true);
  });
});
