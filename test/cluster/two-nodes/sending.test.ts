// Messages between two operating-system processes: delivery, order, loss, restarts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, startIn } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { reservePort } from '../../support/ports.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Starts a recording actor under a name. */
const listen = async (bench: Workbench, name: string): Promise<void> => {
  bench.box[name] = await bench.probe(name);
};
const received = async (bench: Workbench, name: string, count: number): Promise<unknown[]> =>
  (await bench.box[name].count(count)).slice();

describe('sending', () => {
  it('M2 connects on first use and delivers the message that did it, by name and by PID after a cut', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    const a = await cluster.node({ name: 'a' });
    await b.run(listen, 'inbox');
    await a.run((bench, peer) => bench.node.send({ name: 'inbox', node: peer }, 'first'), b.name);
    expect(await b.run(received, 'inbox', 1)).toEqual(['first']);
    await a.run(listen, 'catch');
    await b.run(
      (bench, peer) => bench.node.send({ name: 'catch', node: peer }, bench.box['inbox'].pid),
      a.name,
    );
    await a.run((bench) => bench.box['catch'].count(1));
    proxy.cut();
    await a.run((bench) => bench.event('nodedown'));
    await a.run((bench) => bench.node.send(bench.box['catch'].messages[0], 'after the cut'));
    expect(await b.run(received, 'inbox', 2)).toEqual(['first', 'after the cut']);
    // M3: it is the same PID on the same incarnation, over a new connection.
    expect(await a.run((bench) => bench.seen('nodeup').length)).toBe(2);
  });

  it('M1 never fails for a loss, only for what cannot be sent; losses are counted', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b', maxMessage: 1_000_000 });
    await b!.run(listen, 'inbox');
    const seen = await a!.run(async (bench, peer) => {
      const code = (message: unknown): string => {
        try {
          bench.node.send({ name: 'inbox', node: peer }, message);
          return 'sent';
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const codes = [
        code(1),
        code(() => 1),
        code([Symbol('s')]),
        code(new (class Mine {})()),
        code('\ud800'),
        code(2),
      ];
      bench.node.send({ name: 'nobody', node: peer }, 'lost there');
      bench.node.send({ name: 'x', node: 'nobody@127.0.0.1:1' }, 'lost here');
      await bench.until('the loss', () => bench.node.stats().deadLetters.noconnection === 1);
      return codes;
    }, b!.name);
    expect(seen).toEqual([
      'sent',
      'SNOW_ERR_UNSENDABLE',
      'SNOW_ERR_UNSENDABLE',
      'SNOW_ERR_UNSENDABLE',
      'SNOW_ERR_UNSENDABLE',
      'sent',
    ]);
    expect(await b!.run(received, 'inbox', 2)).toEqual([1, 2]);
    await b!.run((bench) => bench.until('the loss', () => bench.node.stats().deadLetters.no_name === 1));
  });

  it('M7 refuses a message over the limit at the sender, and the session stays', async () => {
    const [a, b] = await cluster.nodes(
      { name: 'a', maxMessage: 1_000_000 },
      { name: 'b', maxMessage: 1_000_000 },
    );
    await b!.run(listen, 'inbox');
    const code = await a!.run((bench, peer) => {
      const to = { name: 'inbox', node: peer };
      bench.node.send(to, 'before');
      try {
        bench.node.send(to, new Uint8Array(1_000_001));
      } catch (error) {
        bench.node.send(to, new Uint8Array(999_000));
        bench.node.send(to, 'after');
        return (error as { code: string }).code;
      }
      return 'sent';
    }, b!.name);
    expect(code).toBe('SNOW_ERR_TOO_LARGE');
    const got = await b!.run(async (bench) =>
      (await bench.box['inbox'].count(3)).map((m: { length: number }) => m.length),
    );
    expect(got).toEqual([6, 999_000, 5]);
    expect(await a!.run((bench) => [bench.seen('nodeup').length, bench.seen('nodedown').length])).toEqual([
      1, 0,
    ]);
  });

  it('B2 keeps the order of one sender over all forms of address, small and bulk mixed', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await a!.run(listen, 'catch');
    await b!.run(async (bench, peer) => {
      const probe = await bench.probe('inbox');
      bench.box['inbox'] = probe;
      bench.node.send({ name: 'catch', node: peer }, [probe.pid, probe.self.alias()]);
    }, a!.name);
    const count = 1000;
    await a!.run(
      async (bench, peer, total) => {
        const [[pid, alias]] = (await bench.box['catch'].count(1)) as [[never, never]];
        const { self } = bench.box['catch'];
        for (let number = 0; number < total; number++) {
          const message = number % 97 === 5 ? [number, new Uint8Array(150_000 + number)] : [number];
          const to = number % 3 === 0 ? pid : number % 3 === 1 ? { name: 'inbox', node: peer } : alias;
          self.send(to as never, message as never);
          if (number % 50 === 0) await bench.turns(1);
        }
      },
      b!.name,
      count,
    );
    const numbers = await b!.run(
      async (bench, total) => (await bench.box['inbox'].count(total)).map((m: number[]) => m[0]),
      count,
    );
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it('M8 interleaves whole messages of many senders, each in its own order', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    const [senders, each] = [64, 500];
    await b!.run(listen, 'inbox');
    await a!.run((bench, peer) => bench.node.connect(peer), b!.name);
    await a!.run(
      (bench, peer, actors, count) => {
        for (let sender = 0; sender < actors; sender++) {
          bench.node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
            for (let number = 0; number < count; number++) {
              const filler = number % 100 === 7 ? 'x'.repeat(140_000) : 'x'.repeat(number % 50);
              self.send({ name: 'inbox', node: peer }, { sender, number, filler, length: filler.length });
              if (number % 20 === 0) await self.sleep(0);
            }
          });
        }
      },
      b!.name,
      senders,
      each,
    );
    const seen = await b!.run(async (bench, total) => {
      const next = new Map<number, number>();
      const faults: unknown[] = [];
      for (const message of await bench.box['inbox'].count(total)) {
        const { sender, number, filler, length } = message as {
          sender: number;
          number: number;
          filler: string;
          length: number;
        };
        if (number !== (next.get(sender) ?? 0) || filler.length !== length)
          faults.push([sender, number, next.get(sender)]);
        next.set(sender, number + 1);
      }
      return { faults, senders: next.size };
    }, senders * each);
    expect(seen).toEqual({ faults: [], senders });
  });

  it('B3 delivers all that was sent before a death, then its DOWN', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await a!.run(listen, 'inbox');
    await b!.run(async (bench, peer) => {
      bench.node.register(
        'sender',
        bench.node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
          await self.receive();
          for (let number = 0; number < 1000; number++) {
            self.send({ name: 'inbox', node: peer }, number % 100 === 50 ? new Uint8Array(200_000) : number);
          }
          self.exit('done');
        }),
      );
    }, a!.name);
    const story = await a!.run(async (bench, peer) => {
      const ref = bench.box['inbox'].self.monitor({ name: 'sender', node: peer });
      bench.box['inbox'].self.send({ name: 'sender', node: peer }, 'go');
      const all = await bench.box['inbox'].count(1001);
      const last = all[1000];
      return {
        isDown: last instanceof bench.snow.Down && last.ref.equals(ref),
        reason: last.reason,
        messages: all.length,
      };
    }, b!.name);
    expect(story).toEqual({ isDown: true, reason: 'done', messages: 1001 });
  });

  it('M9 lets others of a node work while a peer is busy, and tells busy and drain', async () => {
    const [a, b, c] = await cluster.nodes(
      { name: 'a', outbox: { highWater: 200_000 } },
      { name: 'b' },
      { name: 'c' },
    );
    await b!.run(listen, 'inbox');
    await c!.run((bench) => void bench.echo());
    await a!.run(
      (bench, peers) => Promise.all(peers.map((peer) => bench.node.connect(peer))),
      [b!.name, c!.name],
    );
    b!.freeze();
    const seen = await a!.run(
      async (bench, frozen, other) => {
        const to = { name: 'inbox', node: frozen };
        let sent = 0;
        // More than the sockets between them hold.
        while (bench.seen('busy').length === 0) {
          bench.node.send(to, new Uint8Array(100_000));
          sent++;
          await bench.turns(1);
        }
        let isWaiting = true;
        const waited = bench.node.sendWait(to, new Uint8Array(100_000)).then(() => void (isWaiting = false));
        bench.box['waited'] = waited;
        const probe = await bench.probe();
        bench.node.send({ name: 'echo', node: other }, [probe.pid, 'x']);
        await probe.count(1);
        return { isWaiting, answered: probe.messages, sent: sent + 1 };
      },
      b!.name,
      c!.name,
    );
    expect(seen.isWaiting).toBe(true);
    expect(seen.answered).toEqual([['echo', 'x']]);
    b!.thaw();
    await a!.run((bench) => bench.within('room again', bench.box['waited']));
    await a!.run((bench) => bench.event('drain'));
    expect(
      await b!.run(
        (bench, count) => bench.box['inbox'].count(count).then((all: unknown[]) => all.length),
        seen.sent,
      ),
    ).toBe(seen.sent);
    expect(await a!.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('P3 brings long messages of senders who wait whole and in order, others in between', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await b!.run(listen, 'inbox');
    await a!.run(async (bench, peer) => {
      await bench.node.connect(peer);
      const to = { name: 'inbox', node: peer };
      const long = (from: string, number: number): unknown[] => {
        const bytes = new Uint8Array(3_000_000 + number);
        for (let at = 0; at < bytes.length; at++) bytes[at] = at * 31 + number;
        return [from, number, bytes];
      };
      const sender = (from: string): Promise<void> =>
        new Promise((resolve) => {
          bench.node.spawn(async (self) => {
            for (let number = 0; number < 4; number++) {
              await self.sendWait(to, long(from, number) as never);
              self.send(to, [from, number, 'after'] as never);
            }
            resolve();
          });
        });
      await Promise.all(['x', 'y', 'z'].map(sender));
      await bench.node.sendWait(to, long('outside', 0) as never);
    }, b!.name);
    const seen = (await b!.run(async (bench) => {
      const all = (await bench.box['inbox'].count(25)) as [string, number, Uint8Array | string][];
      return all.map(([from, number, body]) => {
        if (typeof body === 'string') return `${from}${number} ${body}`;
        let isWhole = body.length === 3_000_000 + number;
        for (let at = 0; at < body.length; at++) isWhole &&= body[at] === ((at * 31 + number) & 255);
        return `${from}${number} ${isWhole ? 'whole' : 'broken'}`;
      });
    })) as string[];
    for (const from of ['x', 'y', 'z']) {
      const mine = seen.filter((line) => line.startsWith(from));
      expect(mine).toEqual(
        [0, 1, 2, 3].flatMap((number) => [`${from}${number} whole`, `${from}${number} after`]),
      );
    }
    expect(seen.filter((line) => line.startsWith('outside'))).toEqual(['outside0 whole']);
  });

  it('V6 delivers what was sent before a stop', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await b!.run(listen, 'inbox');
    await a!.run(async (bench, peer) => {
      await bench.node.connect(peer);
      for (let number = 0; number < 1000; number++) bench.node.send({ name: 'inbox', node: peer }, number);
      bench.node.send({ name: 'inbox', node: peer }, new Uint8Array(3_000_000));
      await bench.node.stop();
    }, b!.name);
    const seen = await b!.run(async (bench) => {
      const all = await bench.box['inbox'].count(1001);
      return { numbers: all.slice(0, 1000), last: all[1000].length };
    });
    expect(seen).toEqual({ numbers: Array.from({ length: 1000 }, (_, index) => index), last: 3_000_000 });
  });
});

