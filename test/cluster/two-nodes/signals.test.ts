// Links, monitors, exits, calls and spawns between two operating-system processes, over the same ports as locally.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
beforeEach(async () => {
  cluster = new Cluster('full');
  [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
  await a.run((bench, peer) => bench.node.connect(peer), b.name);
  // b keeps a target that ends as it is told; a gets its PID.
  await a.run(async (bench) => void (bench.box['catch'] = await bench.probe('catch')));
  await b.run(spawnTarget, a.name);
  await a.run((bench) => bench.box['catch'].count(1));
});
afterEach(() => cluster.stop());

const spawnTarget = (bench: Workbench, peer: string): void => {
  const pid = bench.node.spawn(async (self: AnySelf) => {
    const order = await self.receive();
    if (Array.isArray(order) && order[0] === 'throw') throw new Error('told to');
    if (Array.isArray(order)) self.exit(order[1]);
  });
  bench.box['target'] = pid;
  bench.node.send({ name: 'catch', node: peer }, pid);
};

describe('monitors over nodes', () => {
  it('A3, D1 tell the exact reason once each, also a large one and a crash', async () => {
    const reasons = [
      'normal',
      { shutdown: [1, 2] },
      { deep: { list: [null, undefined, 1n] } },
      'x'.repeat(1_100_000),
    ];
    for (const [round, reason] of reasons.entries()) {
      await b.run(spawnTarget, a.name);
      const seen = await a.run(
        async (bench, why, number) => {
          const { self } = bench.box['catch'];
          const pid = (await bench.box['catch'].count(number + 2))[number + 1];
          const probe = await bench.probe();
          const refs = [probe.self.monitor(pid), probe.self.monitor(pid)];
          self.send(pid, ['exit', why]);
          const downs = (await probe.count(2)) as {
            ref: { key: string };
            reason: unknown;
            from: { equals(x: unknown): boolean };
          }[];
          await bench.turns();
          return {
            reasons: downs.map((down) => down.reason),
            refs:
              new Set(downs.map((down) => down.ref.key)).size === 2 &&
              downs.every((down) => refs.some((ref) => ref.equals(down.ref))),
            from: downs.every((down) => down.from.equals(pid)),
            count: probe.messages.length,
          };
        },
        reason,
        round,
      );
      expect(seen).toEqual({ reasons: [reason, reason], refs: true, from: true, count: 2 });
    }
    const crash = await a.run(async (bench) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe();
      probe.self.monitor(pid);
      bench.node.send(pid, ['throw']);
      const [down] = (await probe.count(1)) as [{ reason: { error: { message: string }; stack: string } }];
      return [down.reason.error.message, typeof down.reason.stack];
    });
    expect(crash).toEqual(['told to', 'string']);
  });

  it('D2, D3 tell noproc for the dead and for names nobody has, with the address that was monitored', async () => {
    const seen = await a.run(async (bench, peer) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe();
      probe.self.monitor({ name: 'nobody', node: peer });
      bench.node.sendExit(pid, 'kill');
      const first = (await probe.count(1))[0] as { from: unknown; reason: unknown };
      probe.self.monitor(pid);
      const second = (await probe.count(2))[1] as { reason: unknown };
      return [first.from, first.reason, ['killed', 'noproc'].includes(second.reason as string)];
    }, b.name);
    expect(seen).toEqual([{ name: 'nobody', node: b.name }, 'noproc', true]);
  });

  it('D5, D7, D14 never tell anything after a demonitor with flush', async () => {
    const seen = await a.run(async (bench, peer) => {
      const probe = await bench.probe();
      let wrong = 0;
      for (let round = 0; round < 500; round++) {
        const ref = probe.self.monitor({ name: 'nobody', node: peer });
        if (round % 3 === 0) await bench.turns(round % 7);
        probe.self.demonitor(ref, { flush: true });
        const before = probe.messages.length;
        await bench.turns(1);
        if (probe.messages.length > before) wrong++;
      }
      return wrong;
    }, b.name);
    expect(seen).toBe(0);
  });
});

