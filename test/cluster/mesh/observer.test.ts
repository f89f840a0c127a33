// The observer page on a cluster of 32 nodes in four OS processes, one of which has 10 000 actors: what it shows, in a headless Chromium, and what it costs.
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, screenshotFolder, startBrowser, whyNoBrowser } from '../../support/browser.ts';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';

const NODES = 32;
const ACTORS = 10_000;

/** Cards of nodes and lines of the log whose text does not fit them. */
const CUT_OFF = `[...document.querySelectorAll('#nodes button, #unhealthy button, #log li')]
  .filter((each) => each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.textContent)`;

/** Names on the map that hide each other. */
const OVERLAPS = `[...document.querySelectorAll('#map text')]
  .filter((each) => each.textContent !== '')
  .map((each) => ({ name: each.textContent, box: each.getBoundingClientRect() }))
  .flatMap(({ name, box }, at, all) => all.slice(at + 1)
    .filter(({ box: other }) => box.left < other.right && other.left < box.right && box.top + 3 < other.bottom && other.top + 3 < box.bottom)
    .map((other) => name + ', ' + other.name))`;

let cluster: Cluster;
let root: ClusterNode;
let crowd: ClusterNode;
/** Alone in their processes. */
let lonely: [ClusterNode, ClusterNode];
let url: string;
beforeEach(async () => {
  cluster = new Cluster('full');
  const options = { tickMs: 500, downMs: 60_000 };
  const [first, second, third] = await cluster.nodes(
    { name: 'root', ...options },
    { name: 'blocked', ...options },
    { name: 'gone', ...options },
  );
  [root, lonely, crowd] = [first!, [second!, third!], await cluster.process()];
  url = await root.run(async (bench, actors) => {
    const { node, snow } = bench;
    const clerk = snow.defineHandler('clerk', () => ({ onMessage() {} }));
    const children = ['first', 'second', 'third'].map((id) => snow.childSpec(id, clerk, { name: id }));
    await snow.defineSupervisor({ name: 'staff', children }).start(node);
    for (let left = actors; left > 0; left--)
      node.spawn(async function worker(self) {
        await self.receive((message) => message === 'never');
      });
    for (const { pid } of node.processes({ limit: 100 }).items) node.send(pid as never, 'waits' as never);
    const { startObserver } = (await bench.load(
      '../../ts/observe/index',
    )) as typeof import('../../../ts/observe/index.ts');
    return (await startObserver(node, { every: 500 })).url;
  }, ACTORS);
  const connect = [root.name, NODES - 3, COOKIE] as const;
  await crowd.run(
    async (bench, peer, count, cookie) => {
      const { snow, box } = bench;
      const nodes = await Promise.all(
        Array.from({ length: count }, (_, number) =>
          snow.startNode({
            name: `n${number}@127.0.0.1:0`,
            cookie,
            tickMs: 500,
            downMs: 60_000,
            logger: snow.silentLogger,
          }),
        ),
      );
      box['nodes'] = nodes;
      await Promise.all(nodes.map((node) => node.connect(peer)));
    },
    ...connect,
  );
  for (const node of lonely)
    await node.run(async (bench, peer) => void (await bench.node.connect(peer)), root.name);
  const ready = { peers: NODES - 1, timeout: 150_000 };
  for (const node of [root, ...lonely])
    await node.runFor(160_000, async (bench, all) => void (await bench.node.ready(all)), ready);
  await crowd.runFor(
    160_000,
    async ({ box }, all) => {
      for (const node of box['nodes']) await node.ready(all);
    },
    ready,
  );
}, 400_000);
afterEach(() => cluster.stop());

describe.skipIf(whyNoBrowser !== undefined)('with 32 nodes and 10 000 actors the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  /** So many nodes have answered at last. */
  const withFigures = (page: Page, count: number): Promise<void> =>
    page
      .locator('#nodes button', { hasText: ' actors, ' })
      .nth(count - 1)
      .waitFor();

  const open = async (width: number, colorScheme: 'light' | 'dark'): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultTimeout(90_000);
    await page.goto(url);
    await withFigures(page, NODES);
    await page.locator('tbody tr').nth(49).waitFor();
    return page;
  };

  it('shows which nodes have a problem: crashed actors, a blocked event loop, a lost node', async () => {
    const page = await open(1280, 'light');
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    expect(await page.locator('#map line').count()).toBe((NODES * (NODES - 1)) / 2);
    expect(await page.locator('#sums dd').first().textContent()).toBe(String(NODES));

    // Crashes of another node, of before anybody looked and of now.
    await crowd.run(async ({ box }) => {
      box['nodes'][7].spawn(async function cook() {
        throw new RangeError('burnt');
      });
    });
    await page.locator('#log .crash', { hasText: /n7@.*cook .*RangeError: burnt/ }).waitFor();

    const [blocked, gone] = lonely;
    const standing = blocked.run(
      () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000),
    );
    standing.catch(() => {}); // its process is killed at the end
    await gone.kill();
    const unhealthy = page.locator('#unhealthy button.bad');
    await unhealthy.filter({ hasText: `${gone.name} lost: there is no connection to it` }).waitFor();
    await unhealthy.filter({ hasText: `${blocked.name} stalled: its event loop is blocked` }).waitFor();
    expect(await page.title()).toMatch(/^\(\d+\) snowmesh observer$/);
    // They come first, and their dots have names.
    const first = await page.locator('#nodes button b').allTextContents();
    expect(first.slice(0, 2)).toEqual([blocked.name, gone.name]);
    const named = await page.locator('#map .dot.bad text').allTextContents();
    expect(named).toEqual(expect.arrayContaining(['blocked', 'gone']));
    // The others still answer.
    await withFigures(page, NODES - 2);
    for (const width of [390, 1280] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        expect(await page.evaluate(CUT_OFF)).toEqual([]);
        expect(await page.evaluate(OVERLAPS)).toEqual([]);
        expect((await ask(page, 'contrasts')).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
        const path = join(screenshotFolder(), `observer-32-nodes-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
    // A node with a problem is one key away.
    await unhealthy.first().press('Enter');
    await page.locator('#node-title', { hasText: blocked.name }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  }, 300_000);
});

it('a round brings a browser at most 64 KiB', async () => {
  const first = await fetch(url, { redirect: 'manual' });
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const response = await fetch(new URL('events', url), { headers: { cookie } });
  const events = { cluster: 0, node: 0, log: 0 };
  const bytes = { cluster: 0, node: 0, log: 0 };
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, kind = ''] = /^event: (\w+)/.exec(text) ?? [];
      events[kind as keyof typeof events]++;
      bytes[kind as keyof typeof bytes] += end;
      text = text.slice(end + 2);
    }
    if (events.cluster >= 4 && events.node >= 4) break;
  }
  expect(bytes.cluster / events.cluster).toBeLessThan(48 * 1024);
  expect(bytes.node / events.node).toBeLessThan(16 * 1024);
}, 240_000);
