// How two nodes find to one session, lose it and get it back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, COOKIE, startBehind, startIn } from '../../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

describe('connecting', () => {
  it('K8, L3 gives both the same one peer, and a nodeup each', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    expect(await a!.run((bench, peer) => bench.node.connect(peer), b!.name)).toBe(true);
    expect(await a!.run((bench, peer) => bench.node.connect(peer), b!.name)).toBe(true);
    await b!.run((bench) => bench.event('nodeup'));
    expect(await a!.run((bench) => bench.node.nodes())).toEqual([b!.name]);
    expect(await b!.run((bench) => bench.node.nodes())).toEqual([a!.name]);
    expect(await a!.run((bench) => bench.seen('nodeup').length)).toBe(1);
    expect(await b!.run((bench) => bench.seen('nodeup').length)).toBe(1);
  });

  it('K4 works on IPv6 literals', async () => {
    const [a, b] = await cluster.nodes({ name: 'a@[::1]:0' }, { name: 'b@[::1]:0' });
    expect(b!.name).toMatch(/^b@\[::1\]:\d+$/);
    expect(await a!.run((bench, peer) => bench.node.connect(peer), b!.name)).toBe(true);
    expect(await a!.run((bench) => bench.node.nodes())).toEqual([b!.name]);
  });

  it('K6 fails with another cookie at both ends, is told once, and harms nobody', async () => {
    const [a, b, c] = await cluster.nodes(
      { name: 'a' },
      { name: 'b', cookie: 'another-cookie-1234567890' },
      { name: 'c' },
    );
    expect(await b!.run((bench, peer) => bench.node.connect(peer), a!.name)).toBe(false);
    const refused = await a!.run((bench) => bench.event('refused'));
    expect(refused).toEqual([['refused', b!.name, expect.any(String), 'cookie']]);
    for (const node of [a!, b!]) {
      expect(await node.run((bench) => [bench.node.nodes(), bench.seen('nodeup')])).toEqual([[], []]);
    }
    const warnings = await a!.run((bench) =>
      bench
        .seen('log')
        .filter(([, level]) => level === 'warn' || level === 'error')
        .map(([, , , facts]) => facts),
    );
    expect(warnings).toMatchObject([{ event: 'peer_refused', node: b!.name, address: '127.0.0.1' }]);
    expect(await c!.run((bench, peer) => bench.node.connect(peer), a!.name)).toBe(true);
    expect(await a!.run((bench) => bench.node.ready({ peers: 1 }))).toEqual([c!.name]);
    expect(a!.output() + b!.output()).not.toContain(COOKIE);
  });

  it('T11 fails when another node answers than the one that was dialled', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    const wrong = b!.name.replace('b@', 'x@');
    expect(await a!.run((bench, peer) => bench.node.connect(peer), wrong)).toBe(false);
    expect(await a!.run((bench) => bench.node.nodes())).toEqual([]);
    expect(await a!.run((bench, peer) => bench.node.connect(peer), b!.name)).toBe(true);
  });

  it('L2 does not list hidden nodes unless asked', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b', hidden: true });
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    expect(
      await a!.run((bench) => [bench.node.nodes(), bench.node.nodes('hidden'), bench.node.nodes('all')]),
    ).toEqual([[], [b!.name], [b!.name]]);
  });
});