describe('a connection that is cut at any moment', () => {
  it('B4 loses messages, but never reorders or repeats one', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    const a = await cluster.node({ name: 'a' });
    await b.run(listen, 'inbox');
    await a.run((bench, peer) => {
      bench.box['run'] = true;
      bench.box['number'] = 0;
      bench.node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
        while (bench.box['run']) {
          for (let burst = 0; burst < 40; burst++) {
            const number = bench.box['number']++;
            self.send(
              { name: 'inbox', node: peer },
              number % 61 === 0 ? [number, new Uint8Array(180_000)] : [number],
            );
          }
          await self.sleep(1);
        }
        self.send({ name: 'inbox', node: peer }, 'end');
      });
    }, b.name);
    const cuts = Number(process.env['SNOWMESH_CUTS'] ?? 25);
    for (let cut = 1; cut <= cuts; cut++) {
      // Messages of the session before may still come: the new one has to be up, or there is nothing to cut.
      for (const node of [a, b]) await node.run((bench, count) => bench.event('nodeup', count), cut);
      await b.run(
        (bench, more) => {
          const { length } = bench.box['inbox'].messages;
          return bench.until('more messages', () => bench.box['inbox'].messages.length > length + more);
        },
        Math.floor(cluster.random() * 400),
      );
      proxy.cut();
      await a.run((bench, count) => bench.event('nodedown', count), cut);
    }
    await a.run((bench) => void (bench.box['run'] = false));
    const numbers = await b.run(async (bench) => {
      await bench.box['inbox'].first((message: unknown) => message === 'end');
      return bench.box['inbox'].messages
        .filter((message: unknown) => message !== 'end')
        .map((message: number[]) => message[0]) as number[];
    });
    for (let index = 1; index < numbers.length; index++)
      expect(numbers[index]!).toBeGreaterThan(numbers[index - 1]!);
    expect(numbers.length).toBeGreaterThan(cuts * 40);
  });
});

