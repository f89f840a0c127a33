// A node whose event loop does not turn is slow, not dead: its ticks, reads and writes go on natively (L13, V7).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** How long the event loop stands still, in s, and with which ticks: what is promised for the defaults, and six times `downMs`. */
const STALLS = [
  { seconds: 8, ticks: { tickMs: 300, downMs: 1200 } },
  { seconds: 60, ticks: {} },
] as const;

describe('a blocked event loop', () => {
  it.each(STALLS)(
    'L13, V7 of $seconds s costs no session and no message, and is told as stalled and recovered',
    {
      timeout: 140_000,
    },
    async ({ seconds, ticks }) => {
      const [a, b] = await cluster.nodes({ name: 'a', ...ticks }, { name: 'b', ...ticks });
      await b!.run(async (bench) => void (bench.box['probe'] = await bench.probe('inbox')));
      await a!.run(async (bench, peer) => {
        const probe = await bench.probe();
        bench.node.monitorNodes(probe.pid);
        bench.box['probe'] = probe;
        await bench.node.connect(peer);
      }, b!.name);
      const blocked = b!.runFor(
        (seconds + 30) * 1000,
        (_bench, ms) => {
          const end = performance.now() + ms;
          while (performance.now() < end);
          return true;
        },
        seconds * 1000,
      );
      await a!.run((bench) => bench.event('stalled', 1, 60_000));
      await a!.run((bench, peer) => {
        for (let number = 0; number < 5000; number++) bench.node.send({ name: 'inbox', node: peer }, number);
      }, b!.name);
      expect(await blocked).toBe(true);
      const seen = await b!.run(async (bench) => {
        const numbers = (await bench.box['probe'].count(5000)) as number[];
        return {
          inOrder: numbers.every((number, index) => number === index),
          downs: bench.seen('nodedown').length,
        };
      });
      expect(seen).toEqual({ inOrder: true, downs: 0 });
      await a!.run((bench) => bench.event('recovered'));
      const story = await a!.run((bench) => ({
        downs: bench.seen('nodedown').length,
        notices: bench.box['probe'].messages.map((notice: object) => notice.constructor.name),
      }));
      expect(story.downs).toBe(0);
      expect(story.notices.slice(0, 3)).toEqual(['NodeUp', 'NodeStalled', 'NodeRecovered']);
    },
  );

  it('V7 of the sender delays what it sent before, and loses nothing', async () => {
    const [a, b] = await cluster.nodes(
      { name: 'a', tickMs: 200, downMs: 800 },
      { name: 'b', tickMs: 200, downMs: 800 },
    );
    await b!.run(async (bench) => void (bench.box['probe'] = await bench.probe('inbox')));
    await a!.run(async (bench, peer) => {
      await bench.node.connect(peer);
      for (let number = 0; number < 1000; number++) bench.node.send({ name: 'inbox', node: peer }, number);
      const end = performance.now() + 3000;
      while (performance.now() < end);
    }, b!.name);
    const numbers = await b!.run((bench) => bench.box['probe'].count(1000));
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(await b!.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});

describe('a frozen process', () => {
  it('L11, L12 is declared down inside the band although its socket is open, and comes back', async () => {
    const options = { tickMs: 300, downMs: 1500 };
    const [a, b] = await cluster.nodes({ name: 'a', ...options }, { name: 'b', ...options });
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    b!.freeze();
    const { cause, ticks } = await a!.run(async (bench) => {
      const sent = new Set<number>();
      await bench.until('the loss', () => {
        sent.add(bench.node.stats().native?.bytesOut ?? 0);
        return bench.seen('nodedown').length > 0;
      });
      return { cause: bench.seen('nodedown')[0]?.[2], ticks: sent.size - 1 };
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
    const options = { tickMs: 100, downMs: 500 };
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...options });
    const a = await cluster.node({ name: 'a', ...options });
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    proxy.delay(120);
    await b.run(async (bench) => {
      const heard = new Set<number>();
      await bench.until('25 ticks of the other node', () => {
        heard.add(bench.node.stats().native?.bytesIn ?? 0);
        return heard.size > 25;
      });
    });
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
    expect(await b.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('L12 a black hole between two nodes is seen by both', async () => {
    const options = { tickMs: 200, downMs: 1000 };
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

  it('P1 costs its peers bounded memory, and messages beyond are counted', { timeout: 120_000 }, async () => {
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
