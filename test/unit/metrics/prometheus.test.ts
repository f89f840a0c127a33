import { Channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, expect, it, vi } from 'vitest';
import {
  callWith,
  childSpec,
  defineHandler,
  defineSupervisor,
  type Node,
  silentLogger,
  startNode,
} from '../../../ts/index.ts';
import { FIGURES } from '../../../ts/metrics/figures.ts';
import { collectMetrics } from '../../../ts/metrics/index.ts';
import { root } from '../../support/child.ts';
import { until } from '../../support/deadline.ts';

const nodes: Node[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

async function newNode(name?: string): Promise<Node> {
  const named =
    name === undefined ? {} : { name: `${name}@127.0.0.1:0`, cookie: 'only for tests: 0123456789' };
  const node = await startNode({ ...named, logger: silentLogger });
  nodes.push(node);
  return node;
}

/** The values of one scrape, by name and labels as they are written. */
async function scrape(register: Registry): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

it('counts actors, mailboxes, turns, crashes, restarts and lost messages', async () => {
  const node = await newNode();
  const register = new Registry();
  collectMetrics(node, { register });
  const clerk = defineHandler('clerk', () => ({
    onMessage(message: unknown) {
      if (message === 'fail') throw new Error('on purpose');
    },
  }));
  await defineSupervisor({
    name: 'top',
    intensity: 9,
    children: [childSpec('c', clerk, { name: 'till' })],
  }).start(node);
  const heap = node.spawn(async (self) => void (await self.receive((message) => message === 'never')));
  for (let left = 5; left > 0; left--) node.send(heap, left as never);
  const first = node.whereis('till')!;
  node.send(first, 'work' as never);
  node.send(first, 'fail' as never);
  await until('a restart', () => node.whereis('till') !== undefined && node.whereis('till') !== first);
  node.send(first, 'late' as never);
  const before = await scrape(register);
  expect(Object.fromEntries(before)).toMatchObject({
    snowmesh_actors: 3,
    snowmesh_supervisors: 1,
    snowmesh_mailbox_messages: 5,
    snowmesh_actor_spawns_total: 4,
    snowmesh_actor_exits_total: 1,
    snowmesh_actor_crashes_total: 1,
    snowmesh_child_restarts_total: 1,
    'snowmesh_dead_letters_total{reason="noproc"}': 1,
  });
  // Turns of actors that have ended still count.
  const turns = before.get('snowmesh_turns_total')!;
  node.sendExit(heap as never, 'kill');
  node.sendExit(node.whereis('till') as never, 'kill');
  await until('another restart', () => node.whereis('till') !== undefined);
  expect((await scrape(register)).get('snowmesh_turns_total')).toBeGreaterThanOrEqual(turns);
});

it('counts what goes over sessions, and native figures', async () => {
  const [one, two] = [await newNode('one'), await newNode('two')];
  const register = new Registry();
  collectMetrics(one, { register, prefix: 'shop_' });
  await one.connect(two.name);
  const got = new Promise<unknown>((resolve) => {
    two.register(
      'sink',
      two.spawn(async (self) => resolve(await self.receive())),
    );
  });
  one.send({ name: 'sink', node: two.name }, 'x'.repeat(5000) as never);
  await got;
  const values = await scrape(register);
  expect(values.get(`shop_session_bytes_out_total{peer="${two.name}"}`)).toBeGreaterThan(5000);
  expect(values.get(`shop_session_stalled{peer="${two.name}"}`)).toBe(0);
  expect(values.get('shop_peers')).toBe(1);
  expect(values.get('shop_native_batches_total')).toBeGreaterThan(0);
});

it('does nothing for a message between two scrapes', async () => {
  const node = await newNode();
  const register = new Registry();
  collectMetrics(node, { register });
  let left = 1000;
  let over = (): void => {};
  const pid = node.spawnHandler(() => ({ onMessage: () => void (--left === 0 && over()) }));
  const taken = new Promise<void>((resolve) => (over = resolve));
  await scrape(register);
  const published = vi.spyOn(Channel.prototype, 'publish');
  for (let count = left; count > 0; count--) node.send(pid, count as never);
  await taken;
  const { length } = published.mock.calls;
  published.mockRestore();
  expect([length, node.tracing]).toEqual([0, null]);
  expect((await scrape(register)).get('snowmesh_turns_total')).toBe(1000);
});

it('begins to count at 0 with each connection to a peer', async () => {
  const [one, two] = [await newNode('one'), await newNode('two')];
  const register = new Registry();
  collectMetrics(one, { register });
  await one.connect(two.name);
  const bytes = async (): Promise<number> =>
    (await scrape(register)).get(`snowmesh_session_bytes_out_total{peer="${two.name}"}`) ?? -1;
  one.send({ name: 'nobody', node: two.name }, 'x'.repeat(100_000) as never);
  await until('the message to leave', async () => (await bytes()) > 100_000);
  await one.disconnect(two.name);
  await one.connect(two.name);
  expect(await bytes()).toBeGreaterThanOrEqual(0);
  expect(await bytes()).toBeLessThan(100_000);
});

it('has the metrics that docs/operate.md lists, with their labels', () => {
  const [, section = ''] = readFileSync(join(root, 'docs/operate.md'), 'utf8').split(/^## Metrics$/m);
  const documented = new Map<string, string | undefined>();
  for (const line of (section.split(/^## /m)[0] ?? '').split('\n')) {
    const [cell = ''] = line.startsWith('| `') ? line.split(' | ') : [];
    const label = /, each `\{(\w+)\}`$/.exec(cell)?.[1];
    for (const [, name = '', own = label] of cell.matchAll(/`(\w+)(?:\{(\w+)\})?`/g))
      documented.set(name, own);
  }
  expect(documented).toEqual(new Map(FIGURES.map(({ name, labels }) => [name, labels?.[0]])));
});

it('counts calls without an answer, peers that were refused, dials that failed, and names', async () => {
  const cookie = 'another one for tests: 0123456789';
  const [one, other] = [
    await newNode('one'),
    await startNode({ name: 'other@127.0.0.1:0', cookie, logger: silentLogger }),
  ];
  nodes.push(other);
  const register = new Registry();
  collectMetrics(one, { register });
  const refused = new Promise((resolve) => one.once('refused', resolve));
  expect(await other.connect(one.name)).toBe(false);
  await refused;
  expect(await one.connect('nobody@127.0.0.1:1')).toBe(false);
  const mute = one.spawn(async (self) => void (await self.receive((message) => message === 'never')));
  one.register('mute', mute);
  await expect(callWith(one, { timeout: 1 }, 'mute', 'ask')).rejects.toMatchObject({ state: 'timeout' });
  await until('a measured event loop', () => one.introspector.view.loopDelay() !== undefined);
  const values = await scrape(register);
  expect(Object.fromEntries(values)).toMatchObject({
    snowmesh_names: 1,
    snowmesh_peers: 0,
    snowmesh_stalled_peers: 0,
    snowmesh_refused_peers_total: 1,
    snowmesh_failed_dials_total: 1,
    snowmesh_call_timeouts_total: 1,
  });
  for (const stat of ['mean', 'p99', 'max'])
    expect(values.get(`snowmesh_event_loop_delay_seconds{stat="${stat}"}`)).toBeGreaterThanOrEqual(0);
});

it('does not count what another node of the process does, and can be taken back', async () => {
  const [node, other] = [await newNode(), await newNode()];
  const register = new Registry();
  const stop = collectMetrics(node, { register });
  other.spawn(() => {});
  expect((await scrape(register)).get('snowmesh_actor_spawns_total')).toBe(0);
  expect(() => collectMetrics(other, { register })).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION', message: expect.stringMatching(/own registry/) }),
  );
  stop();
  expect(await scrape(register)).toEqual(new Map());
  collectMetrics(other, { register })();
});

it('refuses wrong options, and says what to install', async () => {
  const node = await newNode();
  for (const options of [{ prefix: '1' }, { register: {} }, { x: 1 }])
    expect(() => collectMetrics(node, options as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
  const loader = Module as unknown as { _load(request: string): unknown };
  const loading = vi.spyOn(loader, '_load').mockImplementation(() => {
    throw new Error("Cannot find module 'prom-client'");
  });
  try {
    expect(() => collectMetrics(node)).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_NO_PROMETHEUS',
        message: expect.stringMatching(/npm install/),
      }),
    );
  } finally {
    loading.mockRestore();
  }
});
