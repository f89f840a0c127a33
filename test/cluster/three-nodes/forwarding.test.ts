// PIDs that travel over a node which is neither their home nor their user.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, startIn } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const listen = async (bench: Workbench, name: string): Promise<void> => {
  bench.box[name] = await bench.probe(name);
};

/** A's PID goes to B by message, and from B to C. */
const chain = async () => {
  const [a, b, c] = (await cluster.nodes({ name: 'a' }, { name: 'b' }, { name: 'c' })) as [
    never,
    never,
    never,
  ];
  const nodes = { a, b, c } as Record<'a' | 'b' | 'c', import('../../support/cluster.ts').ClusterNode>;
  await nodes.a.run(listen, 'home');
  await nodes.b.run(listen, 'middle');
  await nodes.c.run(listen, 'end');
  await nodes.a.run((bench, peer) => {
    const { pid, self } = bench.box['home'];
    bench.node.send({ name: 'middle', node: peer }, { pid, ref: self.makeRef(), alias: self.alias() });
  }, nodes.b.name);
  await nodes.b.run(async (bench, peer) => {
    const [message] = await bench.box['middle'].count(1);
    bench.node.send({ name: 'end', node: peer }, message);
  }, nodes.c.name);
  await nodes.c.run((bench) => bench.box['end'].count(1));
  return nodes;
};

describe('a PID that came over a third node', () => {
  it('M5, B11 means the same actor, before its node was ever met and after', async () => {
    const { a, b, c } = await chain();
    const seen = await c.run((bench) => {
      const [{ pid }] = bench.box['end'].messages;
      const before = bench.node.nodes();
      const nodeOf = bench.node.nodeOf(pid);
      bench.node.send(pid, 'from c');
      return { before, nodeOf, isLocal: pid.isLocal };
    });
    expect(seen).toEqual({ before: [b.name], nodeOf: a.name, isLocal: false });
    expect(await a.run((bench) => bench.box['home'].count(1).then((all: unknown[]) => all.slice()))).toEqual([
      'from c',
    ]);
    expect(await c.run((bench) => bench.node.nodes().sort())).toEqual([a.name, b.name].sort());
    // The same PID got straight from its home is equal, and so is one that comes back home.
    await a.run(
      (bench, peer) => bench.node.send({ name: 'end', node: peer }, { pid: bench.box['home'].pid }),
      c.name,
    );
    const equal = await c.run(async (bench) => {
      const [first, second] = (await bench.box['end'].count(2)) as [
        { pid: never },
        { pid: { equals(x: unknown): boolean } },
      ];
      bench.node.send(first.pid, first.pid);
      return second.pid.equals(first.pid);
    });
    expect(equal).toBe(true);
    const home = await a.run(
      async (bench) => (await bench.box['home'].count(2))[1] === bench.box['home'].pid,
    );
    expect(home).toBe(true);
  });

  it('M5 an alias and a monitor reach their actor that way, too', async () => {
    const { a, c } = await chain();
    const ref = await c.run((bench) => {
      const [{ alias, pid }] = bench.box['end'].messages;
      bench.node.send(alias, 'by alias');
      bench.box['ref'] = bench.box['end'].self.monitor(pid);
      return String(bench.box['ref']);
    });
    expect(ref).toMatch(/^#Ref</);
    expect(await a.run((bench) => bench.box['home'].count(1).then((all: unknown[]) => all.slice()))).toEqual([
      'by alias',
    ]);
    await a.run((bench) => bench.node.sendExit(bench.box['home'].pid, 'over'));
    const down = await c.run(async (bench) => {
      const found = await bench.box['end'].first(
        (message: unknown) => message instanceof bench.snow.Down && message,
      );
      return { same: found.ref.equals(bench.box['ref']), reason: found.reason };
    });
    expect(down).toEqual({ same: true, reason: 'over' });
  });

  it('M4, M5 is dead at the third node when its home was restarted', async () => {
    const { a, b, c } = await chain();
    const { name } = a;
    await a.kill();
    await b.run((bench) => bench.event('nodedown'));
    const again = await cluster.process();
    await startIn(again, { name });
    await again.run(async (bench) => {
      for (let count = 0; count < 20; count++) bench.box[`p${count}`] = await bench.probe();
    });
    for (const node of [c, b]) {
      const reason = await node.run(async (bench) => {
        const box = bench.box['end'] ?? bench.box['middle'];
        const [{ pid }] = box.messages;
        bench.node.send(pid, 'to the dead');
        const ref = box.self.monitor(pid);
        const down = await box.first(
          (message: { ref?: { equals(x: unknown): boolean } }) =>
            message instanceof bench.snow.Down && message.ref.equals(ref) && message,
        );
        return down.reason;
      });
      expect(reason).toBe('noproc');
    }
    const got = await again.run((bench) => {
      let messages = 0;
      for (let count = 0; count < 20; count++) messages += bench.box[`p${count}`].messages.length;
      return messages;
    });
    expect(got).toBe(0);
  });

  it('M5 a chain of answers over three nodes keeps its order', async () => {
    const { a, b, c } = await chain();
    await b.run((bench) => {
      bench.node.register(
        'relay',
        bench.node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
          for (;;) {
            const [to, rest] = (await self.receive()) as [never, never];
            self.send(to, rest);
          }
        }),
      );
    });
    await c.run(async (bench, relay) => {
      const [{ pid }] = bench.box['end'].messages;
      bench.node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
        for (let number = 0; number < 2000; number++)
          self.send({ name: 'relay', node: relay }, [
            pid,
            number % 500 === 3 ? [number, 'x'.repeat(200_000)] : [number],
          ] as never);
      });
    }, b.name);
    const numbers = await a.run((bench) =>
      bench.box['home'].count(2000).then((all: number[][]) => all.map(([number]) => number)),
    );
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, index) => index));
  });
});