describe('links over nodes', () => {
  it('C3, C5, E4 carry a reason unchanged, kill who does not trap and tell who does', async () => {
    const seen = await a.run(async (bench) => {
      const pid = bench.box['catch'].messages[0];
      const trapping = await bench.probe(undefined, true);
      const dying = await bench.probe();
      const watcher = await bench.probe();
      watcher.self.monitor(dying.pid);
      trapping.self.link(pid);
      dying.self.link(pid);
      watcher.self.send(pid, ['exit', { shutdown: 'now' }]);
      const exit = (await trapping.count(1))[0] as { from: { equals(x: unknown): boolean }; reason: unknown };
      const down = (await watcher.count(1))[0] as { reason: unknown };
      return [exit instanceof bench.snow.Exit, exit.from.equals(pid), exit.reason, down.reason];
    });
    expect(seen).toEqual([true, true, { shutdown: 'now' }, { shutdown: 'now' }]);
  });

  it('C9 to the dead are answered with exactly one noproc', async () => {
    const seen = await a.run(async (bench) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe(undefined, true);
      probe.self.monitor(pid);
      bench.node.sendExit(pid, 'kill');
      await probe.count(1);
      probe.self.link(pid);
      const exit = (await probe.count(2))[1] as { reason: unknown };
      await bench.turns(20);
      return [exit instanceof bench.snow.Exit, exit.reason, probe.messages.length];
    });
    expect(seen).toEqual([true, 'noproc', 2]);
  });

  it('C12, C14 an unlinked partner can never affect us again', async () => {
    const seen = await a.run(async (bench) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe(undefined, true);
      for (let round = 0; round < 200; round++) {
        probe.self.link(pid);
        if (round % 2 === 0) await bench.turns(1);
        probe.self.unlink(pid);
      }
      probe.self.monitor(pid);
      probe.self.send(pid, ['exit', 'over']);
      await probe.count(1);
      await bench.turns(20);
      return probe.messages.map((message) => message instanceof bench.snow.Down);
    });
    expect(seen).toEqual([true]);
  });

  it('E1, E3 explicit exits work across: normal is ignored, kill is not', async () => {
    const seen = await a.run(async (bench) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe();
      probe.self.monitor(pid);
      probe.self.sendExit(pid, 'normal');
      await bench.turns(5);
      const before = probe.messages.length;
      probe.self.sendExit(pid, 'kill');
      const down = (await probe.count(1))[0] as { reason: unknown };
      return [before, down.reason];
    });
    expect(seen).toEqual([0, 'killed']);
  });

  it('E4 an explicit exit tells who sent it: the actor, or the PID with the number 0 of the node', async () => {
    await b.run(async (bench) => void (bench.box['post'] = await bench.probe('post')));
    await a.run(async (bench, peer) => {
      bench.box['trapping'] = await bench.probe('trapping', true);
      bench.node.send({ name: 'post', node: peer }, bench.box['trapping'].pid);
    }, b.name);
    const sender = await b.run(async (bench) => {
      const { self } = bench.box['post'];
      const [pid] = await bench.box['post'].count(1);
      self.sendExit(pid, 'of an actor');
      bench.node.sendExit(pid, 'of no actor');
      return String(self.pid.local);
    });
    const seen = await a.run(async (bench) => {
      const exits = (await bench.box['trapping'].count(2)) as import('../../../ts/index.ts').Exit[];
      return exits.map(({ from, reason }) => [bench.node.nodeOf(from), String(from.local), reason]);
    });
    expect(seen).toEqual([
      [b.name, sender, 'of an actor'],
      [b.name, '0', 'of no actor'],
    ]);
  });
});

