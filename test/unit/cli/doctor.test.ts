import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';
import { silentLogger, startNode } from '../../../ts/index.ts';
import { frameOf, REFUSE } from '../../support/plain-handshake.ts';
import { WireAcceptor } from '../../support/wire-peer.ts';

const COOKIE = 'a-cookie-of-the-doctor-0123456789';

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly detail: string;
}

/** What `doctor` finds, by check, and its exit code. */
async function examine(
  line: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; found: ReadonlyMap<string, Finding> }> {
  let out = '';
  const { signal } = new AbortController();
  const terminal = { out: (text: string) => void (out += text), err: () => {}, signal, env };
  const code = await runCommand(['doctor', '--json', ...line], terminal);
  return { code, found: new Map((JSON.parse(out) as Finding[]).map((each) => [each.check, each])) };
}

/** Takes every connection, and says nothing. */
let silent: Server;
let port: number;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-doctor-'));
  silent = createServer().listen(0, '0.0.0.0');
  await once(silent, 'listening');
  ({ port } = silent.address() as AddressInfo);
});
afterAll(() => {
  silent.close();
  rmSync(folder, { recursive: true });
});

const cookieFile = (text: string): string => {
  const file = join(folder, `cookie-${text.length}`);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};

describe('the doctor', () => {
  it('finds nothing wrong where nothing is named', async () => {
    const { code, found } = await examine([]);
    expect(code).toBe(0);
    expect([...found.values()].map(({ check, state }) => [check, state])).toEqual([
      ['runtime', 'ok'],
      ['addon', 'ok'],
      ['name', 'ok'],
      ['dns', 'skipped'],
      ['port', 'skipped'],
      ['cookie', 'skipped'],
      ['discovery', 'skipped'],
      ['peer', 'skipped'],
    ]);
  });

  it.each([
    [
      'dns',
      'an address of this machine',
      () => ['--name', 'a@127.0.0.1:0'],
      'ok',
      /^127\.0\.0\.1 is 127\.0\.0\.1$/,
    ],
    [
      'dns',
      'one of another machine',
      () => ['--name', 'a@192.0.2.1:0'],
      'warning',
      /not an address of this machine/,
    ],
    ['port', 'any', () => ['--name', 'a@127.0.0.1:0'], 'ok', /0, a free one/],
    ['port', 'one in use', () => ['--name', `a@127.0.0.1:${port}`], 'warning', /is in use/],
    ['cookie', 'a short one', () => ['--cookie-file', cookieFile('short')], 'failed', /cookie/],
    ['cookie', 'a file that is not there', () => ['--cookie-file', join(folder, 'none')], 'failed', /none/],
    ['cookie', 'a good one', () => ['--cookie-file', cookieFile(COOKIE)], 'ok', /long enough/],
    ['discovery', 'a list', () => ['--discovery', 'list:a@127.0.0.1:9000'], 'ok', /^list:/],
    [
      'discovery',
      'what is none',
      () => ['--discovery', 'list:a'],
      'failed',
      /must be a list of name@host:port/,
    ],
    [
      'peer',
      'what listens and says nothing',
      () => ['--node', `a@127.0.0.1:${port}`, '--cookie-file', cookieFile(COOKIE), '--timeout', '300'],
      'failed',
      /Something listens on port \d+ of 127\.0\.0\.1/,
    ],
    [
      'peer',
      'where nothing listens',
      () => ['--node', 'a@127.0.0.1:1', '--cookie-file', cookieFile(COOKIE), '--timeout', '5000'],
      'failed',
      /Nothing listens on port 1 of 127\.0\.0\.1/,
    ],
    [
      'peer',
      'a host that DNS does not know',
      () => ['--node', 'a@nowhere.invalid:9000', '--cookie-file', cookieFile(COOKIE), '--timeout', '5000'],
      'failed',
      /DNS has no address for nowhere\.invalid/,
    ],
    [
      'peer',
      'a host that is none',
      () => ['--node', 'a@a..b:9000', '--cookie-file', cookieFile(COOKIE), '--timeout', '5000'],
      'failed',
      /"a\.\.b" is neither a host name nor an IPv4 address/,
    ],
    [
      'peer',
      'an address that is out of reach, as behind a firewall',
      () => ['--node', 'a@255.255.255.255:9000', '--cookie-file', cookieFile(COOKIE), '--timeout', '5000'],
      'failed',
      /Port 9000 of 255\.255\.255\.255 does not answer: a firewall drops packets, or the host is down/,
    ],
  ] as const)('looks at %s: %s', async (check, _what, line, state, detail) => {
    const { code, found } = await examine(line());
    expect(found.get(check)).toMatchObject({ state, detail: expect.stringMatching(detail) });
    expect(code).toBe([...found.values()].some((each) => each.state === 'failed') ? 1 : 0);
  });

  it.each([
    ['20.18.3', 'failed', /on Node\.js 20\.18\.3, .*: it needs Node\.js 20\.19, or 22\.3 or later/],
    ['22.2.0', 'failed', /it needs Node\.js 20\.19, or 22\.3 or later/],
    ['20.19.0', 'ok', /on Node\.js 20\.19\.0, /],
    ['18.20.8', 'failed', /it needs Node\.js 20\.19, or 22\.3 or later/],
    ['26.0.0', 'ok', /on Node\.js 26\.0\.0, /],
  ] as const)('looks at runtime: Node.js %s', async (node, state, detail) => {
    const versions = { value: { ...process.versions, node } };
    vi.stubGlobal('process', Object.create(process, { versions }));
    const { code, found } = await examine([]).finally(() => vi.unstubAllGlobals());
    expect(found.get('runtime')).toMatchObject({ state, detail: expect.stringMatching(detail) });
    if (state === 'failed') expect(code).toBe(1);
  });

  it.each([
    ['another version of the wire', 1],
    ['other capabilities', 2],
  ])('looks at peer: %s', async (_what, refusal) => {
    await using acceptor = await WireAcceptor.listen();
    const refused = (async () => {
      await using peer = await acceptor.accept();
      await peer.next();
      peer.write(frameOf(REFUSE, Buffer.from([refusal])));
      await peer.next().catch(() => {});
    })();
    const line = ['--node', `a@127.0.0.1:${acceptor.port}`, '--cookie-file', cookieFile(COOKIE)];
    const { code, found } = await examine(line);
    expect(found.get('peer')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('it runs an incompatible version of snowmesh'),
    });
    expect(code).toBe(1);
    await refused;
  });

  it('looks at peer: another version of snowmesh', async () => {
    await using node = await startNode({ name: 'old@127.0.0.1:0', cookie: COOKIE, logger: silentLogger });
    const { view } = node.introspector;
    const overview = view.overview.bind(view);
    view.overview = () => ({ ...overview(), version: '0.0.1' });
    const { code, found } = await examine(['--node', node.name, '--cookie-file', cookieFile(COOKIE)]);
    expect(found.get('peer')).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/answers: snowmesh 0\.0\.1, .*; this is snowmesh \d+\.\d+\.\d+/),
    });
    expect(code).toBe(0);
  });

  it('takes name, cookie and discovery from the environment, and doubts a cookie that is in it', async () => {
    const { code, found } = await examine([], {
      SNOWMESH_NAME: `a@127.0.0.1:${port}`,
      SNOWMESH_COOKIE: COOKIE,
      SNOWMESH_DISCOVERY: 'list:a@127.0.0.1:9000',
      SNOWMESH_LISTEN: '127.0.0.1:0',
    });
    expect(code).toBe(0);
    expect(found.get('name')?.detail).toBe(`a@127.0.0.1:${port}`);
    expect(found.get('cookie')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('prefer a file'),
    });
    expect(found.get('discovery')?.state).toBe('ok');
    // Where it listens counts, not the port of its name.
    expect(found.get('port')?.state).toBe('ok');
  });
});