describe('simultaneous dials', () => {
  it('K8 end with exactly one session, the same at both ends, and lose nothing sent after nodeup', async () => {
    const rounds = Number(process.env['SNOWMESH_ROUNDS'] ?? 150);
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    for (const node of [a!, b!]) {
      await node.run(async (bench) => {
        const probe = await bench.probe('inbox');
        bench.box['probe'] = probe;
        // Each nodeup sends one numbered message over the session that just came up.
        bench.node.on('nodeup', (name, { connection }) =>
          bench.node.send({ name: 'inbox', node: name }, connection),
        );
      });
    }
    const delays = Array.from({ length: rounds }, () => cluster.random());
    for (let round = 1; round <= rounds; round++) {
      const jitter = delays[round - 1]! < 0.5 ? 0 : Math.floor(delays[round - 1]! * 4);
      const dial = async (
        bench: import('../../support/cluster-node.ts').Workbench,
        peer: string,
        turns: number,
      ) => {
        await bench.turns(turns);
        return bench.node.connect(peer);
      };
      const results = await Promise.all([a!.run(dial, b!.name, 0), b!.run(dial, a!.name, jitter)]);
      expect(results, `round ${round}`).toEqual([true, true]);
      const state = (bench: import('../../support/cluster-node.ts').Workbench, count: number) =>
        bench.box['probe'].count(count).then(() => ({
          ups: bench.seen('nodeup').length,
          downs: bench.seen('nodedown').length,
          nodes: bench.node.nodes().length,
        }));
      const each = await Promise.all([a!.run(state, round), b!.run(state, round)]);
      expect(each, `round ${round}`).toEqual([
        { ups: round, downs: round - 1, nodes: 1 },
        { ups: round, downs: round - 1, nodes: 1 },
      ]);
      await a!.run((bench, peer) => bench.node.disconnect(peer), b!.name);
      await b!.run((bench, count) => bench.event('nodedown', count), round);
    }
    for (const node of [a!, b!]) {
      const numbers = await node.run((bench) => bench.box['probe'].messages as number[]);
      expect(numbers).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
    }
  });

  it('K8 of ten nodes at once end in a full mesh of single sessions', async () => {
    const nodes = await cluster.nodes(...Array.from({ length: 10 }, (_, index) => ({ name: `n${index}` })));
    const names = nodes.map(({ name }) => name);
    await Promise.all(
      nodes.map((node) =>
        node.run(async (bench, all) => {
          const results = await Promise.all(all.map((name) => bench.node.connect(name)));
          if (!results.every(Boolean)) throw new Error(JSON.stringify(results));
        }, names),
      ),
    );
    for (const node of nodes) {
      const seen = await node.run((bench) => ({
        nodes: bench.node.nodes().sort(),
        ups: bench.seen('nodeup').length,
        downs: bench.seen('nodedown').length,
      }));
      expect(seen).toEqual({ nodes: names.filter((name) => name !== node.name).sort(), ups: 9, downs: 0 });
    }
  });
});