describe('a lost node', () => {
  it('O1, L7 fires every link, monitor and call once at both ends, then tells nodedown', async () => {
    const pairs = 300;
    for (const node of [a, b]) {
      await node.run(async (bench) => {
        const watcher = await bench.probe('watcher', true);
        bench.node.monitorNodes(watcher.pid);
        bench.box['watcher'] = watcher;
      });
    }
    await a.run(
      (bench, peer) => bench.node.send({ name: 'watcher', node: peer }, bench.box['watcher'].pid),
      b.name,
    );
    await b.run(
      async (bench, peer, count) => {
        const { self } = bench.box['watcher'];
        const theirs = await bench.box['watcher'].first(
          (message: unknown) => bench.snow.Pid.prototype.isPrototypeOf(message as object) && message,
        );
        self.link(theirs);
        for (let index = 0; index < count; index++) self.monitor(theirs);
        let linked = 0;
        await new Promise<void>((done) => {
          for (let index = 0; index < count; index++) {
            bench.node.spawn(async (self: AnySelf) => {
              self.link(theirs);
              if (++linked === count) done(); // before `ready`, so that all links are there first
              await self.receive();
            });
          }
        });
        bench.node.send({ name: 'catch', node: peer }, self.pid);
        self.send(theirs, 'ready');
        bench.box['call'] = bench.snow
          .callWith(bench.node, { timeout: 60_000 }, { name: 'catch', node: peer }, 'never')
          .catch((error) => error.state);
      },
      a.name,
      pairs,
    );
    await a.run((bench) => bench.box['watcher'].first((message: unknown) => message === 'ready'));
    const before = await b.run((bench) => bench.node.stats().actors);
    await a.run(
      (bench, peer, count) => {
        const theirs = bench.box['catch'].messages.findLast(
          (message: object) => message instanceof bench.snow.Pid,
        );
        for (let index = 0; index < count; index++) bench.box['watcher'].self.monitor(theirs);
        return bench.node.disconnect(peer);
      },
      b.name,
      pairs,
    );
    const story = async (bench: Workbench, downs: number, exits: number) => {
      const { Down, Exit, NodeDown } = bench.snow;
      await bench.box['watcher'].first((message: unknown) => message instanceof NodeDown);
      await bench.turns(5);
      const all = bench.box['watcher'].messages as { reason?: unknown }[];
      const end = all.findIndex((message) => message instanceof NodeDown);
      return {
        downs:
          all.filter((message) => message instanceof Down && message.reason === 'noconnection').length ===
          downs,
        exits:
          all.filter((message) => message instanceof Exit && message.reason === 'noconnection').length ===
          exits,
        last: end === all.length - 1,
      };
    };
    expect(await b.run(story, pairs, 1)).toEqual({ downs: true, exits: true, last: true });
    expect(await a.run(story, pairs, pairs + 1)).toEqual({ downs: true, exits: true, last: true });
    expect(await b.run((bench) => bench.box['call'])).toBe('nodedown');
    // O2: those who did not trap are gone.
    expect(await b.run((bench) => bench.node.stats().actors)).toBe(before - pairs);
  });

  it('D10 and its actors may live on: they answer after a reconnect', async () => {
    const seen = await a.run(async (bench, peer) => {
      const pid = bench.box['catch'].messages[0];
      const probe = await bench.probe();
      probe.self.monitor(pid);
      await bench.node.disconnect(peer);
      const first = (await probe.count(1))[0] as { reason: unknown };
      probe.self.monitor(pid);
      probe.self.send(pid, ['exit', 'alive until now']);
      const second = (await probe.count(2))[1] as { reason: unknown };
      return [first.reason, second.reason];
    }, b.name);
    expect(seen).toEqual(['noconnection', 'alive until now']);
  });

  it('G4 a call to a killed node fails within the liveness bound', async () => {
    await b.run(async (bench) => void (await bench.probe('deaf')));
    const calling = a.run(async (bench, peer) => {
      try {
        await bench.snow.callWith(bench.node, { timeout: 30_000 }, { name: 'deaf', node: peer }, 'x');
      } catch (error) {
        const { state, node } = error as { state: string; node: string };
        return { state, node };
      }
      return undefined;
    }, b.name);
    await b.run((bench) =>
      bench.probes
        .get('deaf')
        ?.count(1)
        .then(() => undefined),
    );
    await b.kill();
    expect(await calling).toEqual({ state: 'nodedown', node: b.name });
  });

  it('O1, L7, G4 that was killed: each link, monitor and call fires once, and then its nodedown', async () => {
    const count = 100;
    await b.run(async (bench) => void (await bench.probe('deaf')));
    await a.run(
      async (bench, peer, times) => {
        const watcher = (bench.box['watcher'] = await bench.probe('watcher', true));
        const target = bench.box['catch'].messages[0];
        bench.node.monitorNodes(watcher.pid);
        watcher.self.link(target);
        for (let index = 0; index < times; index++) watcher.self.monitor(target);
        const ask = (): Promise<unknown> =>
          bench.snow
            .callWith(bench.node, { timeout: 60_000 }, { name: 'deaf', node: peer }, 'x')
            .catch((error) => error.state);
        bench.box['calls'] = Array.from({ length: times }, ask);
      },
      b.name,
      count,
    );
    await b.run(
      (bench, times) =>
        bench.probes
          .get('deaf')
          ?.count(times)
          .then(() => undefined),
      count,
    );
    await b.kill();
    const story = await a.run(async (bench) => {
      const states = await Promise.all(bench.box['calls']);
      await bench.box['watcher'].first((message: unknown) => message instanceof bench.snow.NodeDown);
      await bench.turns(5);
      const messages = bench.box['watcher'].messages as { reason?: unknown }[];
      return [...messages.map(({ constructor, reason }) => [constructor.name, reason].join(' ')), ...states];
    });
    const times = (text: string): string[] => Array.from({ length: count }, () => text);
    const [last, ...calls] = story.slice(-count - 1);
    expect([last, ...calls]).toEqual(['NodeDown ', ...times('nodedown')]);
    expect(story.slice(0, -count - 1).sort()).toEqual([...times('Down noconnection'), 'Exit noconnection']);
  });
});

