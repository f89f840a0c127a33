// A node whose event loop does not turn is slow, not dead: its ticks, reads and writes go on natively (L13, V7).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';

let cluster: Cluster;
let folder: string;
/** A blocked event loop turns again when this file is there. */
let go: string;
beforeEach(() => {
  cluster = new Cluster();
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-stall-'));
  go = join(folder, 'go');
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

/** What is promised for the defaults, and ticks that make it soon. */
const STALLS = [
  { tickMs: 100, downMs: 2000 },
  { tickMs: 5000, downMs: 20_000 },
] as const;

/** The event loop stands still, in the middle of this step, until the file is there. */
const block = (_bench: Workbench, file: string): void => {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(file)) Atomics.wait(nothing, 0, 0, 20);
};

/**
 * Waits until more ticks have come from the only peer than it sends in its `downMs`, a PING and a PONG each interval: so long
 * it has been heard of.
 */
async function outlast(
  node: ClusterNode,
  { tickMs, downMs }: { tickMs: number; downMs: number },
): Promise<void> {
  const tickBytes = 4 + 1 + 8 + 4;
  const most = (2 * downMs) / tickMs;
  await node.runFor(
    110_000,
    async (bench, bytes) => {
      const heard = (): number => bench.node.stats().native?.bytesIn ?? 0;
      const before = heard();
      await bench.until('ticks for longer than the limit', () => heard() - before > bytes, 100_000);
    },
    most * tickBytes,
  );
}

describe('a blocked event loop', () => {
  it.each(STALLS)(
    'L13, V7 for longer than $downMs ms costs no session and no message, and is told as stalled and recovered',
    { timeout: 240_000 },
    async (ticks) => {
      const [a, b] = (await cluster.nodes({ name: 'a', ...ticks }, { name: 'b', ...ticks })) as [
        ClusterNode,
        ClusterNode,
      ];
      await b.run(async (bench) => void (bench.box['probe'] = await bench.probe('inbox')));
      await a.run(async (bench, peer) => {
        const probe = await bench.probe();
        bench.node.monitorNodes(probe.pid);
        bench.box['probe'] = probe;
        await bench.node.connect(peer);
      }, b.name);
      await b.run((bench) => bench.event('nodeup'));
      const blocked = b.runFor(200_000, block, go);
      await a.run((bench) => bench.event('stalled', 1));
      await a.run((bench, peer) => {
        for (let number = 0; number < 5000; number++) bench.node.send({ name: 'inbox', node: peer }, number);
      }, b.name);
      await outlast(a, ticks);
      writeFileSync(go, '');
      await blocked;
      const seen = await b.run(async (bench) => {
        const numbers = (await bench.box['probe'].count(5000)) as number[];
        return {
          inOrder: numbers.every((number, index) => number === index),
          downs: bench.seen('nodedown').length,
        };
      });
      expect(seen).toEqual({ inOrder: true, downs: 0 });
      await a.run((bench) => bench.event('recovered'));
      const story = await a.run(async (bench) => ({
        downs: bench.seen('nodedown').length,
        notices: (await bench.box['probe'].count(3)).map((notice: object) => notice.constructor.name),
      }));
      expect(story.downs).toBe(0);
      expect(story.notices.slice(0, 3)).toEqual(['NodeUp', 'NodeStalled', 'NodeRecovered']);
    },
  );

  it('V7 of the sender delays what it sent before, and loses nothing', async () => {
    const ticks = STALLS[0];
    const [a, b] = (await cluster.nodes({ name: 'a', ...ticks }, { name: 'b', ...ticks })) as [
      ClusterNode,
      ClusterNode,
    ];
    await b.run(async (bench) => void (bench.box['probe'] = await bench.probe('inbox')));
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    await b.run((bench) => bench.event('nodeup'));
    const blocked = a.run(
      (bench, peer, file) => {
        const { existsSync } = process.getBuiltinModule('node:fs');
        for (let number = 0; number < 1000; number++) bench.node.send({ name: 'inbox', node: peer }, number);
        const nothing = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(file)) Atomics.wait(nothing, 0, 0, 20);
      },
      b.name,
      go,
    );
    await b.run((bench) => bench.event('stalled'));
    await outlast(b, ticks);
    writeFileSync(go, '');
    await blocked;
    const numbers = await b.run((bench) => bench.box['probe'].count(1000));
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(await b.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});

describe('a frozen process', () => {
  it('L11, L12 is declared down inside the band although its socket is open, and comes back', async () => {
    const options = { tickMs: 400, downMs: 2000 };
    const [a, b] = await cluster.nodes({ name: 'a', ...options }, { name: 'b', ...options });
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    b!.freeze();
    const { cause, ticks } = await a!.run(async (bench) => {
      const sent = (): number => (bench.node.stats().native?.bytesOut ?? 0) / (4 + 1 + 8 + 4);
      const before = sent();
      await bench.event('nodedown');
      return { cause: bench.seen('nodedown')[0]?.[2], ticks: sent() - before };
    });
    expect(cause).toBe('timeout');
    // downMs is five ticks; what was heard last may be older than the freeze.
    expect(ticks).toBeGreaterThanOrEqual(3);
    expect(ticks).toBeLessThanOrEqual(9);
    b!.thaw();
    await b!.run((bench) => bench.event('nodedown'));
    expect(await a!.run((bench, peer) => bench.node.connect(peer), b!.name)).toBe(true);
  });

  it('L11 a silent connection that lives stays up for many intervals, and a slow one too', async () => {
    const options = { tickMs: 100, downMs: 2000 };
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...options });
    const a = await cluster.node({ name: 'a', ...options });
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    await b.run((bench) => bench.event('nodeup'));
    await outlast(b, options);
    proxy.delay(400);
    await outlast(b, options);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
    expect(await b.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('L12 a black hole between two nodes is seen by both', async () => {
    const options = { tickMs: 400, downMs: 2000 };
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...options });
    const a = await cluster.node({ name: 'a', ...options });
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    await b.run((bench) => bench.event('nodeup'));
    proxy.blackhole();
    const causes = await Promise.all(
      [a, b].map((node) => node.run((bench) => bench.event('nodedown').then((downs) => downs[0]?.[2]))),
    );
    expect(causes).toEqual(['timeout', 'timeout']);
    proxy.heal();
    proxy.cut();
    expect(await a.run((bench, peer) => bench.node.connect(peer), b.name)).toBe(true);
  });

  it('P1 costs its peers bounded memory, and messages beyond are counted', async () => {
    const [a, b] = await cluster.nodes({ name: 'a', outbox: { limit: 8_000_000 } }, { name: 'b' });
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    b!.freeze();
    const seen = await a!.run(async (bench, peer) => {
      globalThis.gc?.();
      const before = process.memoryUsage.rss();
      const message = new Uint8Array(1_000_000);
      for (let count = 0; count < 1000; count++) {
        bench.node.send({ name: 'inbox', node: peer }, message);
        if (count % 20 === 0) await bench.turns(1);
      }
      globalThis.gc?.();
      const { deadLetters, native } = bench.node.stats();
      return {
        grew: process.memoryUsage.rss() - before,
        full: deadLetters.remote_full,
        waiting: native?.outboxBytes ?? 0,
      };
    }, b!.name);
    expect(seen.full).toBeGreaterThan(900);
    expect(seen.waiting).toBeLessThan(12_000_000);
    expect(seen.grew).toBeLessThan(300_000_000);
  });
});