describe('a restarted node', () => {
  it('A9, M4 its former PIDs, names and aliases are dead, and the new one is never hit', async () => {
    const a = await cluster.node({ name: 'a' });
    const first = await cluster.node({ name: 'b' });
    await a.run(listen, 'catch');
    await first.run(async (bench, peer) => {
      const probe = await bench.probe('inbox');
      bench.node.send({ name: 'catch', node: peer }, [probe.pid, probe.self.alias()]);
    }, a.name);
    await a.run((bench) => bench.box['catch'].count(1));
    const { name } = first;
    await first.kill();
    await a.run((bench) => bench.event('nodedown'));
    const second = await cluster.process();
    await startIn(second, { name });
    await second.run(async (bench) => {
      // Many actors, so that the old local id is taken again.
      for (let count = 0; count < 50; count++) bench.box[`p${count}`] = await bench.probe();
    });
    const seen = await a.run(async (bench, peer) => {
      const [pid, alias] = bench.box['catch'].messages[0];
      const { Down, Exit } = bench.snow;
      const probe = await bench.probe(undefined, true);
      bench.node.send(pid, 'to the dead');
      bench.node.send(alias, 'to the dead');
      bench.node.sendExit(pid, 'kill');
      const ref = probe.self.monitor(pid);
      probe.self.link(pid);
      const down = await probe.first((message) => message instanceof Down && message);
      const exit = await probe.first((message) => message instanceof Exit && message);
      const connected = await bench.node.connect(peer);
      // Now that the new incarnation is connected, the answer needs no dial.
      const again = probe.self.monitor(pid);
      const second = await probe.first(
        (message) => message instanceof Down && message.ref.equals(again) && message,
      );
      let call = '';
      await bench.snow
        .callWith(bench.node, { timeout: 60_000 }, pid, 'x')
        .catch((error) => (call = error.state));
      return {
        same: down.ref.equals(ref),
        reasons: [down.reason, exit.reason, second.reason],
        connected,
        nodeOf: bench.node.nodeOf(pid),
        call,
      };
    }, name);
    expect(seen).toEqual({
      same: true,
      reasons: ['noproc', 'noproc', 'noproc'],
      connected: true,
      nodeOf: name,
      call: 'noproc',
    });
    const got = await second.run((bench) => {
      let messages = 0;
      for (let count = 0; count < 50; count++) messages += bench.box[`p${count}`].messages.length;
      return { messages, actors: bench.node.stats().actors };
    });
    expect(got).toEqual({ messages: 0, actors: 50 });
  });

  it('M4 through 300 incarnations no PID of one ever means an actor of another', async () => {
    const incarnations = Number(process.env['SNOWMESH_INCARNATIONS'] ?? 300);
    const a = await cluster.node({ name: 'a' });
    const b = await cluster.process();
    await a.run(async (bench) => {
      const probe = await bench.probe('catch');
      bench.box['probe'] = probe;
      bench.box['pids'] = [];
    });
    let name = `b@127.0.0.1:${await reservePort()}`;
    for (let round = 1; round <= incarnations; round++) {
      name = await b.run(
        async (bench, wanted, cookie, peer, number) => {
          const name = await bench.start({ name: wanted, cookie });
          const probe = await bench.probe('inbox');
          bench.box['probe'] = probe;
          bench.node.send({ name: 'catch', node: peer }, [number, probe.pid]);
          return name;
        },
        name,
        'test-cookie-9f3c7b1e5d8a2460',
        a.name,
        round,
      );
      await a.run(async (bench, count) => {
        const [number, pid] = (await bench.box['probe'].count(count))[count - 1] as [number, { key: string }];
        if (number !== count) throw new Error(`${number} came instead of ${count}`);
        bench.box['pids'].push(pid);
        // Everybody there ever was is addressed; only the living one may hear it.
        for (const each of bench.box['pids']) bench.node.send(each, ['hello', count]);
      }, round);
      const heard = await b.run(async (bench) => {
        const messages = await bench.box['probe'].count(1);
        await bench.turns(2);
        const copy = messages.slice();
        await bench.node.stop();
        return copy;
      });
      expect(heard).toEqual([['hello', round]]);
      await a.run((bench, count) => bench.event('nodedown', count), round);
    }
    const keys = await a.run(
      (bench) => new Set(bench.box['pids'].map(({ key }: { key: string }) => key)).size,
    );
    expect(keys).toBe(incarnations);
  });
});
