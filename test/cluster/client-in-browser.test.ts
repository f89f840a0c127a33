// The client of rooms in a real page: by script tag under a strict policy, while the network goes and comes, while the tab sleeps.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSync } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { CLIENT_BUNDLE } from '../../scripts/client-bundle.mjs';
import { type Node, startNode } from '../../ts/node/index.ts';
import { createRooms, type Rooms } from '../../ts/rooms/index.ts';
import { startBrowser, whyNoBrowser } from '../support/browser.ts';
import { root } from '../support/child.ts';
import { until } from '../support/deadline.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

/** The page's own script: it keeps all that the client says. */
const SCRIPT = `
  log = [];
  violations = [];
  addEventListener('securitypolicyviolation', ({ violatedDirective }) => violations.push(violatedDirective));
  start = (options) => {
    client = snowmesh.connectRooms(location.origin.replace('http', 'ws') + '/rooms', options);
    for (const event of ['status', 'message', 'resync', 'queue'])
      client.on(event, (value) => log.push([event, event === 'message' ? value.data : value]));
  };
  of = (event) => log.filter(([each]) => each === event).map(([, value]) => value);
`;

const bundle = (format: 'iife' | 'esm'): string =>
  buildSync({ ...CLIENT_BUNDLE, format, entryPoints: [`${root}ts/client/index.ts`], write: false })
    .outputFiles?.[0]?.text ?? '';

let browser: Browser;
let files: Map<string, readonly [type: string, text: string]>;
let node: Node;
let rooms: Rooms;
let server: Server;
/** What the server's handler took. */
let taken: unknown[];
let page: Page;
let pageErrors: string[];

beforeAll(async () => {
  if (whyNoBrowser !== undefined) return;
  browser = await startBrowser();
  const [html, js] = ['text/html', 'text/javascript'] as const;
  files = new Map([
    ['/', [html, '<!doctype html><script src="/client.js"></script><script src="/page.js"></script>']],
    ['/module', [html, '<!doctype html><script type="module" src="/module.js"></script>']],
    ['/client.js', [js, bundle('iife')]],
    ['/client.mjs', [js, bundle('esm')]],
    ['/page.js', [js, SCRIPT]],
    ['/module.js', [js, `import * as all from '/client.mjs'; globalThis.snowmesh = all; ${moduleScript()}`]],
  ]);
});
afterAll(() => browser?.close());

/** A module declares nothing by assignment. */
function moduleScript(): string {
  return SCRIPT.replace(/^ {2}(log|violations|start|of) =/gm, '  globalThis.$1 =').replace(
    'client = snow',
    'globalThis.client = snow',
  );
}

beforeEach(async () => {
  if (whyNoBrowser !== undefined) return;
  taken = [];
  pageErrors = [];
  node = await startNode();
  rooms = createRooms(node, {
    join: () => true,
    message: (connection, data) => {
      taken.push(data);
      connection.broadcast('g', data);
    },
  });
  server = createServer(({ url = '' }, response) => {
    const [type, text] = files.get(url) ?? ['text/plain', ''];
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY }).end(text);
  });
  rooms.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  if (whyNoBrowser !== undefined) return;
  rooms.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});

async function open(path: string, options: object = {}): Promise<void> {
  page = await (await browser.newContext()).newPage();
  page.on('pageerror', ({ message }) => pageErrors.push(message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await page.evaluate(`start(${JSON.stringify(options)}); client.join('g')`);
}

const of = (event: string): Promise<unknown[]> => page.evaluate<unknown[]>(`of('${event}')`);
const statusIs = (status: string): Promise<unknown> =>
  until(`the status ${status}`, async () => (await page.evaluate('client.status')) === status);
const messagesCome = (count: number): Promise<unknown> =>
  until(`${count} messages`, async () => (await of('message')).length >= count);
/** The network is cut, and its sockets end. */
const cut = (): void => {
  for (const connection of rooms.connections()) connection.terminate({ code: 1006, reason: 'cut' });
};

describe.skipIf(whyNoBrowser !== undefined)(
  `the client in a browser${whyNoBrowser === undefined ? '' : `: ${whyNoBrowser}`}`,
  () => {
    it.each(['/', '/module'])('runs at %s where a page may run its own scripts alone', async (path) => {
      await open(path);
      await page.evaluate(
        `client.send({ text: 'hé' }); client.send('text'); client.send(Uint8Array.of(1, 255))`,
      );
      await messagesCome(3);
      rooms.broadcast('g', 'from the server');
      await messagesCome(4);
      const [first, second, third, fourth] = await of('message');
      expect([first, second, fourth]).toEqual([{ text: 'hé' }, 'text', 'from the server']);
      expect(Object.values(third as object)).toEqual([1, 255]);
      expect(await of('status')).toEqual(['connecting', 'open']);
      await page.evaluate('client.close()');
      expect([await of('status'), await page.evaluate('violations'), pageErrors]).toEqual([
        ['connecting', 'open', 'closed'],
        [],
        [],
      ]);
      // The policy is in force: the page itself may evaluate nothing.
      const evaluated = `try { setTimeout('1'); 'allowed' } catch { 'refused' }`;
      await page.evaluate(evaluated).catch(() => {});
      await until('a violation is told', () => page.evaluate<boolean>('violations.length > 0'));
    });

    it('stores what is sent while the network is down, and connects when it is back', async () => {
      // It would wait for minutes by itself: what connects it is the event.
      await open('/', { minDelay: 600_000, maxDelay: 600_000 });
      await statusIs('open');
      await page.evaluate(`client.send('before')`);
      await messagesCome(1);
      await page.context().setOffline(true);
      cut();
      await statusIs('waiting');
      expect(await page.evaluate(`[1, 2, 3].map((each) => client.send(each))`)).toEqual([true, true, true]);
      expect(await page.evaluate('[client.queued, client.joined()]')).toEqual([3, ['g']]);
      rooms.broadcast('g', 'missed');
      await page.context().setOffline(false);
      await statusIs('open');
      await messagesCome(5);
      await until('all was taken', () => page.evaluate<boolean>('client.queued === 0'));
      expect(await of('message')).toEqual(['before', 'missed', 1, 2, 3]);
      expect(taken).toEqual(['before', 1, 2, 3]);
      expect(await of('status')).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
      expect((await of('queue')).slice(0, 5)).toEqual([1, 0, 1, 2, 3]);
      expect([await of('resync'), pageErrors]).toEqual([[], []]);
    });

    it('gets everything after its tab was frozen and its connection has ended', async () => {
      await open('/', { minDelay: 600_000, maxDelay: 600_000 });
      await statusIs('open');
      rooms.broadcast('g', 1);
      await messagesCome(1);
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      rooms.broadcast('g', 2);
      cut();
      rooms.broadcast('g', 3);
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      // A frozen tab hears of the end when it runs again, and of being seen.
      await statusIs('waiting');
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await messagesCome(3);
      expect(await of('message')).toEqual([1, 2, 3]);
      expect([await of('resync'), pageErrors]).toEqual([[], []]);
    });
  },
);
