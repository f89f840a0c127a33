// Remote spawn between two operating-system processes: every request is answered once, whoever dies meanwhile.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster, ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { connectedPair } from '../../support/pair.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
beforeEach(async () => {
  ({ cluster, a, b } = await connectedPair(prepare, expose));
});
afterEach(() => cluster.stop());

/** What can be spawned on b. Those who sit are counted in `box.sitting`, their ends in `box.ends`. */
const expose = (bench: Workbench): void => {
  const { box } = bench;
  box['started'] = [];
  box['ends'] = [];
  box['sitting'] = 0;
  const offer = (name: string, body: (self: AnySelf, ...args: unknown[]) => Promise<void>): void =>
    bench.node.expose(bench.snow.defineActor(name, body as never) as never);
  offer('crasher', async (self, reason) => self.exit(reason));
  offer('thrower', async () => {
    throw new Error('at once');
  });
  offer('greeter', async (self, to) => {
    self.send(to as never, ['hello', self.pid]);
    self.exit('greeted');
  });
  offer('sitter', async (self, number) => {
    box['started'].push(number);
    box['sitting']++;
    bench.node.runtime.onDeath(self.pid, (_pid, reason) => {
      box['sitting']--;
      box['ends'].push(reason);
    });
    await self.receive();
  });
};

/** On a: `box.ask(peer, name, args, options)` spawns from an actor of its own that traps exits and records what it gets. */
const prepare = (bench: Workbench): void => {
  bench.box['spec'] = (name: string) => bench.snow.defineActor(name, async () => {});
  bench.box['open'] = () => [bench.node.runtime.spawns.size, bench.node.runtime.spawns.size];
  bench.box['ask'] = async (peer: string, name: string, args: unknown[], options: object) => {
    const probe = await bench.probe(undefined, true);
    const spec = bench.box['spec'](name);
    const outcome = await probe.self.spawnOn(peer, spec, args as never, options).then(
      (made) => made,
      (error: { code?: string; details?: { reason?: unknown } }) => ({
        code: error.code,
        reason: error.details?.reason,
      }),
    );
    return { probe, outcome };
  };
};

describe('requests that fail', () => {
  it('N1 to a node out of reach are told noconnection, and end nobody', async () => {
    const seen = await a.run(async (bench) => {
      const results = [];
      for (const options of [{}, { link: true }, { monitor: true }]) {
        const { probe, outcome } = await bench.box['ask']('nobody@127.0.0.1:1', 'sitter', [1], options);
        await bench.turns();
        results.push([outcome, probe.messages.length, bench.node.runtime.isAlive(probe.pid)]);
      }
      return [results, bench.box['open']()];
    });
    const refused = [{ code: 'SNOW_ERR_SPAWN', reason: 'noconnection' }, 0, true];
    expect(seen).toEqual([
      [refused, refused, refused],
      [0, 0],
    ]);
  });

  it('N2, N7 for what is not exposed are told unknown_function, also on the own node', async () => {
    const seen = await a.run(async (bench, peer) => {
      const ask = (node: string, name: string): Promise<unknown> =>
        bench.box['ask'](node, name, [], { link: true }).then(({ outcome }: { outcome: unknown }) => outcome);
      return [
        await ask(peer, 'toString'),
        await ask(peer, 'sitte'),
        await ask(bench.node.name, 'sitter'),
        bench.box['open'](),
      ];
    }, b.name);
    const refused = { code: 'SNOW_ERR_SPAWN', reason: 'unknown_function' };
    expect(seen).toEqual([refused, refused, refused, [0, 0]]);
  });

  it('N7, B9 with code, or arguments that cannot travel, throw at once and send nothing', async () => {
    const seen = await a.run(async (bench, peer) => {
      const { self } = await bench.probe();
      const spec = bench.box['spec']('sitter');
      const cycle: unknown[] = [];
      cycle.push(cycle);
      const tries: [unknown, unknown[]][] = [
        [async () => {}, []],
        [{ name: 'sitter' }, []],
        [bench.box['spec']('x'.repeat(256)), []],
        [spec, [() => {}]],
        [spec, [{ deep: [Symbol('no')] }]],
        [spec, [cycle]],
        [spec, [new Uint8Array(130 * 1024 * 1024)]],
      ];
      const codes = await Promise.all(
        tries.map(([what, args]) =>
          (async () => self.spawnOn(peer, what as never, args as never))().catch(
            (error: { code: string }) => error.code,
          ),
        ),
      );
      const first = bench.node.stats().peers[0]?.connection;
      const { pid } = await self.spawnOn(peer, spec, ['after'] as never);
      const isSame = bench.node.stats().peers[0]?.connection === first;
      return [codes, bench.node.nodeOf(pid), isSame, bench.box['open']()];
    }, b.name);
    const spawnable = Array.from({ length: 3 }, () => 'SNOW_ERR_NOT_SPAWNABLE');
    const codes = [
      ...spawnable,
      ...Array.from({ length: 3 }, () => 'SNOW_ERR_UNSENDABLE'),
      'SNOW_ERR_TOO_LARGE',
    ];
    expect(seen).toEqual([codes, b.name, true, [0, 0]]);
    expect(await b.run((bench) => bench.box['started'])).toEqual(['after']);
  });
});

