// What modules above add: global names, groups, rooms.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type GroupInfo,
  type NameInfo,
  type Node,
  type Page,
  silentLogger,
  startGlobalNames,
  startGroups,
  startNode,
} from '../../../ts/index.ts';
import { sourcesOf } from '../../../ts/introspect/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';

let node: Node;
beforeEach(async () => void (node = await startNode({ logger: silentLogger })));
afterEach(() => node.stop());

describe('a node without a name', () => {
  it('shows its local names in parts', async () => {
    for (let number = 0; number < 25; number++)
      node.register(`name ${number}`, node.spawnHandler(() => ({ onMessage() {} })) as never);
    const seen: string[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const part = await node.introspect().names({ after, limit: 10 });
      expect(part.total).toBe(25);
      seen.push(...part.items.map(({ name }) => name));
      after = part.next;
    }
    expect(seen).toEqual(node.registered());
  });

  it('shows no name twice while others are taken and given back', async () => {
    const named = (number: number): string => `name ${number}`;
    const idle = node.spawnHandler(() => ({ onMessage() {} }));
    for (let number = 0; number < 25; number++) node.register(named(number), idle as never);
    const seen: string[] = [];
    for (let after: number | undefined = 0, part = 0; after !== undefined; part++) {
      const page: Page<NameInfo> = await node.introspect().names({ after, limit: 10 });
      seen.push(...page.items.map(({ name }) => name));
      after = page.next;
      if (part > 3) continue;
      node.unregister(named(part));
      node.register(named(100 + part), idle as never);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining([named(0), named(9), named(24), named(100)]));
  });

  it('shows its global names, groups of all scopes, and rooms', async () => {
    const pid = node.spawnHandler(() => ({ onMessage() {} }));
    const view = node.introspect();
    for (const list of ['globalNames', 'groups', 'rooms'] as const)
      expect(await view[list]()).toEqual({ items: [], total: 0, next: undefined });
    await startGlobalNames(node).register('clock', pid);
    expect((await view.globalNames()).items).toEqual([{ name: 'clock', pid }]);
    const groups = startGroups(node);
    const scoped = startGroups(node, { scope: 'other' });
    groups.join('g', pid);
    groups.join('g', pid);
    scoped.join('h', pid);
    expect((await view.groups()).items).toEqual([
      { scope: undefined, group: 'g', members: 1, localMembers: 1 },
      { scope: 'other', group: 'h', members: 1, localMembers: 1 },
    ]);
    expect((await view.groups({ after: 1 })).items).toMatchObject([{ group: 'h' }]);
    scoped.close();
    expect((await view.groups()).total).toBe(1);
    const rooms = createRooms(node);
    const socket = { readyState: 1, send() {}, close() {}, on() {} };
    const connection = rooms.accept(socket as never, { key: 'alice' });
    await connection.join('lobby');
    rooms.broadcast('lobby', 'hello');
    // The room of alice's connections is none that is shown.
    expect(await view.rooms()).toEqual({
      items: [{ room: 'lobby', members: 1, localMembers: 1, kept: 1 }],
      total: 1,
      next: undefined,
    });
    rooms.close();
    expect(await view.rooms()).toEqual({ items: [], total: 0, next: undefined });
  });

  it('W3 shows no group twice while groups of a scope before it are added', async () => {
    const pid = node.spawnHandler(() => ({ onMessage() {} }));
    const scopes = ['one', 'two', 'three'].map((scope) => startGroups(node, { scope }));
    for (const groups of scopes) for (let at = 0; at < 7; at++) groups.join(`g${at}`, pid);
    const seen: string[] = [];
    for (let after: number | undefined = 0, part = 0; after !== undefined; part++) {
      const page: Page<GroupInfo> = await node.introspect().groups({ after, limit: 5 });
      seen.push(...page.items.map(({ scope, group }) => `${scope} ${group}`));
      after = page.next;
      for (const groups of scopes.slice(0, 2)) groups.join(`later ${part}`, pid);
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const scope of ['one', 'two', 'three'])
      for (let at = 0; at < 7; at++) expect(seen).toContain(`${scope} g${at}`);
  });

  it('W5 looks at no more than 5000 entries of a table in a turn, those that are not shown included', async () => {
    let inTurn = 0;
    function* keys(): Generator<string, undefined> {
      for (let at = 0; at < 30_000; at++) {
        inTurn++;
        yield `gone ${at}`;
      }
    }
    sourcesOf(node).rooms = { size: 0, keys, describe: () => undefined };
    let isDone = false;
    let most = 0;
    const asked = node.introspect().rooms({ after: 3000, limit: 10 });
    void asked.finally(() => void (isDone = true));
    while (!isDone) {
      most = Math.max(most, inTurn);
      inTurn = 0;
      await nextTurn();
    }
    expect(await asked).toEqual({ items: [], total: 0, next: undefined });
    expect(most).toBeLessThanOrEqual(5000);
  });

  it('says what it is', async () => {
    const overview = await node.introspect().overview();
    expect(overview).toMatchObject({
      node: 'nonode@nohost',
      osPid: process.pid,
      platform: `node ${process.version}`,
      isStopping: false,
      peers: 0,
    });
    expect(overview.memory.heapUsed).toBeGreaterThan(0);
  });
});

it('the version is that of the package', async () => {
  const { VERSION } = await import('../../../ts/introspect/index.ts');
  const { default: manifest } = await import('../../../package.json', { with: { type: 'json' } });
  expect(VERSION).toBe(manifest.version);
});

it('waits five seconds for an answer, or as long as it is told', () => {
  const asks = vi.spyOn(node.introspector, 'of');
  node.introspect('other@127.0.0.1:1');
  node.introspect('other@127.0.0.1:1', { timeout: 700 });
  expect(asks.mock.calls).toEqual([
    ['other@127.0.0.1:1', 5000],
    ['other@127.0.0.1:1', 700],
  ]);
});

it('does not dial a node to ask it', async () => {
  const cookie = 'only for tests: 0123456789';
  const [one, two] = (await Promise.all(
    ['one', 'two'].map((name) => startNode({ name: `${name}@127.0.0.1:0`, cookie, logger: silentLogger })),
  )) as [Node, Node];
  const asked = one.introspect(two.name).overview();
  await expect(asked).rejects.toMatchObject({
    code: 'SNOW_ERR_INTROSPECTION',
    details: { reason: 'nodedown' },
  });
  // A dial that is under way would end with this one.
  const third = await startNode({ name: 'third@127.0.0.1:0', cookie, logger: silentLogger });
  await one.connect(third.name);
  expect([one.nodes('all'), two.nodes('all')]).toEqual([[third.name], []]);
  for (const each of [one, two, third]) await each.stop();
});
