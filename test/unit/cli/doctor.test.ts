import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';

const COOKIE = 'a-cookie-of-the-doctor-0123456789';

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly says: string;
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
      ['runtime', 'good'],
      ['addon', 'good'],
      ['name', 'good'],
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
      'good',
      /^127\.0\.0\.1 is 127\.0\.0\.1$/,
    ],
    [
      'dns',
      'one of another machine',
      () => ['--name', 'a@192.0.2.1:0'],
      'doubtful',
      /no address of this machine/,
    ],
    ['port', 'any', () => ['--name', 'a@127.0.0.1:0'], 'good', /any free one/],
    ['port', 'one in use', () => ['--name', `a@127.0.0.1:${port}`], 'doubtful', /is in use/],
    ['cookie', 'a short one', () => ['--cookie-file', cookieFile('short')], 'failed', /cookie/],
    ['cookie', 'a file that is not there', () => ['--cookie-file', join(folder, 'none')], 'failed', /none/],
    ['cookie', 'a good one', () => ['--cookie-file', cookieFile(COOKIE)], 'good', /long enough/],
    ['discovery', 'a list', () => ['--discovery', 'list:a@127.0.0.1:9000'], 'good', /^list:/],
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
  ] as const)('looks at %s: %s', async (check, _what, line, state, says) => {
    const { code, found } = await examine(line());
    expect(found.get(check)).toMatchObject({ state, says: expect.stringMatching(says) });
    expect(code).toBe([...found.values()].some((each) => each.state === 'failed') ? 1 : 0);
  });

  it('takes name, cookie and discovery from the environment, and doubts a cookie that is in it', async () => {
    const { code, found } = await examine([], {
      SNOWMESH_NAME: `a@127.0.0.1:${port}`,
      SNOWMESH_COOKIE: COOKIE,
      SNOWMESH_DISCOVERY: 'list:a@127.0.0.1:9000',
      SNOWMESH_LISTEN: '127.0.0.1:0',
    });
    expect(code).toBe(0);
    expect(found.get('name')?.says).toBe(`a@127.0.0.1:${port}`);
    expect(found.get('cookie')).toMatchObject({
      state: 'doubtful',
      says: expect.stringContaining('prefer a file'),
    });
    expect(found.get('discovery')?.state).toBe('good');
    // Where it listens counts, not the port of its name.
    expect(found.get('port')?.state).toBe('good');
  });
});
