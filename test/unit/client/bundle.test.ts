// What a page loads.
import { readdirSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { CLIENT_BUNDLE } from '../../../scripts/client-bundle.mjs';
import { SUBPROTOCOL } from '../../../ts/client/index.ts';
import { root } from '../../support/child.ts';

const folder = `${root}ts/client/`;

/** As scripts/build-ts.mjs writes snowmesh-client.min.js, or in another format. */
function bundle(options: { readonly format?: 'esm' } = {}): string {
  const entryPoints = [`${folder}index.ts`];
  const { outputFiles } = buildSync({ ...CLIENT_BUNDLE, ...options, entryPoints, write: false });
  return outputFiles?.[0]?.text ?? '';
}

it.each([{}, { format: 'esm' }] as const)('the client takes at most 6.8 KiB, gzipped: %o', (options) => {
  const bytes = gzipSync(bundle(options), { level: 9 }).length;
  expect(bytes).toBeGreaterThan(1024);
  expect(bytes).toBeLessThanOrEqual(6.8 * 1024);
});

/** A browser's WebSocket in the hands of a test. */
class PageSocket extends EventTarget {
  static last: PageSocket | undefined;
  binaryType = '';
  readyState = 1;
  readonly sent: (string | Uint8Array)[] = [];
  readonly url: string;
  readonly protocol: string;

  constructor(url: string, protocol: string) {
    super();
    this.url = url;
    this.protocol = protocol;
    PageSocket.last = this;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  hear(data: unknown): void {
    const text = data instanceof ArrayBuffer ? data : JSON.stringify(data);
    this.dispatchEvent(Object.assign(new Event('message'), { data: text }));
  }
}

it('the script of a page connects, joins, sends and receives with only what browsers have', async () => {
  const listening = new Set<string>();
  const due: (() => void)[] = [];
  const page = createContext({
    WebSocket: PageSocket,
    TextDecoder,
    TextEncoder,
    performance,
    URL,
    setTimeout: (run: () => void, ms: number) => void (ms === 0 && due.push(run)),
    clearTimeout: () => {},
    setInterval: () => 0,
    clearInterval: () => {},
    addEventListener: (event: string) => void listening.add(event),
    removeEventListener: (event: string) => void listening.delete(event),
  });
  runInContext(bundle(), page);
  runInContext(
    `log = [];
     client = snowmesh.connectRooms('wss://example.com/rooms');
     for (const event of ['status', 'message', 'direct', 'joined', 'presence', 'resync'])
       client.on(event, (value) => log.push([event, event === 'presence' ? value.all.size : value]));
     joining = client.join('lobby');
     client.send({ text: 'early' });`,
    page,
  );
  for (const run of due) run();
  const socket = PageSocket.last as PageSocket;
  expect([socket.url, socket.protocol, socket.binaryType]).toEqual([
    'wss://example.com/rooms',
    SUBPROTOCOL,
    'arraybuffer',
  ]);
  socket.dispatchEvent(new Event('open'));
  const welcome = { session: 's', id: 'i', resumed: false, last: 0, beatMs: 1000, spreadMs: 1000 };
  socket.hear(['welcome', welcome]);
  expect(socket.sent.map((text) => JSON.parse(String(text)) as unknown)).toEqual([
    ['hello', null, [], false, 0],
    ['join', 1, 'lobby'],
    ['send', 1, { text: 'early' }],
  ]);
  socket.hear(['joined', 1, 'lobby', 'ticket', { a: 4 }]);
  await runInContext('joining', page);
  socket.hear(['ack', 1]);
  socket.hear(['m', 'lobby', 'a', 4, 'seen before']);
  socket.hear(['m', 'lobby', 'a', 5, 'héllo']);
  const name = new TextEncoder().encode('lobby');
  socket.hear(Uint8Array.of(2, name.length, ...name, 1, 97, 0, 0, 0, 0, 0, 6, 1, 2, 3).buffer);
  socket.hear(Uint8Array.of(1, 9).buffer);
  socket.hear(['present', 'lobby', [{ key: 'alice', metas: [{}] }]]);
  const log = JSON.parse(runInContext('JSON.stringify(log)', page) as string) as unknown;
  expect(log).toEqual([
    ['status', 'connecting'],
    ['status', 'open'],
    ['joined', { room: 'lobby' }],
    ['message', { room: 'lobby', origin: 'a', sequence: 5, data: 'héllo' }],
    ['message', { room: 'lobby', origin: 'a', sequence: 6, data: { 0: 1, 1: 2, 2: 3 } }],
    ['direct', { 0: 9 }],
    ['presence', 1],
  ]);
  expect(runInContext('client.queued', page)).toBe(0);
  expect([...listening]).toEqual(['online', 'offline', 'pageshow']);
  runInContext('client.close()', page);
  expect(listening.size).toBe(0);
  expect(socket.readyState).toBe(3);
});

it('the client imports nothing from outside its folder', () => {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(folder + file, 'utf8');
    for (const [, from = ''] of text.matchAll(/from '(.*)'/g))
      expect(from, file).toMatch(/^\.\/[a-z-]+\.ts$/);
    expect(text, file).not.toMatch(/\b(Buffer|process|require)\b/);
  }
});
