// Much to send and little way to send it on: memory stays bounded, signals come all the same, the small passes the large.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import { until } from '../support/deadline.ts';
import type { Proxy } from '../support/proxy.ts';

type AnySelf = import('../../ts/index.ts').Self<unknown>;

const MIB = 1024 * 1024;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Bytes the process has, with the collector run: more than there is use for goes back to the system in its own time. */
const memory = (node: ClusterNode): Promise<number> =>
  node.run(async (bench) => {
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await bench.turns(5);
    }
    return process.memoryUsage.rss();
  });

describe('a receiver that does not read', () => {
  it('P1 makes senders wait with bounded memory, and lets them continue', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await b.run(async (bench) => {
      bench.box['got'] = 0;
      bench.node.spawn(async (self: AnySelf) => {
        self.register('inbox');
        for (;;) {
          await self.receive();
          bench.box['got']++;
        }
      });
    });
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    const before = await memory(a);
    b.freeze();
    // 80 actors, 3 MiB each in 25 messages: each has one under way at most, all together more than the kernel's buffers and the mark.
    await a.run(async (bench, peer) => {
      bench.box['sent'] = 0;
      bench.box['ended'] = 0;
      for (let index = 0; index < 80; index++) {
        bench.node.spawn(async (self: AnySelf) => {
          for (let number = 0; number < 25; number++) {
            await self.sendWait({ name: 'inbox', node: peer }, new Uint8Array(120_000));
            bench.box['sent']++;
          }
          bench.box['ended']++;
        });
      }
      await bench.event('busy');
      // They stop: nothing is sent any more, turn after turn.
      let last = -1;
      await bench.until('senders that wait', async () => {
        const now = bench.box['sent'];
        const isQuiet = now === last;
        last = now;
        await bench.turns(200);
        return isQuiet;
      });
    }, b.name);
    const held = await a.run((bench) => ({ sent: bench.box['sent'], ended: bench.box['ended'] }));
    expect(held.sent).toBeLessThan(1000);
    expect(held.ended).toBe(0);
    expect((await memory(a)) - before).toBeLessThan(64 * MIB);
    // The kernel's buffers grow at first: the outbox may have been below the mark again for a while.
    await a.run((bench) =>
      bench.until('busy for good', () => bench.seen('busy').length === bench.seen('drain').length + 1),
    );
    b.thaw();
    await a.run((bench) => bench.until('the end of all', () => bench.box['ended'] === 80, 60_000));
    await b.run((bench) => bench.until('all messages', () => bench.box['got'] === 2000, 60_000));
    await a.run((bench) =>
      bench.until('drain', () => bench.seen('drain').length === bench.seen('busy').length),
    );
    expect(await a.run((bench) => bench.node.stats().deadLetters.remote_full)).toBe(0);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('P1 holds senders of long messages, too, while short ones go on', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a', outbox: { limit: 16 * MIB } }, { name: 'b' })) as [
      ClusterNode,
      ClusterNode,
    ];
    await b.run(
      (bench) =>
        void bench.node.spawnWith({ name: 'echo' }, async (self: AnySelf) => {
          for (;;) {
            const message = await self.receive();
            if (message instanceof bench.snow.Call)
              bench.node.runtime.replies.succeed(message, message.args.length);
          }
        }),
    );
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    b.freeze();
    const waiting = await a.run(async (bench, peer) => {
      bench.box['ended'] = 0;
      const to = { name: 'echo', node: peer };
      for (let index = 0; index < 4; index++) {
        bench.node.spawn(async (self: AnySelf) => {
          for (let number = 0; number < 10; number++)
            await self.sendWait(to, new Uint8Array(4_000_000) as never);
          bench.box['ended']++;
        });
      }
      bench.node.spawn(async (self: AnySelf) => {
        for (let number = 0; number < 200; number++) {
          self.monitor(to);
          await bench.turns(1);
        }
        bench.box['quiet'] = true;
      });
      await bench.until('the last short one', () => bench.box['quiet'] === true);
      return bench.until('long ones that wait', () => {
        const { waiting = 0 } = bench.node.stats().peers[0] ?? {};
        return waiting > 4_000_000 && waiting;
      });
    }, b.name);
    expect(waiting).toBeLessThan(16 * MIB);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
    b.thaw();
    await a.run((bench) => bench.until('the end of all', () => bench.box['ended'] === 4));
    expect(await a.run((bench) => bench.node.stats().deadLetters.remote_full)).toBe(0);
  });

  it('P2 gets every DOWN, EXIT and answer of a spawn, sent when the way was full', async () => {
    const [a, b] = (await cluster.nodes(
      { name: 'a', outbox: { limit: 2_000_000, highWater: 500_000 } },
      { name: 'b' },
    )) as [ClusterNode, ClusterNode];
    const count = 200;
    await a.run((bench, total) => {
      bench.box['victims'] = [];
      for (let index = 0; index < total; index++) {
        const pid = bench.node.spawn(async (self: AnySelf) => void (await self.receive()));
        bench.box['victims'].push(pid);
      }
      bench.node.expose(bench.snow.defineActor('at once', async (self: AnySelf) => self.exit('shutdown')));
      bench.node.spawn(async (self: AnySelf) => {
        self.register('directory');
        for (;;) {
          const call = await self.receive();
          if (call instanceof bench.snow.Call) bench.node.runtime.replies.succeed(call, bench.box['victims']);
        }
      });
    }, count);
    await b.run(async (bench, peer) => {
      const probe = (bench.box['probe'] = await bench.probe('inbox', true));
      const victims = await bench.snow.call(bench.node, { name: 'directory', node: peer }, 'victims');
      for (const pid of victims as never[]) {
        probe.self.monitor(pid);
        probe.self.link(pid);
      }
      // Behind them, so they are there.
      await bench.snow.call(bench.node, { name: 'directory', node: peer }, 'victims');
      const spec = bench.snow.defineActor('at once', async () => {});
      bench.box['asking'] = Array.from({ length: 20 }, () =>
        probe.self.spawnOn(peer, spec, [], { monitor: true }),
      );
      await bench.turns(1);
    }, a.name);
    b.freeze();
    await a.run(async (bench, peer) => {
      await bench.until('a full way', () => {
        for (let burst = 0; burst < 20; burst++)
          bench.node.send({ name: 'nobody', node: peer }, new Uint8Array(50_000));
        return bench.node.stats().deadLetters.remote_full > 0;
      });
      for (const pid of bench.box['victims']) bench.node.sendExit(pid, 'shutdown');
      // Still full: nobody else may send.
      bench.node.send({ name: 'nobody', node: peer }, 'x');
    }, b.name);
    b.thaw();
    const seen = await b.run(async (bench, total) => {
      await Promise.all(bench.box['asking']);
      await bench.box['probe'].count(2 * total + 20);
      await bench.turns(50);
      const { messages } = bench.box['probe'];
      const { Down, Exit } = bench.snow;
      return {
        downs: messages.filter((one: unknown) => one instanceof Down && one.reason === 'shutdown').length,
        exits: messages.filter((one: unknown) => one instanceof Exit && one.reason === 'shutdown').length,
        all: messages.length,
      };
    }, count);
    expect(seen).toEqual({ downs: count + 20, exits: count, all: 2 * count + 20 });
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});

describe('large messages', () => {
  let a: ClusterNode;
  let b: ClusterNode;
  let proxy: Proxy;
  beforeEach(async () => {
    ({ node: b, proxy } = await cluster.behindProxy({ name: 'b', tickMs: 300, downMs: 60_000 }));
    a = await cluster.node({ name: 'a' });
    await b.run((bench) => {
      bench.box['large'] = 0;
      // Echoes tell how many large messages were there before them.
      bench.node.spawn(async (self: AnySelf) => {
        self.register('echo');
        for (;;) self.send((await self.receive()) as never, bench.box['large'] as never);
      });
      bench.node.spawn(async (self: AnySelf) => {
        self.register('inbox');
        for (;;) {
          const message = await self.receive();
          if (message instanceof Uint8Array) bench.box['large']++;
        }
      });
    });
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
  });

  it('P3 of 64 MiB let echoes pass while they are under way', { timeout: 240_000 }, async () => {
    for (let large = 0; large < 3; large++) {
      // The way is full of the large one when the echo is asked for.
      proxy.freeze();
      await a.run(
        (bench, peer, bytes, count) => {
          bench.node.spawn(async (self: AnySelf) =>
            self.send({ name: 'inbox', node: peer }, new Uint8Array(bytes)),
          );
          return bench.event('busy', count);
        },
        b.name,
        64 * MIB,
        large + 1,
      );
      await a.run(async (bench, peer) => {
        const probe = (bench.box['asker'] = await bench.probe());
        bench.node.send({ name: 'echo', node: peer }, probe.pid);
      }, b.name);
      proxy.heal();
      const [before] = await a.run((bench) => bench.box['asker'].count(1, 80_000));
      expect(before, 'larges that were there before the echo').toBe(large);
      await b.run(
        (bench, count) => bench.until('the large message', () => bench.box['large'] === count),
        large + 1,
      );
    }
  });

  it('P3 of many small objects, sent in parts, let echoes pass between the parts', {
    timeout: 240_000,
  }, async () => {
    await b.run((bench) => {
      // One mailbox takes both, so the answer tells how many parts were sent before the question.
      bench.node.spawn(async (self: AnySelf) => {
        self.register('parts');
        for (;;) {
          const message = await self.receive();
          if (Array.isArray(message)) bench.box['large']++;
          else self.send(message as never, bench.box['large'] as never);
        }
      });
    });
    const seen = await a.run(async (bench, peer) => {
      const probe = await bench.probe();
      const to = { name: 'parts', node: peer };
      const part = Array.from({ length: 10_000 }, (_, id) => ({ id, name: `name ${id % 100}`, ok: true }));
      const sent = bench.deferred();
      bench.node.spawn(async (self: AnySelf) => {
        for (let number = 0; number < 100; number++) {
          await self.sendWait(to, part as never);
          bench.node.send(to, probe.pid);
        }
        sent.resolve();
      });
      await sent.promise;
      return new Set(await probe.count(100, 60_000)).size;
    }, b.name);
    // In one message they are all there at once.
    expect(seen).toBeGreaterThan(20);
  });

  it('P4 of 100 senders leave no memory behind on the receiver', async () => {
    const before = await memory(b);
    await a.run(
      (bench, peer, bytes) => {
        for (let sender = 0; sender < 100; sender++)
          bench.node.spawn((self: AnySelf) =>
            self.sendWait({ name: 'inbox', node: peer }, new Uint8Array(bytes) as never),
          );
      },
      b.name,
      MIB,
    );
    await b.run((bench) => bench.until('all of them', () => bench.box['large'] === 100, 60_000));
    // The allocator is asked for it once no traffic has come for four seconds. What stays is code and heap that were not used before.
    await until('memory given back', async () => (await memory(b)) - before < 16 * MIB, 60_000);
  });

  it('P4 whose sender dies arrive whole or not at all, and the session stays', async () => {
    const before = await memory(b);
    proxy.freeze();
    await a.run(
      async (bench, peer, bytes) => {
        const pid = bench.node.spawn(async (self: AnySelf) => {
          self.send({ name: 'inbox', node: peer }, new Uint8Array(bytes));
          await self.receive();
        });
        await bench.event('busy');
        bench.node.sendExit(pid, 'kill');
        await bench.turns();
      },
      b.name,
      64 * MIB,
    );
    proxy.heal();
    await a.run((bench) => bench.event('drain', 1, 60_000));
    expect(await b.run((bench) => bench.until('the message', () => bench.box['large']))).toBe(1);
    // What was received last is held until something else is.
    await a.run((bench, peer) => bench.node.send({ name: 'inbox', node: peer }, 'small'), b.name);
    await until('memory back', async () => (await memory(b)) - before < 32 * MIB, 60_000);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('P4 cut off in the middle leave nothing behind on the receiver', async () => {
    const before = await memory(b);
    for (let round = 1; round <= 5; round++) {
      const passed = proxy.bytes.toServer;
      await a.run(
        (bench, peer, bytes) => bench.node.send({ name: 'inbox', node: peer }, new Uint8Array(bytes)),
        b.name,
        64 * MIB,
      );
      await until('half of it', () => proxy.bytes.toServer - passed > 20 * MIB, 60_000);
      proxy.cut();
      for (const node of [a, b]) await node.run((bench, count) => bench.event('nodedown', count), round);
      expect(await a.run((bench, peer) => bench.node.connect(peer), b.name)).toBe(true);
    }
    expect(await b.run((bench) => bench.box['large'])).toBe(0);
    await until('memory back', async () => (await memory(b)) - before < 64 * MIB, 60_000);
    expect(await a.run((bench) => bench.node.stats().native?.outboxBytes)).toBe(0);
  });
});

describe('names that peers make up', () => {
  it('P7 are kept nowhere: of actors, of calls, of nodes', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    const heap = (): Promise<number> =>
      b.run(async (bench) => {
        for (let round = 0; round < 3; round++) {
          globalThis.gc?.();
          await bench.turns(2);
        }
        return process.memoryUsage().heapUsed;
      });
    const flood = (from: number, count: number): Promise<unknown> =>
      a.runFor(
        90_000,
        async (bench, peer, first, total) => {
          const probe = await bench.probe();
          for (let number = first; number < first + total; number++) {
            const to = { name: `made up ${number}`, node: peer };
            bench.node.send(to, number);
            if (number % 10 === 0) probe.self.monitor(to);
            if (number % 10 === 5) bench.snow.call(bench.node, to, `tag ${number}`).catch(() => {});
            if (number % 1000 === 0) await bench.node.sendWait(to, 0);
          }
          await probe.count(total / 10, 60_000);
          bench.node.sendExit(probe.pid, 'kill');
        },
        b.name,
        from,
        count,
      );
    await flood(0, 20_000);
    const before = await heap();
    await flood(20_000, 200_000);
    expect((await heap()) - before).toBeLessThan(4 * MIB);
    const left = await b.run(({ node: { runtime } }) => [
      runtime.monitors.watcherCount,
      runtime.inboundCalls.size,
      runtime.registered().length,
    ]);
    expect(left).toEqual([0, 0, 0]);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});