describe('requests that succeed', () => {
  it('B1, N5 keep their order when thousands are under way at once', async () => {
    const count = 3000;
    const distinct = await a.run(
      async (bench, peer, number) => {
        const { self } = await bench.probe();
        const spec = bench.box['spec']('sitter');
        const all = await Promise.all(
          Array.from({ length: number }, (_, index) => self.spawnOn(peer, spec, [index] as never)),
        );
        return [new Set(all.map(({ pid }) => pid.key)).size, bench.box['open']()];
      },
      b.name,
      count,
    );
    expect(distinct).toEqual([count, [0, 0]]);
    const started = await b.run(async (bench, number) => {
      await bench.until('every child', () => bench.box['sitting'] === number);
      return bench.box['started'];
    }, count);
    expect(started).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it('D15, C15, N5 tell a child that fails at once exactly once, with its true reason', async () => {
    const seen = await a.run(async (bench, peer) => {
      let wrong = 0;
      const round = async (index: number): Promise<void> => {
        const { probe, outcome } = await bench.box['ask'](peer, 'crasher', [['why', index]], {
          link: true,
          monitor: true,
        });
        const both = await probe.count(2);
        const isRight = both.every(
          (each: { reason: unknown[]; from: { equals(x: unknown): boolean } }) =>
            each.reason[0] === 'why' && each.reason[1] === index && each.from.equals(outcome.pid),
        );
        const down = both.find((each: object) => each instanceof bench.snow.Down);
        if (!isRight || !down?.ref.equals(outcome.ref)) wrong++;
        await bench.turns(3);
        if (probe.messages.length !== 2) wrong++;
      };
      for (let at = 0; at < 1000; at += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, index) => round(at + index)));
      }
      const { probe } = await bench.box['ask'](peer, 'thrower', [], { monitor: true });
      const [down] = await probe.count(1);
      return [wrong, down.reason.error.message, bench.box['open']()];
    }, b.name);
    expect(seen).toEqual([0, 'at once', [0, 0]]);
  });

  it('N5 tell the PID before anything of the child, also to a handler that goes on meanwhile', async () => {
    const seen = await a.run(async (bench, peer) => {
      const orders = new Set<string>();
      for (let round = 0; round < 200; round++) {
        const order: string[] = [];
        const done = bench.deferred();
        const spec = bench.box['spec']('greeter');
        bench.node.spawnHandler((self: AnySelf) => {
          const asked = self.spawnOn(peer, spec, [self.pid] as never, { monitor: true });
          void asked.then(() => void order.push('known'));
          self.send(self.pid, 'busy');
          return {
            onMessage(message: unknown) {
              if (message === 'busy') return;
              order.push(message instanceof bench.snow.Down ? String(message.reason) : 'message');
              if (order.length === 3) done.resolve();
            },
          };
        });
        await bench.within('three events', done.promise);
        orders.add(order.join());
      }
      return [...orders];
    }, b.name);
    expect(seen).toEqual(['known,message,greeted']);
  });
});

