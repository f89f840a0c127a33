// The observer page: who may see it, and what it shows, in a headless Chromium.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  childSpec,
  defineHandler,
  defineSupervisor,
  type Node,
  silentLogger,
  startNode,
} from '../../../ts/index.ts';
import { type Observer, startObserver } from '../../../ts/observe/index.ts';
import { ask, screenshotFolder, startBrowser, whyNoBrowser } from '../../support/browser.ts';
import { root } from '../../support/child.ts';
import { until, within } from '../../support/deadline.ts';

const cookie = 'only for tests: 0123456789';
let nodes: Node[] = [];
let observer: Observer;
beforeEach(async () => {
  nodes = await Promise.all(
    ['shop', 'store', 'depot', 'desk', 'yard'].map((name) =>
      startNode({ name: `${name}@127.0.0.1:0`, cookie, logger: silentLogger }),
    ),
  );
  const [shop] = nodes as [Node];
  for (const other of nodes.slice(1)) await shop.connect(other.name);
  await shop.ready({ peers: nodes.length - 1 });
  const clerk = defineHandler('clerk', () => ({
    onMessage(message: unknown) {
      if (message === 'fail') throw new Error('out of paper');
    },
  }));
  const children = ['first', 'second'].map((id) => childSpec(id, clerk, { name: id }));
  await defineSupervisor({ name: 'staff', intensity: 9, children }).start(shop);
  const heap = shop.spawn(async function heap(self) {
    await self.receive((message) => message === 'never');
  });
  for (let left = 42; left > 0; left--) shop.send(heap, left as never);
  observer = await startObserver(shop, { every: 500 });
});
afterEach(async () => {
  await observer.close();
  await Promise.all(nodes.map((node) => node.stop()));
});

