// What users make one node say to another - answers, arguments of spawns - is limited like messages are: it fails alone, and the
// session, with all links and monitors, lives on.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';

type AnySelf = import('../../ts/index.ts').Self<unknown>;

const MIB = 1024 * 1024;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

describe('900 calls at once, each answered with 1 MiB', () => {
  it('P1, P2 are answered, or fail alone with overload; the session and its monitors live', {
    timeout: 240_000,
  }, async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await b.run(async (bench, bytes) => {
      const answer = new Uint8Array(bytes);
      const server = bench.snow.defineServer({
        name: 'server',
        init: () => ({}),
        calls: { load: () => answer },
      });
      bench.node.register('server', await server.start(bench.node));
    }, MIB);
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    const outcomes = await a.runFor(
      200_000,
      async (bench, peer, bytes) => {
        const probe = await bench.probe('watcher');
        probe.self.monitor({ name: 'server', node: peer });
        const to = { name: 'server', node: peer };
        const settle = (call: Promise<unknown>) =>
          call.then(
            (answer) => ((answer as Uint8Array).byteLength === bytes ? 'answered' : 'damaged'),
            (error) => String((error as { state?: string }).state),
          );
        const calls = Array.from({ length: 900 }, () =>
          settle(bench.snow.callWith(bench.node, { timeout: Number.POSITIVE_INFINITY }, to, 'load')),
        );
        const counts: Record<string, number> = {};
        for (const outcome of await Promise.all(calls)) counts[outcome] = (counts[outcome] ?? 0) + 1;
        return { counts, told: probe.messages.length };
      },
      b.name,
      MIB,
    );
    const { answered = 0, overload = 0, ...others } = outcomes.counts;
    expect(others).toEqual({});
    expect(answered + overload).toBe(900);
    // The budget of a session alone holds this many.
    expect(answered).toBeGreaterThanOrEqual(200);
    expect(outcomes.told).toBe(0);
    for (const node of [a, b]) expect(await node.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});

const KINDS = ['spawnOn', 'call', 'send', 'sendExit'] as const;
type Kind = (typeof KINDS)[number];

/** What becomes of 600 orders of one kind with 1 MiB each, given in one go while nothing can leave; growth is the most at any time. */
function ordersThatWait(
  a: ClusterNode,
  peer: string,
  kind: Kind,
): Promise<{ overloads: number; growth: number; waiting: number }> {
  return a.run(
    async (bench, peer, kind, bytes) => {
      const given = new Uint8Array(bytes);
      const work = bench.snow.defineActor('work', async (_self: AnySelf, _bytes: Uint8Array) => {});
      const to = { name: 'nobody', node: peer };
      let overloads = 0;
      const count = (error: { state?: string; details?: { reason?: unknown } }): void => {
        if (error.state === 'overload' || error.details?.reason === 'overload') overloads++;
      };
      const order = (self: AnySelf): unknown => {
        if (kind === 'spawnOn') return self.spawnOn(peer, work, [given]).catch(count);
        if (kind === 'call') return bench.snow.call(self, to, 'store', given).catch(count);
        if (kind === 'send') return self.send(to, given as never);
        return self.sendExit(bench.box['victim'], given);
      };
      const peak = (): number => process.resourceUsage().maxRSS * 1024;
      const before = peak();
      const given600 = bench.deferred();
      bench.node.spawn(async (self: AnySelf) => {
        for (let number = 0; number < 600; number++) void order(self);
        await bench.turns(20);
        given600.resolve();
        await self.receive();
      });
      await given600.promise;
      return {
        overloads: overloads + bench.node.stats().deadLetters.remote_full,
        growth: peak() - before,
        waiting: bench.node.stats().peers[0]?.waiting ?? 0,
      };
    },
    peer,
    kind,
    MIB,
  );
}

/** Connects a to b; `victim` on a is an actor there that traps exits. */
async function meetVictim(a: ClusterNode, b: ClusterNode): Promise<void> {
  await b.run((bench) => {
    const pid = bench.node.spawn(async (self: AnySelf) => {
      self.trapExit(true);
      for (;;) await self.receive();
    });
    bench.node.spawn(async (self: AnySelf) => {
      self.register('directory');
      for (;;) {
        const call = await self.receive();
        if (call instanceof bench.snow.Call) bench.node.runtime.replies.succeed(call, pid);
      }
    });
  });
  await a.run(async (bench, peer) => {
    await bench.node.connect(peer);
    bench.box['victim'] = await bench.snow.call(bench.node, { name: 'directory', node: peer }, 'victim');
  }, b.name);
}

describe('600 orders with 1 MiB each, in one go', () => {
  it.each(KINDS.filter((kind) => kind !== 'sendExit'))(
    'P1 (%s) stay within what may wait for a dial, when the port accepts and stays silent',
    async (kind) => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      try {
        const a = await cluster.node({ name: 'a' });
        const peer = `silent@127.0.0.1:${(silent.address() as AddressInfo).port}`;
        const { overloads, growth } = await ordersThatWait(a, peer, kind);
        // 4 MiB may wait for a dial.
        expect(overloads).toBeGreaterThanOrEqual(595);
        expect(growth).toBeLessThan(48 * MIB);
      } finally {
        for (const socket of sockets) socket.destroy();
        silent.close();
      }
    },
  );

  it.each(KINDS)(
    'P1 (%s) stay within the budget of the session, when the peer has stopped reading',
    async (kind) => {
      const [a, b] = (await cluster.nodes({ name: 'a', outbox: { limit: 16 * MIB } }, { name: 'b' })) as [
        ClusterNode,
        ClusterNode,
      ];
      await meetVictim(a, b);
      b.freeze();
      const { overloads, growth, waiting } = await ordersThatWait(a, b.name, kind);
      expect(waiting).toBeLessThan(17 * MIB);
      if (kind !== 'sendExit') expect(overloads).toBeGreaterThanOrEqual(600 - 18);
      // A reason is copied before it is sent: the copies are garbage, and collected now and then.
      expect(growth).toBeLessThan((kind === 'sendExit' ? 192 : 64) * MIB);
      b.thaw();
    },
  );
});

describe('short signals', () => {
  it.each([
    ['pass beyond the limit of messages', 3_000, []],
    ['end the session beyond all that may wait', 6_000, ['overflow']],
  ] as const)('P1, P2 %s', async (_, count, ends) => {
    // 1 MiB, a message of 64 KiB and 16 MiB more may wait.
    const limits = { outbox: { limit: MIB }, maxMessage: 65_536 };
    const [a, b] = (await cluster.nodes({ name: 'a', ...limits }, { name: 'b' })) as [
      ClusterNode,
      ClusterNode,
    ];
    await meetVictim(a, b);
    b.freeze();
    const causes = await a.run(
      async (bench, count, isOver) => {
        const reason = 'x'.repeat(4_000);
        for (let number = 0; number < count; number++) bench.node.sendExit(bench.box['victim'], reason);
        if (isOver) await bench.event('nodedown');
        await bench.turns(20);
        return bench.seen('nodedown').map((down) => down[2]);
      },
      count,
      ends.length > 0,
    );
    expect(causes).toEqual(ends);
    b.thaw();
  });
});