describe('losing a session', () => {
  it('L9, L15 tells why at both ends: disconnect, goodbye, closed', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    const a = await cluster.node({ name: 'a' });
    const connect = () => a.run((bench, peer) => bench.node.connect(peer), b.name);
    const causes = (bench: import('../../support/cluster-node.ts').Workbench, count: number) =>
      bench.event('nodedown', count).then((events) => events.map((event) => event[2]));
    await connect();
    expect(await a.run((bench, peer) => bench.node.disconnect(peer), b.name)).toBe(true);
    expect(await a.run((bench, peer) => bench.node.disconnect(peer), b.name)).toBe(false);
    expect(await a.run(causes, 1)).toEqual(['disconnect']);
    expect(await b.run(causes, 1)).toEqual(['goodbye']);
    await connect();
    proxy.cut();
    expect(await a.run(causes, 2)).toEqual(['disconnect', 'closed']);
    expect(await b.run(causes, 2)).toEqual(['goodbye', 'closed']);
    await connect();
    await b.run((bench) => bench.node.stop());
    expect(await a.run(causes, 3)).toEqual(['disconnect', 'closed', 'goodbye']);
    expect(await b.run((bench) => bench.seen('nodedown').at(-1)?.[2])).toBe('stopping');
  });

  it('L4, L5 alternates up and down for actors, with the messages between, however fast it flaps', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    const a = await cluster.node({ name: 'a', autoConnect: 'explicit' });
    await b.run(async (bench) => {
      const probe = await bench.probe('inbox');
      bench.node.monitorNodes(probe.pid);
      bench.box['probe'] = probe;
    });
    const flaps = Number(process.env['SNOWMESH_FLAPS'] ?? 60);
    for (let flap = 1; flap <= flaps; flap++) {
      expect(await a.run((bench, peer) => bench.node.connect(peer), b.name)).toBe(true);
      await a.run((bench, peer) => {
        for (let number = 0; number < 200; number++) bench.node.send({ name: 'inbox', node: peer }, number);
      }, b.name);
      // Cut somewhere in the flood.
      if (flap % 2 === 0)
        await b.run(
          (bench, count) => bench.until('one message', () => bench.box['probe'].messages.length > count),
          flap,
        );
      proxy.cut();
      await a.run((bench, count) => bench.event('nodedown', count), flap);
      await b.run((bench, count) => bench.event('nodedown', count), flap);
    }
    const story = await b.run(async (bench) => {
      await bench.turns();
      const { NodeUp, NodeDown } = bench.snow;
      const connections: unknown[] = [];
      const words = bench.box['probe'].messages.map((message: { details?: { connection: number } }) => {
        if (message instanceof NodeUp || message instanceof NodeDown)
          connections.push(message.details['connection']);
        return message instanceof NodeUp ? 'up' : message instanceof NodeDown ? 'down' : 'message';
      });
      return { words, connections };
    });
    let isUp = false;
    for (const word of story.words as string[]) {
      if (word === 'message') expect(isUp).toBe(true);
      else {
        expect(word).toBe(isUp ? 'down' : 'up');
        isUp = !isUp;
      }
    }
    expect((story.words as string[]).filter((word) => word === 'up').length).toBe(flaps);
    // L10: an up and its down carry the same number, and no two pairs share one.
    expect(new Set(story.connections).size).toBe(flaps);
    for (let pair = 0; pair < flaps; pair++)
      expect(story.connections[2 * pair]).toBe(story.connections[2 * pair + 1]);
  });

  it('L6 gives one notice per watch, also of a node that cannot be reached', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    await a!.run(async (bench, peer) => {
      const probe = await bench.probe();
      bench.box['probe'] = probe;
      bench.node.monitorNode(probe.pid, peer);
      bench.node.monitorNode(probe.pid, peer);
      bench.node.demonitorNodes(bench.node.monitorNode(probe.pid, peer));
    }, b!.name);
    await b!.kill();
    const seen = await a!.run(async (bench) => {
      await bench.box['probe'].count(2);
      bench.node.monitorNode(bench.box['probe'].pid, 'nobody@127.0.0.1:1');
      await bench.box['probe'].count(3);
      return bench.box['probe'].messages.map((down: { node: string; cause: string }) => [
        down.node,
        down.cause,
      ]);
    });
    expect(seen).toEqual([
      [b!.name, 'closed'],
      [b!.name, 'closed'],
      ['nobody@127.0.0.1:1', 'refused'],
    ]);
  });

  it('L8 subscriptions end with their subscriber', async () => {
    const a = await cluster.node({ name: 'a' });
    const seen = await a.run(async (bench) => {
      const probe = await bench.probe();
      for (let count = 0; count < 10; count++) bench.node.monitorNodes(probe.pid);
      const ref = bench.node.monitorNodes(probe.pid);
      const cancelled = bench.node.demonitorNodes(ref);
      bench.node.sendExit(probe.pid, 'kill');
      await bench.until('its end', () => !bench.node.runtime.isAlive(probe.pid));
      return [cancelled, bench.node.demonitorNodes(ref)];
    });
    expect(seen).toEqual([true, false]);
  });
});

