import { Channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as channels from '../../../ts/diagnostics/index.ts';
import {
  callWith,
  childSpec,
  type DiagnosticEvents,
  defineServer,
  defineSupervisor,
  type Node,
  silentLogger,
  startNode,
} from '../../../ts/index.ts';
import { publishPeerEvent } from '../../../ts/node/peer-diagnostics.ts';
import { root } from '../../support/child.ts';
import { until } from '../../support/deadline.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function newNode(): Promise<Node> {
  const node = await startNode({ logger: silentLogger });
  closing.push(() => node.stop());
  return node;
}

function heard<K extends keyof DiagnosticEvents>(name: K): DiagnosticEvents[K][] {
  const messages: DiagnosticEvents[K][] = [];
  const listener = (message: unknown): void => void messages.push(message as DiagnosticEvents[K]);
  subscribe(name, listener);
  closing.push(() => unsubscribe(name, listener));
  return messages;
}

describe('diagnostics', () => {
  it('makes no message for a channel without a subscriber', async () => {
    const { peerEvents, actorCrash: _, ...others } = channels; // a node itself remembers crashes
    const all = [...Object.values(others), ...Object.values(peerEvents)];
    const published = all.map((channel) => vi.spyOn(channel, 'publish'));
    closing.push(() => published.forEach((spy) => spy.mockRestore()));
    const node = await newNode();
    const pid = node.spawn(async (self) => void (await self.receive()));
    const ended = new Promise((resolve) => node.onDeath(pid, resolve));
    node.send(pid, 1 as never);
    await ended;
    node.send(pid, 'late' as never);
    expect(node.stats().deadLetters).toMatchObject({ noproc: 1 });
    expect(published.flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it.each(['handler', 'function'])(
    'costs a message to a %s two looks at one property while it is off',
    async (kind) => {
      const node = await newNode();
      let left = 0;
      let over = (): void => {};
      const take = (): void => void (--left === 0 && over());
      const pid =
        kind === 'handler'
          ? node.spawnHandler(() => ({ onMessage: take }))
          : node.spawn(async (self) => {
              for (;;) {
                await self.receive();
                take();
              }
            });
      const send = (count: number): Promise<void> => {
        left = count;
        for (let each = 0; each < count; each++) node.send(pid, each as never);
        return new Promise((done) => (over = done));
      };
      await send(1);
      const published = vi.spyOn(Channel.prototype, 'publish');
      closing.push(() => published.mockRestore());
      let looks = 0;
      Object.defineProperty(node, 'tracing', { get: () => (looks++, null) });
      await send(1000);
      expect(looks).toBeLessThanOrEqual(2000);
      expect(looks).toBeGreaterThanOrEqual(1000); // it is that property
      expect(published).not.toHaveBeenCalled();
    },
  );

  it('tells of a spawn, a crash and an exit, in this order', async () => {
    const order: string[] = [];
    for (const name of ['snowmesh:actor:spawn', 'snowmesh:actor:crash', 'snowmesh:actor:exit'] as const) {
      const listener = (message: unknown): void => {
        if ((message as { label: string }).label === 'faulty') order.push(name);
      };
      subscribe(name, listener);
      closing.push(() => unsubscribe(name, listener));
    }
    const spawns = heard('snowmesh:actor:spawn');
    const exits = heard('snowmesh:actor:exit');
    const node = await newNode();
    const pid = node.spawn(async function faulty(self) {
      await self.receive();
      throw new Error('on purpose');
    });
    node.send(pid, 1 as never);
    await until('its exit', () => exits.find((each) => each.pid === pid));
    expect(order).toEqual(['snowmesh:actor:spawn', 'snowmesh:actor:crash', 'snowmesh:actor:exit']);
    const spawn = spawns.find((each) => each.pid === pid);
    expect([spawn?.label, String(spawn?.parent)]).toEqual(['faulty', '<0.0>']);
    expect(spawn?.runtime).toBe(node);
    expect(exits.find((each) => each.pid === pid)).toMatchObject({
      turns: 1,
      reason: { error: { message: 'on purpose' } },
    });
  });

  it('tells of an actor that its mailbox limit ended as of one that threw', async () => {
    const crashes = heard('snowmesh:actor:crash');
    const exits = heard('snowmesh:actor:exit');
    const node = await newNode();
    const pid = node.spawnWith({ label: 'full', mailbox: { max: 1, policy: 'exit' } }, async (self) => {
      await self.receive((message) => message === 'never');
    });
    for (let left = 2; left > 0; left--) node.send(pid, left as never);
    await until('its exit', () => exits.find((each) => each.pid === pid));
    const reason = { mailbox_full: 1 };
    expect(crashes.filter((each) => each.pid === pid)).toEqual([
      { runtime: node, pid, label: 'full', reason },
    ]);
  });

  it('tells of lost messages, of restarts and of calls without an answer', async () => {
    const drops = heard('snowmesh:message:drop');
    const restarts = heard('snowmesh:child:restart');
    const timeouts = heard('snowmesh:call:timeout');
    const node = await newNode();
    const server = defineServer({
      name: 'clerk',
      init: () => 0,
      calls: { wait: () => new Promise<never>(() => {}) },
    });
    const top = await defineSupervisor({
      name: 'top',
      children: [childSpec('first', server, { name: 'till' })],
    }).start(node);
    const first = node.whereis('till')!;
    node.sendExit(first as never, 'kill');
    await until('a restart', () => node.whereis('till') !== undefined && node.whereis('till') !== first);
    expect(restarts).toEqual([{ runtime: node, supervisor: top, id: 'first' }]);
    node.send(first, 'late' as never);
    expect(drops).toEqual([{ runtime: node, reason: 'noproc', target: String(first), count: 1 }]);
    const till = node.whereis('till')!;
    await new Promise<void>((done) => {
      node.spawn(async (self) => {
        await callWith(self, { timeout: 1 }, till as never, 'wait' as never).catch(() => {});
        done();
      });
    });
    expect(timeouts).toEqual([{ runtime: node, target: String(till), tag: 'wait' }]);
  });

  it('tells of sessions', async () => {
    const ups = heard('snowmesh:session:up');
    const downs = heard('snowmesh:session:down');
    const cookie = 'only for tests: 0123456789';
    const nodes = await Promise.all(
      ['one', 'two'].map((name) => startNode({ name: `${name}@127.0.0.1:0`, cookie, logger: silentLogger })),
    );
    const [one, two] = nodes as [Node, Node];
    closing.push(() => Promise.all(nodes.map((node) => node.stop())));
    await one.connect(two.name);
    await until('both ends', () => ups.length === 2);
    expect(ups).toContainEqual({ runtime: one, peer: two.name, hidden: false });
    const peer = two.name;
    await two.stop();
    await until('the end', () => downs.some(({ runtime }) => runtime === one));
    expect(downs.find(({ runtime }) => runtime === one)).toMatchObject({ peer, hidden: false });
  });
});

/** The channels in docs/operate.md, each with the names of its properties. */
function documented(): Map<string, string[]> {
  const section = readFileSync(join(root, 'docs/operate.md'), 'utf8').split('## Events for tools')[1] ?? '';
  const properties = new Map<string, string[]>();
  for (const [, names = '', what = ''] of section.matchAll(/^\| (`snowmesh:.*?) \| .* \| (.*) \|$/gm)) {
    const [all = '', some = ''] = what.split('; ');
    const [only, ...more] = some.match(/\w+(?=`)/g) ?? [];
    for (const [name] of names.matchAll(/snowmesh:[\w:]+/g)) {
      const own = name.endsWith(`:${only}`) ? more : [];
      properties.set(name, ['runtime', ...(all.match(/\w+/g) ?? []), ...own].sort());
    }
  }
  return properties;
}

describe('docs/operate.md', () => {
  const { peerEvents, ...others } = channels;

  it('lists the channels, and no others', () => {
    const names = [...Object.values(others), ...Object.values(peerEvents)].map(({ name }) => String(name));
    expect([...documented().keys()].sort()).toEqual(names.sort());
  });

  it.each(Object.keys(peerEvents) as (keyof typeof peerEvents)[])(
    'names the properties of an event of peers: %s',
    (event) => {
      const name = String(peerEvents[event].name) as keyof DiagnosticEvents;
      const messages = heard(name);
      publishPeerEvent({}, event, ['x@host:1', 'about', { hidden: false }]);
      expect(messages.map((message) => Object.keys(message).sort())).toEqual([documented().get(name)]);
      expect(messages[0]).toMatchObject({ peer: 'x@host:1' });
    },
  );
});