describe('calls and spawns over nodes', () => {
  it('G2, G4, G11 tell value, time-out, noproc and exit apart', async () => {
    await b.run((bench) => {
      bench.node.register(
        'server',
        bench.node.spawnHandler((self: AnySelf) => ({
          onMessage(message: unknown) {
            const call = message as import('../../../ts/index.ts').Call;
            if (call.tag === 'double') self.runtime.replies.succeed(call, (call.args[0] as number) * 2);
            if (call.tag === 'die') self.exit('died');
          },
        })),
      );
    });
    const seen = await a.run(async (bench, peer) => {
      const to = { name: 'server', node: peer };
      const state = (promise: Promise<unknown>): Promise<unknown> =>
        promise.catch((error) => [error.state, error.reason]);
      return [
        await state(bench.snow.call(bench.node, to, 'double', 21)),
        await state(bench.snow.callWith(bench.node, { timeout: 50 }, to, 'silence')),
        await state(bench.snow.call(bench.node, { name: 'nobody', node: peer }, 'x')),
        await state(bench.snow.call(bench.node, to, 'die')),
        await state(bench.snow.call(bench.node, to, 'double', 1)),
        await state(bench.snow.call(bench.node, { name: 'x', node: 'nobody@127.0.0.1:1' }, 'x')),
      ];
    }, b.name);
    expect(seen).toEqual([
      42,
      ['timeout', undefined],
      ['noproc', undefined],
      ['exit', 'died'],
      ['noproc', undefined],
      ['nodedown', 'noconnection'],
    ]);
  });

  it('G11 tells the error of a handler, the end by a signal and an unknown request apart', async () => {
    await b.run(async ({ node, snow }) => {
      const server = snow.defineServer({
        name: 'server',
        init: () => 0,
        calls: {
          fail: () => {
            throw new TypeError('on purpose');
          },
          die: ({ self }) => {
            self.sendExit(self.pid, 'kill');
            return snow.noReply();
          },
        },
      });
      for (const name of ['fails', 'dies']) await server.startWith(node, { name });
    });
    const seen = await a.run(async ({ node, snow }, peer) => {
      const failure = (name: string, tag: string): Promise<unknown> =>
        snow
          .call(node, { name, node: peer }, tag)
          .catch(({ code, state, reason }) => [code, state, reason?.error?.name ?? reason]);
      return [await failure('fails', 'rest'), await failure('fails', 'fail'), await failure('dies', 'die')];
    }, b.name);
    expect(seen).toEqual([
      ['SNOW_ERR_CALL_UNKNOWN', 'unknown', 'rest'],
      ['SNOW_ERR_CALL_EXIT', 'exit', 'TypeError'],
      ['SNOW_ERR_CALL_EXIT', 'exit', 'killed'],
    ]);
  });

  it('N2, N5, D15 spawns what was exposed there, linked and monitored from its first moment', async () => {
    await b.run((bench) => {
      bench.node.expose(
        bench.snow.defineActor('crasher', async (self: AnySelf, reason: unknown) => {
          self.exit(reason);
        }) as never,
      );
    });
    const seen = await a.run(async (bench, peer) => {
      const crasher = bench.snow.defineActor('crasher', async (_self: AnySelf, _reason: unknown) => {});
      const unknown = bench.snow.defineActor('unknown', async (_self: AnySelf) => {});
      const done = bench.deferred<unknown>();
      bench.node.spawn(async (self: AnySelf) => {
        self.trapExit(true);
        const refused = await self.spawnOn(peer, unknown, []).catch((error: { code: string }) => error.code);
        const { pid, ref } = await self.spawnOn(peer, crasher, ['at once'], { monitor: true, link: true });
        const both = [await self.receive(), await self.receive()] as { reason: unknown }[];
        done.resolve([
          refused,
          bench.node.nodeOf(pid),
          both.map((each) => each.constructor.name).sort(),
          both.map((each) => each.reason),
          ref !== undefined,
        ]);
      });
      return bench.within('both signals', done.promise);
    }, b.name);
    expect(seen).toEqual(['SNOW_ERR_SPAWN', b.name, ['Down', 'Exit'], ['at once', 'at once'], true]);
  });
});
