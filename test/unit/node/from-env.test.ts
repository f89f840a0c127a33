import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { lookupPort } from '../../../ts/discovery/index.ts';
import { type NodeOptions, startNode } from '../../../ts/index.ts';
import { optionsFrom } from '../../../ts/node/from-env.ts';
import { reservePort } from '../../support/ports.ts';

const COOKIE = 'only for tests: 0123456789';
const failure = (environment: Record<string, string>): string => {
  try {
    optionsFrom(environment, {});
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return 'none';
};

describe('the environment', () => {
  it('says name, cookie, address and the rest; options win', () => {
    const environment = {
      SNOWMESH_NAME: 'a@10.0.0.1:9000',
      SNOWMESH_COOKIE_FILE: '/run/cookie',
      SNOWMESH_LISTEN: '0.0.0.0:9001',
      SNOWMESH_HIDDEN: 'true',
      SNOWMESH_INTROSPECTION: '0',
      SNOWMESH_AUTO_CONNECT: 'explicit',
      SNOWMESH_MESH: 'explicit',
      SNOWMESH_TICK_MS: '1000',
      SNOWMESH_DOWN_MS: '4000',
      SNOWMESH_NATIVE_PATH: '/x.node',
      PATH: '/bin',
    };
    expect(optionsFrom(environment, { hidden: false, tickMs: 500 })).toEqual({
      name: 'a@10.0.0.1:9000',
      cookieFile: '/run/cookie',
      listen: { host: '0.0.0.0', port: 9001 },
      hidden: false,
      introspection: false,
      autoConnect: 'explicit',
      mesh: 'explicit',
      tickMs: 500,
      downMs: 4000,
    });
  });

  it('gives no cookie when the options have one, whichever way', () => {
    const environment = { SNOWMESH_COOKIE: COOKIE };
    expect(optionsFrom(environment, { cookieFile: '/other' })).toEqual({ cookieFile: '/other' });
    expect(optionsFrom(environment, {})).toEqual({ cookie: COOKIE });
    expect(optionsFrom({ SNOWMESH_COOKIE_FILE: '/run/cookie' }, { cookie: COOKIE })).toEqual({
      cookie: COOKIE,
    });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('has flags: %s', (text, hidden) => {
    expect(optionsFrom({ SNOWMESH_HIDDEN: text }, {})).toEqual({ hidden });
  });

  it('listens on any port that there is', () => {
    expect(optionsFrom({ SNOWMESH_LISTEN: ':65535' }, {})).toEqual({ listen: { port: 65_535 } });
    expect(failure({ SNOWMESH_LISTEN: ':65536' })).toContain('it must be host');
  });

  it('wants a name and no port of a discovery by SRV records', () => {
    for (const text of ['srv:_mesh._tcp.shop', 'srv:shop@_mesh._tcp.shop:9000'])
      expect(failure({ SNOWMESH_DISCOVERY: text })).toContain('SNOWMESH_DISCOVERY is');
  });

  it('gives what the options have as undefined', () => {
    const environment = { SNOWMESH_COOKIE: COOKIE, SNOWMESH_NAME: 'a@10.0.0.1:9000' };
    const unset = { cookie: undefined, name: undefined, tickMs: undefined } as unknown as NodeOptions;
    expect(optionsFrom(environment, unset)).toEqual({ cookie: COOKIE, name: 'a@10.0.0.1:9000' });
  });

  it.each([
    ['10.0.0.1', { host: '10.0.0.1' }],
    [':9000', { port: 9000 }],
    ['[::]:9000', { host: '::', port: 9000 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
  ])('SNOWMESH_LISTEN=%s', (text, listen) => {
    expect(optionsFrom({ SNOWMESH_LISTEN: text }, {})).toEqual({ listen });
  });

  it.each([
    'list:a@h:1, b@h:2',
    'dns:shop@shop.local:9000',
    'srv:shop@_shop._tcp.local',
    'file:/etc/nodes',
    'portmap',
    'portmap:10.0.0.1:4370',
    'portmap+embed',
    'portmap+embed::4371',
  ])('SNOWMESH_DISCOVERY=%s makes a discovery', (text) => {
    const { discovery } = optionsFrom({ SNOWMESH_DISCOVERY: text }, {});
    expect(discovery).toMatchObject({ start: expect.any(Function), stop: expect.any(Function) });
  });

  it('lists nodes as written', () => {
    const found: (readonly string[])[] = [];
    const { discovery } = optionsFrom({ SNOWMESH_DISCOVERY: 'list:b@h:2, a@h:1' }, {});
    void discovery?.start({ found: (names) => void found.push(names), failed: () => {} });
    expect(found).toEqual([['a@h:1', 'b@h:2']]);
  });

  it.each([
    ['dns:shop@pods.test:9000', 'pods.test', ['shop@10.0.0.1:9000', 'shop@[fd00::1]:9000']],
    ['dns:shop@pods.test', 'pods.test', ['shop@10.0.0.1', 'shop@[fd00::1]']],
    ['srv:shop@_mesh._tcp.test', '_mesh._tcp.test', ['shop@one.test:9001']],
  ])('SNOWMESH_DISCOVERY=%s finds the nodes of %s', async (text, host, names) => {
    const asked: string[] = [];
    const answers =
      <T>(...records: T[]) =>
      async (hostname: string): Promise<T[]> => {
        asked.push(hostname);
        return records;
      };
    vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(answers('10.0.0.1') as never);
    vi.spyOn(Resolver.prototype, 'resolve6').mockImplementation(answers('fd00::1') as never);
    const service = { name: 'one.test', port: 9001, priority: 1, weight: 1 };
    vi.spyOn(Resolver.prototype, 'resolveSrv').mockImplementation(answers(service));
    try {
      const { discovery } = optionsFrom({ SNOWMESH_DISCOVERY: text }, {});
      const found = await new Promise((resolve, reject) => {
        void discovery?.start({ found: resolve, failed: reject });
      });
      await discovery?.stop();
      expect(found).toEqual(names);
      expect(new Set(asked)).toEqual(new Set([host]));
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('SNOWMESH_DISCOVERY=file: finds the nodes in the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'snowmesh-env-'));
    const path = join(folder, 'nodes');
    writeFileSync(path, 'shop@10.0.0.1:9000\n');
    const { discovery } = optionsFrom({ SNOWMESH_DISCOVERY: `file:${path}` }, {});
    const found = await new Promise((resolve, reject) => {
      void discovery?.start({ found: resolve, failed: reject });
    });
    await discovery?.stop();
    rmSync(folder, { recursive: true });
    expect(found).toEqual(['shop@10.0.0.1:9000']);
  });

  it('SNOWMESH_DISCOVERY=portmap+embed runs a port mapper where none runs, portmap does not', async () => {
    const port = await reservePort();
    const self = { name: 'shop', host: '127.0.0.1', port: 9001 };
    const { discovery: alone } = optionsFrom({ SNOWMESH_DISCOVERY: `portmap:127.0.0.1:${port}` }, {});
    const failed = new Promise<unknown>((resolve) => {
      void alone?.start({ found: resolve, failed: resolve }, self);
    });
    expect(await failed).toMatchObject({ code: 'SNOW_ERR_PORTMAP' });
    await alone?.stop();
    const { discovery } = optionsFrom({ SNOWMESH_DISCOVERY: `portmap+embed:127.0.0.1:${port}` }, {});
    const found = new Promise((resolve) => {
      void discovery?.start({ found: resolve, failed: () => {} }, self);
    });
    expect(await found).toEqual(['shop@127.0.0.1:9001']);
    expect(await lookupPort('shop', { port })).toBe(9001);
    await discovery?.stop();
  });

  it.each([
    ['SNOWMESH_COKIE', 'x', 'did you mean SNOWMESH_COOKIE?'],
    ['SNOWMESH_Name', 'x', 'did you mean SNOWMESH_NAME?'],
    ['SNOWMESH_WHATEVER_ELSE', 'x', 'the variables are SNOWMESH_NAME, '],
    ['SNOWMESH_constructor', 'x', 'is not a variable'],
    ['SNOWMESH_LISTEN', '1.2.3.4:99999', 'it must be host, host:port'],
    ['SNOWMESH_LISTEN', '::1', 'it must be host, host:port'],
    ['SNOWMESH_HIDDEN', 'yes', 'it must be true, false'],
    ['SNOWMESH_TICK_MS', '5s', 'a whole number of ms'],
    ['SNOWMESH_DISCOVERY', 'dns:shop.local', 'dns:name@host:port'],
    ['SNOWMESH_DISCOVERY', 'consul', 'it must be list:'],
    ['SNOWMESH_DISCOVERY', 'list:nonsense', 'option names is'],
  ])('%s=%s is an error that says what to do', (variable, text, why) => {
    expect(failure({ [variable]: text })).toMatch(/^SNOW_ERR_BAD_OPTION /);
    expect(failure({ [variable]: text })).toContain(why);
  });

  it('has one cookie, and no error shows it', () => {
    const both = failure({ SNOWMESH_COOKIE: COOKIE, SNOWMESH_COOKIE_FILE: '/run/cookie' });
    expect(both).toContain('unset one of them');
    expect(both + failure({ SNOWMESH_COOKIEE: COOKIE })).not.toContain(COOKIE);
  });

  it('may hold what is not set, and what Kubernetes says of a service called snowmesh', () => {
    const environment = {
      SNOWMESH_NAME: '',
      SNOWMESH_SERVICE_HOST: '10.0.0.1',
      SNOWMESH_SERVICE_PORT_MESH: '9000',
      SNOWMESH_PORT: 'tcp://10.0.0.1:9000',
      SNOWMESH_PORT_9000_TCP_ADDR: '10.0.0.1',
    };
    expect(optionsFrom(environment, {})).toEqual({});
  });
});

it('startNode.fromEnv starts what the environment says', async () => {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('SNOWMESH_')) delete process.env[name];
  Object.assign(process.env, { SNOWMESH_NAME: 'env@127.0.0.1:0', SNOWMESH_COOKIE: COOKIE });
  try {
    const node = await startNode.fromEnv({ hidden: true });
    expect(node.name).toMatch(/^env@127\.0\.0\.1:\d+$/);
    expect(node.isHidden).toBe(true);
    await node.stop();
    process.env['SNOWMESH_NAMME'] = 'x';
    await expect(startNode.fromEnv()).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
  } finally {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  }
});