describe('a parent that ends before the reply', () => {
  it('N4, C15 leaves no orphan: a linked child goes, another runs on', async () => {
    const pairs = 1000;
    const actorsBefore = await b.run((bench) => bench.node.stats().actors);
    const ended = await a.run(
      async (bench, peer, count) => {
        const spec = bench.box['spec']('sitter');
        const ends: Promise<void>[] = [];
        for (let index = 0; index < 2 * count; index++) {
          const isLinked = index % 2 === 0;
          const end = bench.deferred();
          const pid = bench.node.spawn(async (self: AnySelf) => {
            const options = { link: isLinked, monitor: index % 3 === 0 };
            void self.spawnOn(peer, spec, [isLinked ? 'linked' : 'free'] as never, options);
            if (index % 5 === 0) await bench.turns(1); // the reply may have come
            self.exit('over');
          });
          bench.node.runtime.onDeath(pid, () => end.resolve());
          ends.push(end.promise);
          if (index % 50 === 0) await bench.turns(1);
        }
        await Promise.all(ends);
        await bench.until('every reply', () => bench.box['open']()[0] === 0);
        return bench.box['open']();
      },
      b.name,
      pairs,
    );
    expect(ended).toEqual([0, 0]);
    const left = await b.run(async (bench, count) => {
      const { box } = bench;
      const { links, monitors } = bench.node.runtime;
      // A linked child may go before its first turn: then it never started.
      const free = (): number => box['started'].filter((kind: string) => kind === 'free').length;
      await bench.until('every free child', () => free() === count);
      await bench.until('the end of those linked', () => box['sitting'] === count && links.remoteCount === 0);
      await bench.until('no watcher', () => monitors.watcherCount === 0);
      await bench.turns(20);
      return [box['sitting'], bench.node.stats().actors - box['sitting']];
    }, pairs);
    expect(left).toEqual([pairs, actorsBefore]);
  });
});

it('N4 a linked child hears why its parent ended before the reply, `normal` included', async () => {
  await b.run((bench) => {
    bench.box['heard'] = [];
    bench.node.expose(
      bench.snow.defineActor('heir', async (self: AnySelf) => {
        self.trapExit(true);
        bench.box['heard'].push(((await self.receive(bench.snow.Exit)) as { reason: unknown }).reason);
      }) as never,
    );
  });
  await a.run((bench, peer) => {
    for (const reason of ['my reason', 'normal', { why: [1] }]) {
      bench.node.spawn(async (self: AnySelf) => {
        void self.spawnOn(peer, bench.box['spec']('heir'), [], { link: true });
        self.exit(reason);
      });
    }
  }, b.name);
  const heard = await b.run((bench) =>
    bench.until('all', () => bench.box['heard'].length === 3 && bench.box['heard']),
  );
  expect(heard).toEqual(['my reason', 'normal', { why: [1] }]);
});

it('I5, S7 a handler that traps exits ends in order with its parent, also when the node of it is lost', async () => {
  await b.run((bench) => {
    bench.node.expose(
      bench.snow.defineHandler('trapper', (self: AnySelf) => {
        self.trapExit(true);
        bench.box['parents'] = [...(bench.box['parents'] ?? []), bench.node.nodeOf(self.parent)];
        return { onMessage: () => {}, onTerminate: (reason) => void bench.box['ends'].push(reason) };
      }) as never,
    );
  });
  await a.run(async (bench, peer) => {
    const spec = bench.box['spec']('trapper');
    const both = ['told', 'lost'].map((name) => {
      const ready = bench.deferred();
      bench.node.spawnWith({ name }, async (self: AnySelf) => {
        await self.spawnOn(peer, spec, [], { link: true });
        ready.resolve();
        self.exit(await self.receive());
      });
      return ready.promise;
    });
    await Promise.all(both);
    bench.node.send('told', { why: 'over' });
  }, b.name);
  const ends = (count: number): Promise<unknown> =>
    b.run(
      (bench, least) => bench.until('ends', () => bench.box['ends'].length >= least && bench.box['ends']),
      count,
    );
  expect(await ends(1)).toEqual([{ why: 'over' }]);
  await a.kill();
  expect(await ends(2)).toEqual([{ why: 'over' }, 'noconnection']);
  expect(await b.run((bench) => bench.box['parents'])).toEqual([a.name, a.name]);
});

