// Trace contexts travel between operating-system processes, and from and to peers that know nothing of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Self } from '../../../ts/index.ts';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import { Meeting } from '../../support/meeting.ts';
import type { Seen, Spans } from '../../support/spans.ts';

/** Puts OpenTelemetry into the process of a node: `bench.box['spans']`. */
function trace(node: ClusterNode): Promise<void> {
  return node.run(async (bench) => {
    const { Spans } = (await bench.load('./spans')) as typeof import('../../support/spans.ts');
    bench.box['spans'] = new Spans(bench.node);
  });
}

describe('two nodes', () => {
  let cluster: Cluster;
  beforeEach(() => void (cluster = new Cluster()));
  afterEach(() => cluster.stop());

  it('are one trace for a send, a call, a spawn and a broadcast', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await trace(a);
    await trace(b);
    await b.run(async (bench) => {
      const { node, snow } = bench;
      const spans = bench.box['spans'] as Spans;
      const sink = snow.defineHandler('sink', () => ({ onMessage: () => spans.mark('got') }));
      node.register('sink', node.spawn(sink));
      const member = node.spawn(snow.defineHandler('member', () => ({ onMessage() {} })));
      snow.startGroups(node).join('staff', member as never);
      const counter = snow.defineServer({
        name: 'counter',
        init: () => ({ count: 0 }),
        calls: { add: (context, by: number) => (context.state.count += by) },
      });
      node.register('counter', await counter.start(node));
      node.expose(snow.defineActor('worker', () => spans.mark('worked')));
    });
    const sent = await a.run(async (bench, peer) => {
      const { node, snow } = bench;
      const spans = bench.box['spans'] as Spans;
      await node.connect(peer);
      const groups = snow.startGroups(node);
      await bench.until('the group', () => groups.members('staff').length === 1);
      await spans.inSpan('request', async () => {
        node.send({ name: 'sink', node: peer }, 'x' as never);
        await snow.call(node, { name: 'counter', node: peer }, 'add', 1);
        const worker = snow.defineActor('worker', () => {});
        await snow.start(node, worker, [], { node: peer });
        groups.broadcast('staff', 'y');
      });
      return spans.all();
    }, b.name);
    const handled = await b.run((bench) =>
      (bench.box['spans'] as Spans).having('got', 'counter/add', 'worked', 'process member'),
    );
    const all: Seen[] = [...sent, ...handled];
    expect(new Set(all.map((span) => span.trace)).size).toBe(1);
    const byId = new Map(all.map((span) => [span.id, span]));
    const line = (name: string): string[] => {
      const names: string[] = [];
      let span = handled.find((each) => each.name === name);
      for (; span !== undefined; span = byId.get(span.above ?? '')) names.push(span.name);
      return names;
    };
    expect(line('got')).toEqual(['got', 'process sink', 'send sink', 'request']);
    expect(line('counter/add')).toEqual(['counter/add', 'counter/add', 'request']);
    expect(line('worked')).toEqual(['worked', 'spawn worker', 'spawn worker', 'request']);
    expect(line('process member')).toEqual(['process member', 'send staff', 'request']);
    expect(sent.find(({ name }) => name === 'send sink')?.node).toBe(b.name);
  });

  it('are one trace from the message of a client to the members of a room', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await trace(a);
    await trace(b);
    await a.run((bench, peer) => bench.node.connect(peer), b.name);
    for (const node of [a, b])
      await node.run(async (bench) => {
        const { createRooms } = (await bench.load(
          '../../ts/rooms/index',
        )) as typeof import('../../../ts/rooms/index.ts');
        const { FakeSocket } = (await bench.load(
          '../unit/rooms/fake-socket',
        )) as typeof import('../../unit/rooms/fake-socket.ts');
        const rooms = createRooms(bench.node, {
          message: (connection, text) => connection.broadcast('lobby', text),
        });
        const socket = new FakeSocket();
        bench.box['joining'] = rooms.accept(socket).join('lobby');
        bench.box['socket'] = socket;
      });
    for (const node of [a, b]) await node.run((bench) => bench.box['joining'] as Promise<void>);
    let handed: Seen[] = [];
    // A broadcast stays here until the other node has said that it wants the room.
    while (!handed.some(({ name }) => name === 'process room')) {
      await a.run((bench) => void bench.box['socket'].say('hello'));
      handed = await b.run((bench) => (bench.box['spans'] as Spans).all());
    }
    const sent = await a.run((bench) =>
      (bench.box['spans'] as Spans).having('process client message', 'send room'),
    );
    const room = handed.find(({ name }) => name === 'process room');
    const broadcast = sent.find(({ id }) => id === room?.above);
    const message = sent.find(({ id }) => id === broadcast?.above);
    expect([broadcast?.name, message?.name, message?.above]).toEqual([
      'send room',
      'process client message',
      undefined,
    ]);
  });

  it('are two traces where a node between them is not traced', async () => {
    const [a, between, c] = (await cluster.nodes({ name: 'a' }, { name: 'between' }, { name: 'c' })) as [
      ClusterNode,
      ClusterNode,
      ClusterNode,
    ];
    await trace(a);
    await trace(c);
    await c.run(async (bench) => {
      const onMessage = (message: string): void => (bench.box['spans'] as Spans).mark(message);
      bench.node.register('sink', bench.node.spawn(bench.snow.defineHandler('sink', () => ({ onMessage }))));
    });
    await between.run(async (bench, peer) => {
      const { node, snow } = bench;
      await node.connect(peer);
      const relay = snow.defineHandler('relay', (self: Self<string>) => ({
        onMessage: (message: string) => self.send({ name: 'sink', node: peer }, message as never),
      }));
      node.register('relay', node.spawn(relay));
    }, c.name);
    await a.run(async (bench, peer) => {
      await bench.node.connect(peer);
      await (bench.box['spans'] as Spans).inSpan('request', () =>
        bench.node.send({ name: 'relay', node: peer }, 'passed on' as never),
      );
    }, between.name);
    const handled = await c.run((bench) => (bench.box['spans'] as Spans).having('passed on'));
    expect(handled.map(({ name, above }) => [name, above])).toEqual([['passed on', undefined]]);
  });

  it('carry no context with a message that waits for room in a mailbox of the other node', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await trace(a);
    await trace(b);
    await b.run(async (bench) => {
      const { node, snow } = bench;
      const spans = bench.box['spans'] as Spans;
      const opened = bench.deferred();
      const narrow = snow.defineHandler('narrow', () => ({
        onMessage: async (message: string) => {
          await opened.promise;
          spans.mark(message);
        },
      }));
      const limit = { name: 'narrow', mailbox: { max: 1, policy: 'block' } } as const;
      node.spawnWith(limit, narrow);
      const opener = snow.defineHandler('opener', () => ({ onMessage: () => opened.resolve() }));
      node.register('opener', node.spawn(opener));
    });
    await a.run(async (bench, peer) => {
      const { node } = bench;
      await node.connect(peer);
      const to = { name: 'narrow', node: peer };
      await node.sendWait(to, 'handled' as never);
      await node.sendWait(to, 'in the mailbox' as never);
      await (bench.box['spans'] as Spans).inSpan('request', async () => {
        const sent = node.sendWait(to, 'waiting' as never);
        node.send({ name: 'opener', node: peer }, 'open' as never); // it arrives behind the other
        await sent;
      });
    }, b.name);
    const handled = await b.run((bench) => (bench.box['spans'] as Spans).having('waiting'));
    expect(handled.find(({ name }) => name === 'waiting')?.above).toBeUndefined();
  });

  it('keep contexts and messages together when a message is long', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    await trace(a);
    await trace(b);
    await b.run(async (bench) => {
      const { node, snow } = bench;
      const spans = bench.box['spans'] as Spans;
      const onMessage = (message: Uint8Array | string): void =>
        spans.mark(typeof message === 'string' ? message : 'long');
      node.register('sink', node.spawn(snow.defineHandler('sink', () => ({ onMessage }))));
    });
    await a.run(async (bench, peer) => {
      const spans = bench.box['spans'] as Spans;
      await bench.node.connect(peer);
      const to = { name: 'sink', node: peer };
      await spans.inSpan('request', () => {
        bench.node.send(to, new Uint8Array(1_000_000) as never);
        bench.node.send(to, 'behind it' as never);
      });
    }, b.name);
    // A long message carries no context, nor does what its sender sends before it has left.
    const first = await b.run((bench) => (bench.box['spans'] as Spans).having('long', 'behind it'));
    for (const { name, above } of first) expect([name, above]).toEqual([name, undefined]);
    await a.run(async (bench, peer) => {
      const spans = bench.box['spans'] as Spans;
      const to = { name: 'sink', node: peer };
      await spans.inSpan('request', () => bench.node.send(to, new Uint8Array(1_000_000) as never));
      bench.node.send(to, 'untraced' as never);
      await spans.inSpan('request', () => {
        const loop: Record<string, unknown> = {};
        loop['loop'] = () => {};
        try {
          bench.node.send(to, loop as never);
        } catch {
          // It cannot travel; the next message must not have its context.
        }
      });
      bench.node.send(to, 'also untraced' as never);
      // What follows a long message of the same sender goes the same way.
      const other = bench.snow.defineHandler('other', (self: Self<string>) => ({
        onMessage: (message: string) => self.send(to, message as never),
      }));
      const pid = bench.node.spawn(other);
      await spans.inSpan('request', () => bench.node.send(pid, 'traced'));
    }, b.name);
    const handled = await b.run((bench) =>
      (bench.box['spans'] as Spans).having('untraced', 'also untraced', 'traced'),
    );
    const above = (name: string): string | undefined => handled.find((span) => span.name === name)?.above;
    expect([above('untraced'), above('also untraced')]).toEqual([undefined, undefined]);
    expect(above('traced')).toBeDefined();
  });
});

