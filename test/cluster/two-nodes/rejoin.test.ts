// What a lost connection ends, what lives on, and what a new one brings back: nothing by itself.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, startBehind } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import type { Proxy } from '../../support/proxy.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
let proxy: Proxy;
beforeEach(async () => {
  cluster = new Cluster();
  a = await cluster.node({ name: 'a' });
  ({ node: b, proxy } = await cluster.behindProxy({ name: 'b' }));
  await a.run((bench, peer) => bench.node.connect(peer), b.name);
});
afterEach(() => cluster.stop());

const connect = (): Promise<boolean> => a.run((bench, peer) => bench.node.connect(peer), b.name);

/** b keeps an actor that answers `[from, x]`, and takes calls after a while; a gets its PID. */
async function target(): Promise<void> {
  await a.run(async (bench) => void (bench.box['catch'] = await bench.probe('catch')));
  await b.run((bench, peer) => {
    bench.node.send({ name: 'catch', node: peer }, bench.echo());
  }, a.name);
  await a.run(async (bench) => {
    bench.box['target'] = (await bench.box['catch'].count(1))[0];
  });
}

/** Cuts, and waits until both ends know. */
async function lose(times = 1): Promise<void> {
  proxy.cut();
  for (const node of [a, b]) await node.run((bench, count) => bench.event('nodedown', count), times);
}

/** What the echo says to a fresh probe on a. */
const echoed = (bench: Workbench, text: string): Promise<unknown> =>
  bench.probe().then((probe) => {
    bench.node.send(bench.box['target'], [probe.pid, text]);
    return probe.count(1).then(([message]) => message);
  });

describe('a new connection to the same node', () => {
  it('M3, L10 finds the same actors, and is told apart from the old one', async () => {
    await target();
    await lose();
    expect(await connect()).toBe(true);
    expect(await a.run(echoed, 'again')).toEqual(['echo', 'again']);
    const pairs = await a.run((bench) =>
      [...bench.seen('nodeup'), ...bench.seen('nodedown')].map((event) => [
        event[0],
        (event.at(-1) as { connection: number }).connection,
      ]),
    );
    const [first, second] = pairs.filter(([kind]) => kind === 'nodeup').map(([, number]) => number);
    expect(first).not.toBe(second);
    expect(pairs.filter(([kind]) => kind === 'nodedown')).toEqual([['nodedown', first]]);
  });

  it('O2, O3, O6 brings no link and no monitor back, and each loss is told once', async () => {
    await target();
    const before = await a.run(async (bench) => {
      const linked = bench.node.spawn(async (self: AnySelf) => {
        self.link(bench.box['target']);
        await self.receive();
      });
      const watcher = await bench.probe(undefined, true);
      watcher.self.monitor(linked);
      watcher.self.monitor(bench.box['target']);
      watcher.self.link(bench.box['target']);
      bench.box['watcher'] = watcher;
      return bench.node.runtime.isAlive(linked);
    });
    expect(before).toBe(true);
    expect(await a.run(echoed, 'linked')).toEqual(['echo', 'linked']); // so b knows of the links, too
    await lose();
    const told = await a.run(async (bench) => {
      const messages = (await bench.box['watcher'].count(3)) as { reason: unknown }[];
      return messages.map((message) => [message.constructor.name, message.reason]).sort();
    });
    // The one that did not trap died of it (O2); the other heard of its link and of both monitors.
    expect(told).toEqual([
      ['Down', 'noconnection'],
      ['Down', 'noconnection'],
      ['Exit', 'noconnection'],
    ]);
    await connect();
    expect(await b.run((bench) => bench.node.whereis('echo') === undefined)).toBe(true); // at its end, too (O2)
    const later = await a.run(async (bench) => {
      const probe = await bench.probe();
      probe.self.monitor(bench.box['target']);
      const [down] = (await probe.count(1)) as { reason: unknown }[];
      return [down?.reason, bench.box['watcher'].messages.length];
    });
    expect(later).toEqual(['noproc', 3]);
  });

  it('O5 calls in flight fail with nodedown, and new ones are answered', async () => {
    await b.run((bench) => {
      bench.node.register(
        'slow',
        bench.node.spawn(async (self: AnySelf) => {
          for (;;) {
            const call = await self.receive(bench.snow.Call);
            if (call.tag === 'answer') bench.node.runtime.replies.succeed(call, 'here');
          }
        }),
      );
    });
    const inFlight = a.run(
      (bench, node) =>
        bench.snow
          .callWith(bench.node, { timeout: 30_000 }, { name: 'slow', node }, 'keep me waiting')
          .catch((error: { state: string }) => error.state),
      b.name,
    );
    await b.run((bench) => bench.until('the call', () => bench.node.runtime.inboundCalls.size === 1));
    await lose();
    expect(await inFlight).toBe('nodedown');
    await connect();
    expect(
      await a.run((bench, node) => bench.snow.call(bench.node, { name: 'slow', node }, 'answer'), b.name),
    ).toBe('here');
  });

  it('O4 takes nothing that the old one still carried', async () => {
    await b.run(async (bench) => void (bench.box['inbox'] = await bench.probe('inbox')));
    const say = (text: string): Promise<void> =>
      a.run((bench, node, what) => bench.node.send({ name: 'inbox', node }, what), b.name, text);
    await say('first');
    await b.run((bench) => bench.box['inbox'].count(1));
    proxy.freeze();
    await say('held by the old connection');
    await a.run((bench, peer) => bench.node.disconnect(peer), b.name);
    expect(await connect()).toBe(true);
    await say('second');
    await b.run((bench) => bench.box['inbox'].count(2));
    proxy.heal();
    await say('third');
    expect(await b.run((bench) => bench.box['inbox'].count(3))).toEqual(['first', 'second', 'third']);
  });
});

