// What native code holds of JavaScript stays alive, and what it no longer needs is given back.
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../bindings/index.ts';
import { hasSignals } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { bigFrame, COOKIE, NativeEvent, RawNode } from './raw-node.ts';

const open: RawNode[] = [];
const start = (name: string): RawNode => {
  const node = new RawNode({ name: `${name}@127.0.0.1:0` });
  open.push(node);
  return node;
};
const collect = (): void => {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  gc();
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()));
});

describe('memory', () => {
  it('buffers that JavaScript has forgotten are still used safely', async () => {
    const a = start('a');
    let seen = 0;
    const b = ((): { handle: number; port: number; name: string } => {
      // Nobody but native code holds this node's buffer and callback.
      const { native } = a;
      const rx = new Uint8Array(640 * 1024);
      const options = { name: 'b@127.0.0.1:0', listenHost: '127.0.0.1', listenPort: 0, cookie: COOKIE };
      const handle = native.open(options, rx, (bytes) => {
        seen += bytes;
        return 0;
      });
      return { handle, port: native.port(handle), name: `b@127.0.0.1:${native.port(handle)}` };
    })();
    collect();
    const peer = await a.connect(b.name, b.port);
    for (let round = 0; round < 50; round++) {
      a.send(peer, round);
      if (round % 10 === 0) collect();
    }
    await until('all arrived', () => a.native.stats(b.handle).framesIn === 50 && seen > 50 * 22);
    a.native.close(b.handle);
    await a.down(peer.session);
  });

  it('a call that is refused holds neither its buffer nor its callback', async () => {
    const { native, handle } = start('a');
    const options = { name: 'b@127.0.0.1:0', listenHost: '127.0.0.1', listenPort: 0, cookie: COOKIE };
    const long = 64 * 1024;
    const refused: [string, number, (rx: Uint8Array, onBatch: () => number) => void][] = [
      ['a short buffer', 9, (rx, onBatch) => native.open(options, rx, onBatch)],
      ['a weak cookie', long, (rx, onBatch) => native.open({ ...options, cookie: 'x' }, rx, onBatch)],
      [
        'a taken port',
        long,
        (rx, onBatch) => native.open({ ...options, listenPort: native.port(handle) }, rx, onBatch),
      ],
      ['no such node', long, (rx, onBatch) => native.attach(handle + 1, rx, onBatch)],
      ['a short buffer of a lane', 9, (rx, onBatch) => native.attach(handle, rx, onBatch)],
      ['no callback', long, (rx) => native.open(options, rx, 0 as never)],
    ];
    const held = refused.map(([what, bytes, call]) => {
      const rx = new Uint8Array(bytes);
      const onBatch = (): number => rx.length;
      expect(() => call(rx, onBatch)).toThrow(
        expect.objectContaining({ code: expect.any(String) as string }) as Error,
      );
      return { what, rx: new WeakRef(rx), onBatch: new WeakRef(onBatch) };
    });
    const left = (): string[] =>
      held.filter(({ rx, onBatch }) => (rx.deref() ?? onBatch.deref()) !== undefined).map(({ what }) => what);
    await nextTurn();
    await nextTurn();
    collect();
    expect(left()).toEqual([]);
  });

  it.runIf(hasSignals)(
    'a signal watchdog that was armed and disarmed leaves no file open but its pipe',
    () => {
      const { armSignalWatchdog, disarmSignalWatchdog } = loadNative();
      const openAfter = (rounds: number): number => {
        for (let round = 0; round < rounds; round++) {
          armSignalWatchdog([constants.signals.SIGUSR2], Number.POSITIVE_INFINITY);
          disarmSignalWatchdog();
        }
        return readdirSync('/dev/fd').length;
      };
      const once = openAfter(1);
      expect(openAfter(50)).toBeLessThanOrEqual(once); // nodes of other tests may still be closing theirs
    },
  );

  it('two hundred sessions and their chunks leave no growth behind', async () => {
    const a = start('a');
    const grow = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round++) {
        const b = new RawNode({ name: 'b@127.0.0.1:0' });
        const peer = await b.connect(a.name, a.port);
        b.send(peer, round);
        await b.close();
        a.entries.length = 0;
      }
      collect();
      return process.memoryUsage().rss;
    };
    await grow(50);
    const before = await grow(50);
    const after = await grow(150);
    // A leaked buffer pair alone would be 130 MiB; the allocator's own mood is some 20.
    expect((after - before) / 1024 / 1024).toBeLessThan(60);
  });

  it('long messages leave no growth behind', async () => {
    const [a, b] = [start('a'), start('b')];
    let taken = 0;
    a.onEntry = (entry) => {
      if (entry.tag === NativeEvent.BIG) taken++;
      return entry.tag !== NativeEvent.BIG;
    };
    const peer = await b.connect(a.name, a.port);
    const frame = bigFrame(peer.nc, 1, 4 * 1024 * 1024);
    const send = async (count: number): Promise<number> => {
      const wanted = taken + count;
      for (let sent = 0; sent < count; sent++) {
        b.native.bulk(b.handle, peer.session, 3, [frame]);
        if (sent % 4 === 3) await until('room', () => b.stats.outboxBytes < 8 * 1024 * 1024);
      }
      await until('all taken', () => taken === wanted);
      collect();
      return process.memoryUsage().rss;
    };
    await send(20);
    const before = await send(20);
    const after = await send(100);
    expect((after - before) / 1024 / 1024).toBeLessThan(80);
  });
});