describe('a peer that comes back', () => {
  it('K9 is taken although its old connection still looks alive, with nodedown before nodeup', async () => {
    const a = await cluster.node({ name: 'a' });
    const first = await cluster.node({ name: 'b' });
    const direct = a.name;
    expect(await first.run((bench, peer) => bench.node.connect(peer), direct)).toBe(true);
    await a.run(async (bench) => {
      await bench.event('nodeup');
      const probe = await bench.probe();
      bench.node.monitorNodes(probe.pid);
      bench.box['probe'] = probe;
    });
    first.freeze();
    const second = await cluster.process();
    // The same name, another place: the frozen process still holds the old port.
    await startIn(second, { name: first.name, listen: { port: 0 } });
    expect(await second.run((bench, peer) => bench.node.connect(peer), direct)).toBe(true);
    const story = await a.run(async (bench) => {
      await bench.box['probe'].count(2);
      return {
        words: bench.box['probe'].messages.map(
          (message: { constructor: { name: string }; cause?: string }) => [
            message.constructor.name,
            message.cause,
          ],
        ),
        nodes: bench.node.nodes(),
      };
    });
    expect(story).toEqual({
      words: [
        ['NodeDown', 'replaced'],
        ['NodeUp', undefined],
      ],
      nodes: [first.name],
    });
    first.thaw();
    // The old process learns that it was replaced, and its end does not touch the new session.
    await first.run((bench) => bench.event('nodedown'));
    expect(await a.run((bench) => [bench.node.nodes().length, bench.seen('nodedown').length])).toEqual([
      1, 1,
    ]);
  });

  it('K9 is taken when its side of the connection is gone and ours is frozen in between', async () => {
    const a = await cluster.process();
    const proxyToA = await cluster.proxy();
    await startBehind(a, proxyToA, { name: 'a' });
    const b = await cluster.node({ name: 'b' });
    expect(await b.run((bench, peer) => bench.node.connect(peer), a.name)).toBe(true);
    await a.run((bench) => bench.event('nodeup'));
    proxyToA.freeze();
    await b.run((bench, peer) => bench.node.disconnect(peer), a.name);
    expect(await b.run((bench, peer) => bench.node.connect(peer), a.name)).toBe(true);
    const story = await a.run(async (bench) => {
      await bench.event('nodeup', 2);
      return {
        kinds: bench.events.map(([kind]) => kind).filter((kind) => String(kind).startsWith('node')),
        down: bench.seen('nodedown')[0]?.[2],
      };
    });
    expect(story).toEqual({ kinds: ['nodeup', 'nodedown', 'nodeup'], down: 'replaced' });
  });

  it('K10 replaces sessions many times over, and links of the new one stay', async () => {
    const rounds = Number(process.env['SNOWMESH_ROUNDS'] ?? 100);
    const a = await cluster.process();
    const proxy = await cluster.proxy();
    await startBehind(a, proxy, { name: 'a' });
    const b = await cluster.node({ name: 'b' });
    await a.run((bench) => void bench.echo());
    for (let round = 1; round <= rounds; round++) {
      expect(await b.run((bench, peer) => bench.node.connect(peer), a.name)).toBe(true);
      // Freeze the old connection, leave it, and come again at once: the end of the old one arrives at any time.
      const monitored = await b.run(async (bench, peer) => {
        const probe = await bench.probe();
        const ref = probe.self.monitor({ name: 'echo', node: peer });
        bench.node.send({ name: 'echo', node: peer }, [probe.pid, 1]);
        await probe.count(1);
        await bench.turns(3);
        const messages = probe.messages.length;
        probe.self.demonitor(ref, { flush: true });
        bench.node.sendExit(probe.pid, 'kill');
        return messages;
      }, a.name);
      expect(monitored, `round ${round}`).toBe(1);
      if (round % 2 === 0) proxy.freeze();
      else proxy.cut();
      await b.run(
        async (bench, peer, count) => {
          await bench.node.disconnect(peer);
          await bench.event('nodedown', count);
        },
        a.name,
        round,
      );
    }
    const story = await a.run((bench) =>
      bench.events.map(([kind]) => kind).filter((kind) => kind === 'nodeup' || kind === 'nodedown'),
    );
    for (let index = 0; index < story.length; index++)
      expect(story[index]).toBe(index % 2 === 0 ? 'nodeup' : 'nodedown');
  });
});
