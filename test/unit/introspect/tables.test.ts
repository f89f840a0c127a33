// What rooms above add: global names, groups, rooms.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Node, silentLogger, startGlobalNames, startGroups, startNode } from '../../../ts/index.ts';
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
    expect((await view.rooms()).items).toEqual([{ room: 'lobby', members: 1, localMembers: 1, kept: 1 }]);
    rooms.close();
    expect((await view.rooms()).items).toEqual([]);
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
