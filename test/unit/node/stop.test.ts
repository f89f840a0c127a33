// How a node stops: trees first, in order; then what is left.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cast,
  childSpec,
  defineActor,
  defineServer,
  defineSupervisor,
  type Node,
  type Self,
  start,
  startNode,
} from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/index.ts';
import { deferred, turns } from '../../support/deadline.ts';

let clock: VirtualClock;
let node: Node;
let log: string[];
beforeEach(async () => {
  clock = new VirtualClock();
  node = await startNode({ clock });
  log = [];
});
afterEach(() => node.stop({ timeout: 0 }));

/** A server that says when it ends; `save` is what it does then. */
const saver = (name: string, save: () => unknown = () => {}) =>
  defineServer({
    name,
    init: (self) => {
      self.trapExit(true); // as in Erlang: otherwise the end of its parent kills it
      return {};
    },
    async terminate(_context, reason) {
      await save();
      log.push(`${name} ${String(reason)}`);
    },
  });

const tree = (name: string, ...children: ReturnType<typeof saver>[]) =>
  defineSupervisor({ name, children: children.map((child) => childSpec(child.name, child as never)) });

describe('node.stop', () => {
  it('ends trees in order, the last one first, and lets each server save', async () => {
    await tree('first', saver('a'), saver('b')).start(node);
    await saver('alone').start(node);
    await tree(
      'second',
      saver('c', () => new Promise((resolve) => void setImmediate(resolve))),
    ).start(node);
    await node.stop();
    expect(log).toEqual(['c shutdown', 'alone shutdown', 'b shutdown', 'a shutdown']);
    expect(node.runtime.size).toBe(0);
  });

  it('ends a tree under an actor that is in no tree, and an inner tree with the outer one', async () => {
    const inner = tree('inner', saver('deep'));
    const outer = defineSupervisor({ name: 'outer', children: [childSpec('inner', inner)] });
    const started = deferred();
    node.spawn(async (self: Self) => {
      await outer.start(self);
      started.resolve();
      await self.receive();
    });
    await started.promise;
    await node.stop();
    expect(log).toEqual(['deep shutdown']);
  });

  it('ends its discovery first: a node that saves is found no more', async () => {
    const discovery = { start() {}, stop: () => void log.push('discovery') };
    const cookie = 'only for tests: 0123456789';
    const named = await startNode({ name: 'stops@127.0.0.1:0', cookie, discovery });
    await saver('last').start(named);
    await named.stop();
    expect(log).toEqual(['discovery', 'last shutdown']);
  });

  it('V6 is connected with nodes that dial it meanwhile, and refuses their spawns', async () => {
    const cookie = 'only for tests: 0123456789';
    const [saving, saved] = [deferred(), deferred()];
    const named = await startNode({ name: 'stops@127.0.0.1:0', cookie });
    const peer = await startNode({ name: 'dials@127.0.0.1:0', cookie });
    const spec = defineActor('worker', () => {});
    named.expose(spec as never);
    const wait = (): unknown => (saving.resolve(), saved.promise);
    await saver('last', wait).start(named);
    const { name } = named;
    const stopped = named.stop();
    await saving.promise;
    expect(await peer.connect(name)).toBe(true);
    const refused = await start(peer, spec as never, [], { node: name });
    expect(refused).toMatchObject({ ok: false, reason: 'SNOW_ERR_STOPPED' });
    saved.resolve();
    await stopped;
    await peer.stop();
    expect(log).toEqual(['last shutdown']);
  });

  it('ends in order also what others start while they end', async () => {
    await saver('first', () => saver('late').start(node)).start(node);
    await node.stop();
    expect(log).toEqual(['first shutdown', 'late shutdown']);
  });

  it('is done once, also when its own first step calls it', async () => {
    const cookie = 'only for tests: 0123456789';
    let again: Promise<void> | undefined;
    const discovery = {
      start() {},
      stop: () => {
        log.push('discovery');
        again = named.stop();
      },
    };
    const named = await startNode({ name: 'stops@127.0.0.1:0', cookie, discovery });
    const first = named.stop();
    expect(again).toBe(first);
    await first;
    expect(log).toEqual(['discovery']);
  });

  it('is done once, however often it is called', async () => {
    await tree('top', saver('a')).start(node);
    const first = node.stop();
    expect(node.stop()).toBe(first);
    await first;
    await node.stop();
    expect(log).toEqual(['a shutdown']);
  });

  it('kills what has not ended after its time, or when a second call says so', async () => {
    await tree(
      'top',
      saver('stuck', () => new Promise(() => {})),
    ).start(node);
    await saver('also stuck', () => new Promise(() => {})).start(node);
    const stopped = node.stop({ timeout: 100 });
    clock.step(100);
    await stopped;
    expect(log).toEqual([]);
    expect(node.runtime.size).toBe(0);

    node = await startNode({ clock });
    await saver('stuck again', () => new Promise(() => {})).start(node);
    const slow = node.stop({ timeout: Number.POSITIVE_INFINITY });
    void node.stop({ timeout: 0 });
    await slow;
    expect(node.runtime.size).toBe(0);
  });

  it('gives all trees 10 s together, unless told otherwise', async () => {
    for (const name of ['one', 'two']) await saver(name, () => new Promise(() => {})).start(node);
    let isOver = false;
    const stopped = node.stop().then(() => (isOver = true));
    while (clock.step(9_999));
    await turns();
    expect([isOver, node.runtime.size]).toEqual([false, 2]);
    while (clock.step(10_000));
    await stopped;
    expect(node.runtime.size).toBe(0);
  });

  it('works from inside an actor', async () => {
    await tree('top', saver('a')).start(node);
    const stopped = deferred();
    node.spawn(async () => {
      node.stop().then(stopped.resolve, stopped.reject);
      await new Promise(() => {});
    });
    await stopped.promise;
    expect(log).toEqual(['a shutdown']);
  });

  it('is held up to its timeout by a handler that awaits it, and then kills that actor without terminate', async () => {
    const waiter = (isAwaited: boolean) =>
      defineServer({
        name: `waiter ${isAwaited}`,
        init: () => ({}),
        calls: {},
        casts: {
          async close() {
            const stopped = node.stop();
            if (isAwaited) await stopped;
          },
        },
        terminate: (_context, reason) => void log.push(`${isAwaited} ${String(reason)}`),
      });
    cast(node, await waiter(true).start(node), 'close');
    await turns();
    while (clock.step(9_999));
    await turns();
    expect([node.runtime.size, log]).toEqual([1, []]);
    while (clock.step(10_000));
    await node.stop();
    expect([node.runtime.size, log]).toEqual([0, []]);

    node = await startNode({ clock });
    cast(node, await waiter(false).start(node), 'close');
    await turns();
    await node.stop();
    expect(log).toEqual(['false shutdown']);
  });

  it('refuses spawns of other nodes meanwhile, and wrong options', async () => {
    expect(() => node.stop({ timeout: -1 })).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_TIME' }));
    expect(() => node.stop({ time: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
    await tree('top', saver('a')).start(node);
    const stopped = node.stop();
    await expect(node.connect('b@127.0.0.1:1')).rejects.toMatchObject({ code: 'SNOW_ERR_STOPPED' });
    await expect(node.ready()).rejects.toMatchObject({ code: 'SNOW_ERR_STOPPED' });
    await stopped;
    await expect(node.connect('b@127.0.0.1:1')).rejects.toMatchObject({ code: 'SNOW_ERR_STOPPED' });
  });
});