describe('a node that is another one now', () => {
  it('G9 an alias of its former life reaches nobody', async () => {
    await a.run(async (bench) => void (bench.box['catch'] = await bench.probe('catch')));
    const born = (): Promise<void> =>
      b.run(async (bench, peer) => {
        const probe = await bench.probe('holder');
        bench.node.send({ name: 'catch', node: peer }, probe.self.alias('explicit'));
      }, a.name);
    await born();
    await a.run((bench) => bench.box['catch'].count(1));
    await b.kill();
    await a.run((bench) => bench.event('nodedown'));
    b = await cluster.process();
    await startBehind(b, proxy, { name: 'b' });
    await connect();
    await born();
    const sent = await a.run(async (bench) => {
      const [old, fresh] = (await bench.box['catch'].count(2)) as never[];
      bench.node.send(old as never, 'to the former' as never);
      bench.node.send(fresh as never, 'to the present' as never);
      return true;
    });
    expect(sent).toBe(true);
    expect(
      await b.run((bench) => (bench.probes.get('holder') as never as { count(n: number): unknown }).count(1)),
    ).toEqual(['to the present']);
  });
});

describe('a node that cannot be reached', () => {
  it('C11 gives an exit signal noconnection to who links', async () => {
    await target();
    await b.kill();
    await a.run((bench) => bench.event('nodedown'));
    const reason = await a.run(async (bench) => {
      const probe = await bench.probe(undefined, true);
      probe.self.link(bench.box['target']);
      return ((await probe.count(1)) as { reason: unknown }[]).map((exit) => exit.reason);
    });
    expect(reason).toEqual(['noconnection']);
  });
});

describe('a message that cannot be sent', () => {
  it('T13 ends no connection: those before and after it arrive', async () => {
    await b.run(async (bench) => void (bench.box['inbox'] = await bench.probe('inbox')));
    const code = await a.run((bench, node) => {
      const to = { name: 'inbox', node };
      bench.node.send(to, 'before');
      let thrown: string | undefined;
      try {
        bench.node.send(to, { deep: [() => 1] });
      } catch (error) {
        thrown = (error as { code: string }).code;
      }
      bench.node.send(to, 'after');
      return thrown;
    }, b.name);
    expect(code).toBe('SNOW_ERR_UNSENDABLE');
    expect(await b.run((bench) => bench.box['inbox'].count(2))).toEqual(['before', 'after']);
    expect(await a.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});

describe('a partial split', () => {
  it('L14 costs the two their connection, and the third none', async () => {
    const c = await cluster.node({ name: 'c' });
    for (const node of [a, b]) await node.run((bench, peer) => bench.node.connect(peer), c.name);
    await c.run((bench) => bench.node.ready({ peers: 2 })); // those that dialled may know of the session first
    proxy.partition();
    await a.run((bench) => bench.event('nodedown'));
    expect(await a.run((bench) => bench.node.nodes())).toEqual([c.name]);
    expect((await c.run((bench) => bench.node.nodes())).sort()).toEqual([a.name, b.name].sort());
    expect(await c.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });
});