describe('who may see the page', () => {
  it('W9 nobody without the token, not even its events', async () => {
    const base = `http://127.0.0.1:${observer.port}`;
    for (const path of ['/', '/app.js', '/events', '/?token=0123456789abcdef'])
      expect((await fetch(base + path, { redirect: 'manual' })).status).toBe(401);
    const first = await fetch(observer.url, { redirect: 'manual' });
    const [given = ''] = first.headers.getSetCookie();
    expect([first.status, given]).toEqual([303, expect.stringMatching(/HttpOnly; SameSite=Strict/)]);
    const headers = { cookie: given.split(';')[0] ?? '' };
    const page = await fetch(base, { headers });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect((await fetch(`${base}/../package.json`, { headers })).status).toBe(404);
    expect((await fetch(`${base}/events?table=secrets`, { headers })).status).toBe(400);
    expect((await fetch(base, { headers, method: 'POST' })).status).toBe(405);
  });

  it.runIf(process.platform === 'linux')('W9 nobody at another address', async () => {
    const socket = connect(observer.port, '127.0.0.2'); // each address of 127.0.0.0/8 is its own
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('W9 nobody without the token, whatever name the page is asked under', async () => {
    const { port } = observer;
    for (const host of ['evil.example', `evil.example:${port}`, `localhost:${port}`, `127.0.0.1:${port}`]) {
      const socket = connect(port, '127.0.0.1');
      socket.end(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(await text(socket), host).toMatch(/^HTTP\/1\.1 401 /);
    }
  });

  it.each([
    '//',
    '//x',
    '//[',
    'http://[',
    'http://:99999/',
    '/%',
    '/%00',
    '*',
    '/?token=%E0%A4%A',
    '/__proto__',
  ])('a target that is no path is refused: %s', async (target) => {
    const socket = connect(observer.port, '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[01] /);
  });

  it('connections that send nothing keep nobody out', async () => {
    const silent = Array.from({ length: 100 }, () => connect(observer.port, '127.0.0.1'));
    const closed = Promise.all(silent.slice(0, 40).map((socket) => once(socket, 'close')));
    for (const socket of silent) socket.on('error', () => {});
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    expect((await fetch(observer.url, { redirect: 'manual' })).status).toBe(303);
    await closed;
    for (const socket of silent) socket.destroy();
  });

  it('a browser only as long as it takes what it is sent', async () => {
    const [given = ''] = (await fetch(observer.url, { redirect: 'manual' })).headers.getSetCookie();
    const headers = { cookie: given.split(';')[0] ?? '' };
    const waits = (message: unknown): void => {
      const { response } = message as { response: object };
      Object.defineProperty(response, 'writableLength', { value: 2 ** 30 });
    };
    subscribe('http.server.request.start', waits);
    try {
      const events = fetch(new URL('/events', observer.url), { headers }).then((response) => response.text());
      const ended = events.then(
        () => false,
        () => true,
      );
      expect(await within('the end of the events', ended)).toBe(true);
    } finally {
      unsubscribe('http.server.request.start', waits);
    }
  });

  it('sixteen browsers, and another one when one of them leaves', async () => {
    const [given = ''] = (await fetch(observer.url, { redirect: 'manual' })).headers.getSetCookie();
    const headers = { cookie: given.split(';')[0] ?? '' };
    const open = async (): Promise<{ status: number; leave: () => void }> => {
      const leaving = new AbortController();
      const events = new URL('/events', observer.url);
      const { status, body } = await fetch(events, { headers, signal: leaving.signal });
      if (status !== 200) await body?.cancel();
      return { status, leave: () => leaving.abort() };
    };
    const viewers = await Promise.all(Array.from({ length: 16 }, open));
    expect(viewers.map(({ status }) => status)).toEqual(viewers.map(() => 200));
    expect((await open()).status).toBe(503);
    viewers[0]?.leave();
    for (;;) {
      const next = await open();
      viewers.push(next);
      if (next.status === 200) break;
    }
    for (const { leave } of viewers) leave();
  });

  it('all browsers with the same view cause one query', async () => {
    const [shop] = nodes as [Node];
    await observer.close();
    observer = await startObserver(shop, { every: 3_600_000 });
    const asked = vi.spyOn(shop.introspector.view, 'totals');
    const [given = ''] = (await fetch(observer.url, { redirect: 'manual' })).headers.getSetCookie();
    const headers = { cookie: given.split(';')[0] ?? '' };
    const leaving = new AbortController();
    /** Resolves when a browser has the table. It stays. */
    const shown = async (table: string): Promise<void> => {
      const events = new URL(`/events?table=${table}`, observer.url);
      const { body } = await fetch(events, { headers, signal: leaving.signal });
      const reader = body!.getReader();
      for (let text = ''; !text.includes('event: node\n'); )
        text += Buffer.from((await reader.read()).value!).toString();
    };
    await Promise.all(['names', 'names', 'names'].map(shown));
    expect(asked).toHaveBeenCalledTimes(1);
    await shown('tree');
    expect(asked).toHaveBeenCalledTimes(2);
    leaving.abort();
  });

  it('refuses wrong options', async () => {
    for (const options of [{ port: -1 }, { every: 1 }, { token: 'short' }, { x: 1 }])
      await expect(startObserver(nodes[0]!, options as never)).rejects.toMatchObject({
        code: 'SNOW_ERR_BAD_OPTION',
      });
    await expect(startObserver(nodes[0]!, { port: observer.port })).rejects.toMatchObject({
      code: 'SNOW_ERR_LISTEN',
    });
  });
});

const folder = join(root, 'ts/observe/page');

it('every file of the page is served with its type, and no other path is', async () => {
  const first = await fetch(observer.url, { redirect: 'manual' });
  const headers = { cookie: first.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  const get = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${observer.port}/${path}`, { headers });
  const types: Record<string, RegExp> = {
    '.html': /^text\/html;/,
    '.js': /^text\/javascript;/,
    '.css': /^text\/css;/,
    '.svg': /^image\/svg/,
  };
  for (const name of [...readdirSync(folder), 'uplot.js', 'uplot.css']) {
    const response = await get(name);
    expect([name, response.status]).toEqual([name, 200]);
    expect(response.headers.get('content-type'), name).toMatch(types[extname(name)] as RegExp);
    await response.arrayBuffer();
  }
  const page = await (await get('')).text();
  const linked = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => name);
  expect(linked).toContain('app.js');
  for (const name of linked) expect([name, (await get(name)).status]).toEqual([name, 200]);
  for (const path of ['page', 'observer.ts', 'style.css', 'app.js/'])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});

it('the page is small', () => {
  const size = (path: string): number => statSync(path).size;
  const own = readdirSync(folder).reduce((sum, name) => sum + size(join(folder, name)), 0);
  const plots = join(root, 'node_modules/uplot/dist');
  const theirs = size(join(plots, 'uPlot.iife.min.js')) + size(join(plots, 'uPlot.min.css'));
  expect(own + theirs).toBeLessThan(150 * 1024);
});

/** Numbers of charts, in the order of the page. */
const MAILBOXES = 0;
const BYTES_IN = 5;

describe.skipIf(whyNoBrowser !== undefined)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  const open = async (width: number, colorScheme: 'light' | 'dark'): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultTimeout(90_000);
    await page.goto(observer.url);
    await page.getByRole('cell', { name: 'heap' }).waitFor();
    return page;
  };

  /** Resolves when the chart with this number has drawn a line in the colours of the page. */
  const lineOf = (page: Page, number: number): Promise<number> =>
    until(`the line of chart ${number}`, () => ask(page, 'chartPixels', number));

  it('shows nodes, the longest mailbox, the tree, names, crashes and a lost node', async () => {
    const page = await open(1280, 'light');
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.locator('#nodes button').nth(4).waitFor();
    expect(await page.locator('#nodes button').count()).toBe(5);
    expect(await page.locator('tbody tr').first().textContent()).toMatch(/heap.*42/);
    await page.getByRole('button', { name: 'Supervision' }).press('Enter');
    await page.getByText('second').waitFor();
    await page.getByRole('button', { name: 'Names', exact: true }).click();
    await page.getByRole('cell', { name: 'first' }).waitFor();
    const first = nodes[0]!.whereis('first')!;
    nodes[0]!.send('first', 'fail' as never);
    await page.getByText('out of paper').waitFor();
    nodes[0]!.send(first, 'late' as never);
    await page.locator('#lost tr', { hasText: /^noproc\d+shop \d+$/ }).waitFor();
    await nodes[4]!.stop();
    await page.locator('#nodes button.bad', { hasText: 'yard@' }).waitFor();
    await page.getByText('yard@').first().waitFor();
    // Another node, by keyboard.
    await page.locator('#nodes button', { hasText: 'store@' }).press('Enter');
    await page.locator('#node-title', { hasText: 'store@' }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it('the nodes of the map are reached and chosen by keyboard', async () => {
    const page = await open(1280, 'light');
    const labels = await page
      .locator('#map .dot')
      .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label') ?? ''));
    // Behind the name a label has the state of the node, which may change meanwhile.
    const nodeOf = (label: string): string => label.split(': ')[0] ?? '';
    const names = labels.map(nodeOf);
    expect(new Set(names).size).toBe(5);
    await page.locator('#map .dot[tabindex="0"]').focus();
    await page.keyboard.press('Home');
    const walk: string[] = [];
    for (const key of [
      'ArrowRight',
      'ArrowDown',
      'ArrowLeft',
      'ArrowUp',
      'ArrowLeft',
      'Home',
      'End',
      'ArrowRight',
    ]) {
      await page.keyboard.press(key);
      const { label, isSeen, stops } = await ask(page, 'dot');
      expect({ isSeen, stops }).toEqual({ isSeen: true, stops: 1 });
      walk.push(label);
    }
    expect(walk.map((label) => names.indexOf(nodeOf(label)))).toEqual([1, 2, 1, 0, 4, 0, 4, 0]);
    for (const [at, key] of [
      [1, 'Enter'],
      [2, ' '],
    ] as const) {
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press(key);
      const name = names[at]!;
      await page.locator('#node-title', { hasText: name }).waitFor();
      await page.locator(`#map .dot.chosen[aria-label^="${name}"][aria-pressed="true"]`).waitFor();
    }
    // The figures of the next rounds leave the focus where it is.
    await page.locator('#facts', { hasText: 'up ' }).waitFor();
    expect(names.indexOf(nodeOf((await ask(page, 'dot')).label))).toBe(2);
    // One step of Tab leaves the map.
    await page.keyboard.press('Tab');
    expect((await ask(page, 'dot')).label).toBe('');
    await page.close();
  });

  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('fits %i px, %s, and can be read', async (width, colorScheme) => {
    const page = await open(width, colorScheme);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const faint = (await ask(page, 'contrasts')).filter(({ ratio }) => ratio < 4.5);
    for (const chart of [MAILBOXES, BYTES_IN]) await lineOf(page, chart);
    await page.screenshot({
      path: join(screenshotFolder(), `observer-${width}-${colorScheme}.png`),
      fullPage: true,
    });
    expect(faint).toEqual([]);
    await page.close();
  });
});
