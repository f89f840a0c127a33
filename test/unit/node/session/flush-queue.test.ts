// When frames that wait in chunks are passed to the native core.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FlushQueue } from '../../../../ts/node/session/flush-queue.ts';

afterEach(() => vi.restoreAllMocks());

function counter(): { flushes: number; flush: () => void } {
  const counting = { flushes: 0, flush: () => void counting.flushes++ };
  return counting;
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('frames in chunks', () => {
  it('are flushed in the next tick, once', async () => {
    const queue = new FlushQueue();
    const [one, two] = [counter(), counter()];
    queue.add(one);
    queue.add(two);
    expect([one.flushes, two.flushes]).toEqual([0, 0]);
    await nextTick();
    expect([one.flushes, two.flushes]).toEqual([1, 1]);
    queue.flush();
    expect([one.flushes, two.flushes]).toEqual([1, 1]);
    queue.add(one);
    await nextTick();
    expect([one.flushes, two.flushes]).toEqual([2, 1]);
  });

  it('wait for the end of a batch of messages, and ask for no tick', () => {
    const ticks = vi.spyOn(process, 'nextTick');
    const queue = new FlushQueue();
    const one = counter();
    queue.hold();
    queue.add(one);
    queue.flush();
    expect(one.flushes).toBe(1);
    queue.add(one);
    expect(one.flushes).toBe(1);
    queue.release();
    expect(one.flushes).toBe(2);
    expect(ticks).not.toHaveBeenCalled();
    queue.add(one);
    expect(ticks).toHaveBeenCalledTimes(1);
  });

  it('of one peer can be flushed before the others', async () => {
    const queue = new FlushQueue();
    const [one, two] = [counter(), counter()];
    queue.add(one);
    queue.add(two);
    queue.flushOne(one);
    expect([one.flushes, two.flushes]).toEqual([1, 0]);
    await nextTick();
    expect([one.flushes, two.flushes]).toEqual([1, 1]);
  });

  it('that a flush adds are flushed by it too', () => {
    const queue = new FlushQueue();
    const late = counter();
    queue.hold();
    queue.add({ flush: () => queue.add(late) });
    queue.release();
    expect(late.flushes).toBe(1);
  });
});