describe('an abandoned request', () => {
  it('N6 takes down a linked child, leaves another alone, and is never answered late', async () => {
    b.freeze();
    const asked = a.run(async (bench, peer) => {
      const { self } = (bench.box['probe'] = await bench.probe(undefined, true));
      const spec = bench.box['spec']('sitter');
      const early = AbortSignal.abort('too early');
      const tooEarly = await self
        .spawnOn(peer, spec, ['early'] as never, { signal: early })
        .catch((reason: unknown) => reason);
      const controller = new AbortController();
      const { signal } = controller;
      const requests = Array.from({ length: 20 }, (_, index) =>
        self
          .spawnOn(peer, spec, [index] as never, { link: index < 10, monitor: true, signal })
          .catch((reason: unknown) => reason),
      );
      await bench.turns(2);
      controller.abort('no time');
      return [tooEarly, new Set(await Promise.all(requests)), bench.box['open']()[0]];
    }, b.name);
    expect(await asked).toEqual(['too early', new Set(['no time']), 20]);
    b.thaw();
    const left = await b.run(async (bench) => {
      const { box } = bench;
      await bench.until(
        'the end of those linked',
        () => box['started'].length === 20 && box['sitting'] <= 10,
      );
      await bench.until('no watcher', () => bench.node.runtime.monitors.watcherCount === 0);
      return [box['sitting'], new Set(box['ends']), bench.node.runtime.links.remoteCount];
    });
    expect(left).toEqual([10, new Set(['abandoned']), 0]);
    const quiet = await a.run(async (bench) => {
      await bench.until('every reply', () => bench.box['open']()[0] === 0);
      await bench.turns(20);
      return [bench.box['probe'].messages.length, bench.box['open'](), bench.node.runtime.links.remoteCount];
    });
    expect(quiet).toEqual([0, [0, 0], 0]);
  });
});

describe('a node that is killed', () => {
  it('N3 answers every request in flight with noconnection, and leaves no entry', async () => {
    const each = 200;
    for (let round = 0; round < 5; round++) {
      if (round > 0) {
        b = await cluster.node({ name: 'b' });
        await b.run(expose);
        await a.run((bench, peer) => bench.node.connect(peer), b.name);
      }
      b.freeze();
      await a.run(
        async (bench, peer, count) => {
          bench.box['asked'] = Array.from({ length: count }, (_, index) =>
            bench.box['ask'](peer, 'sitter', [index], { link: index % 2 === 0, monitor: index % 3 === 0 }),
          );
          await bench.until('requests in flight', () => bench.box['open']()[0] === count);
        },
        b.name,
        each,
      );
      await b.kill();
      const seen = await a.run(async (bench) => {
        const all = await Promise.all(bench.box['asked']);
        await bench.turns(5);
        return [
          new Set(all.map(({ outcome }) => outcome.reason)),
          all.reduce((sum, { probe }) => sum + probe.messages.length, 0),
          bench.box['open'](),
        ];
      });
      expect(seen, `round ${round}`).toEqual([new Set(['noconnection']), 0, [0, 0]]);
    }
  });

  it('N3, D10 in the middle of a stream of requests: each is answered, each child has one DOWN', async () => {
    const running = a.run(async (bench, peer) => {
      const { self } = await bench.probe();
      const spec = bench.box['spec']('sitter');
      const outcomes: Promise<unknown>[] = [];
      const children: unknown[] = [];
      const probe = await bench.probe();
      let isOver = false;
      bench.box['count'] = () => children.length;
      while (!isOver) {
        const asked = self.spawnOn(peer, spec, ['x'] as never, { monitor: false }).then(
          ({ pid }) => {
            children.push(pid);
            probe.self.monitor(pid);
            return 'ok';
          },
          (error: { details: { reason: string } }) => {
            isOver = true;
            return error.details.reason;
          },
        );
        outcomes.push(asked);
        if (outcomes.length % 20 === 0) await bench.turns(1);
      }
      const results = new Set(await Promise.all(outcomes));
      const downs = (await probe.count(children.length)) as { reason: string }[];
      await bench.turns(5);
      return [
        results,
        new Set(downs.map(({ reason }) => reason)),
        probe.messages.length === children.length,
        bench.box['open'](),
      ];
    }, b.name);
    await b.run((bench) => bench.until('some children', () => bench.box['sitting'] > 300));
    await b.kill();
    expect(await running).toEqual([new Set(['ok', 'noconnection']), new Set(['noconnection']), true, [0, 0]]);
  });
});