describe('a peer that knows only the wire', () => {
  let meeting: Meeting;
  beforeEach(async () => void (meeting = await Meeting.arrange()));
  afterEach(() => meeting[Symbol.asyncDispose]());

  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
  const context = (id: string): string => `00-${TRACE}-${id}-01`;

  it('gets every message of a trace, and nothing else of a node that traces nothing', async () => {
    const { node, peer } = meeting;
    const send = (each: string): Promise<void> =>
      node.run(
        (bench, name, message) => bench.node.send({ name: 'x', node: name }, message as never),
        peer.own.name,
        each,
      );
    await send('plain');
    expect(await peer.next('REG_SEND')).toEqual(['x', 'plain']);
    await trace(node);
    await send('outside');
    expect(await peer.next('REG_SEND')).toEqual(['x', 'outside']);
    expect(peer.waiting('SYSTEM')).toBe(0);
    await node.run(
      (bench, name) =>
        (bench.box['spans'] as Spans).inSpan('request', () =>
          bench.node.send({ name: 'x', node: name }, 'inside' as never),
        ),
      peer.own.name,
    );
    expect(await peer.next('REG_SEND')).toEqual(['x', 'inside']);
    expect(peer.waiting('SYSTEM')).toBe(1);
    expect(await peer.next('SYSTEM')).toEqual([
      'trace',
      [expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-01$/), ''],
    ]);
  });

  it('may send any context: it counts for the next message, or not at all', async () => {
    const { node, peer } = meeting;
    await trace(node);
    await node.run(async (bench) => {
      const spans = bench.box['spans'] as Spans;
      const onMessage = (message: string): void => spans.mark(message);
      const sink = bench.snow.defineHandler('sink', () => ({ onMessage }));
      bench.node.register('sink', bench.node.spawn(sink));
    });
    const id = 'b7ad6b7169203331';
    const wrong: unknown[] = [
      null,
      'text',
      [],
      [7, 7],
      [context('0000000000000000'), ''],
      [`00-${'0'.repeat(32)}-${id}-01`, ''],
      [`ff-${TRACE}-${id}-01`, ''],
      [`${context(id)}-more`, ''],
      [context(id).toUpperCase(), ''],
      [context(id), 'x'.repeat(100_000)],
      ['x'.repeat(100_000), ''],
    ];
    for (const [index, each] of wrong.entries()) {
      peer.send('SYSTEM', 'trace', each as never);
      peer.send('REG_SEND', 'sink', `wrong ${index}`);
    }
    peer.send('SYSTEM', 'trace', [context(id), 'vendor=1']);
    peer.send('REG_SEND', 'sink', 'right');
    peer.send('REG_SEND', 'sink', 'after');
    peer.send('SYSTEM', 'trace', [context(id), `vendor=${'x'.repeat(600)}`]);
    peer.send('REG_SEND', 'sink', 'long state');
    const spans = await node.run((bench) => (bench.box['spans'] as Spans).having('long state'));
    const names = spans.filter((span) => !span.name.startsWith('process ')).map(({ name }) => name);
    expect(names).toEqual([...wrong.map((_, index) => `wrong ${index}`), 'right', 'after', 'long state']);
    const inTrace = spans.filter((span) => span.trace === TRACE && !span.name.startsWith('process '));
    expect(inTrace.map(({ name }) => name)).toEqual(['right', 'long state']);
    expect(spans.filter(({ above }) => above === id)).toHaveLength(2);
  });
});
