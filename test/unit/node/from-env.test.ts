import { describe, expect, it } from 'vitest';
import { type NodeOptions, startNode } from '../../../ts/index.ts';
import { optionsFrom } from '../../../ts/node/from-env.ts';

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
