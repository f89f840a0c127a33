import { Resolver } from 'node:dns/promises';
import { describe, expect, it, vi } from 'vitest';
import { type DnsOptions, type DnsResolver, dnsDiscovery } from '../../../ts/discovery/index.ts';
import type { SnowmeshError } from '../../../ts/errors/index.ts';
import { until } from '../../support/deadline.ts';

const refuse = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(code), { code });
};
const empty: DnsResolver = {
  resolve4: refuse('ENODATA'),
  resolve6: refuse('ENODATA'),
  resolveSrv: refuse('ENODATA'),
};

/** What one discovery told first. */
async function first(options: Partial<DnsOptions>): Promise<readonly string[] | string> {
  const discovery = dnsDiscovery({ name: 'n', query: 'a', hostname: 'h.test', resolver: empty, ...options });
  const told: (readonly string[] | string)[] = [];
  await discovery.start({
    found: (names) => told.push(names),
    failed: (error: SnowmeshError) => told.push(error.code),
  });
  try {
    return await until('an answer', () => told[0]);
  } finally {
    await discovery.stop();
  }
}

describe('dnsDiscovery', () => {
  const v4 = async (): Promise<string[]> => ['10.0.0.2', '10.0.0.1', '10.0.0.1'];
  const v6 = async (): Promise<string[]> => ['fd00::1'];

  it('makes a name of every address, each once, IPv6 in brackets', async () => {
    const resolver = { ...empty, resolve4: v4, resolve6: v6 };
    expect(await first({ resolver, port: 9001 })).toEqual([
      'n@10.0.0.1:9001',
      'n@10.0.0.2:9001',
      'n@[fd00::1]:9001',
    ]);
    expect(await first({ resolver })).toEqual(['n@10.0.0.1', 'n@10.0.0.2', 'n@[fd00::1]']);
  });

  it('does without a family that has no records, and fails when the other could not be asked', async () => {
    expect(await first({ resolver: { ...empty, resolve6: v6 } })).toEqual(['n@[fd00::1]']);
    const half = { ...empty, resolve4: v4, resolve6: refuse('ESERVFAIL') };
    expect(await first({ resolver: half })).toBe('SNOW_ERR_DISCOVERY');
    expect(await first({ resolver: half, family: 4 })).toEqual(['n@10.0.0.1', 'n@10.0.0.2']);
    const other = { ...empty, resolve4: refuse('ESERVFAIL'), resolve6: v6 };
    expect(await first({ resolver: other, family: 6 })).toEqual(['n@[fd00::1]']);
    const unknown = { ...empty, resolve4: refuse('ENOTFOUND'), resolve6: v6 };
    expect(await first({ resolver: unknown })).toEqual(['n@[fd00::1]']);
  });

  it('makes a name of every SRV target and its port, and skips records that name no node', async () => {
    const resolveSrv = async (): Promise<{ name: string; port: number }[]> => [
      { name: 'one.test.', port: 9001 },
      { name: 'two.test', port: 9002 },
      { name: 'bad port.test', port: 9003 },
      { name: 'none.test', port: 0 },
      { name: 'x'.repeat(300), port: 9004 },
    ];
    const found = await first({ query: 'srv', resolver: { ...empty, resolveSrv } });
    expect(found).toEqual(['n@one.test:9001', 'n@two.test:9002']);
  });

  it('fails without records, and with more than 4096 names', async () => {
    expect(await first({})).toBe('SNOW_ERR_DISCOVERY');
    const none = { resolve4: async () => [], resolve6: async () => [], resolveSrv: async () => [] };
    for (const query of ['a', 'srv'] as const)
      expect(await first({ query, resolver: none })).toBe('SNOW_ERR_DISCOVERY');
    const useless = { ...none, resolveSrv: async () => [{ name: 'no name', port: 0 }] };
    expect(await first({ query: 'srv', resolver: useless })).toBe('SNOW_ERR_DISCOVERY');
    const many = Array.from({ length: 4097 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(await first({ resolver: { ...empty, resolve4: async () => many } })).toBe('SNOW_ERR_DISCOVERY');
  });

  it('says what DNS answered when no family has a record', async () => {
    const told: string[] = [];
    const discovery = dnsDiscovery({ name: 'n', query: 'a', hostname: 'h.test', resolver: empty });
    await discovery.start({ found: () => {}, failed: ({ message }) => told.push(message) });
    const why = await until('an answer', () => told[0]);
    await discovery.stop();
    expect(why).toContain('ENODATA');
  });

  it.each([1, 65_535])('takes the port %d', async (port) => {
    expect(await first({ resolver: { ...empty, resolve6: v6 }, port })).toEqual([`n@[fd00::1]:${port}`]);
  });

  it.each([
    { name: 'a@b' },
    { name: 7 as never },
    { query: 'mx' as 'a' },
    { hostname: '' },
    { hostname: 7 as never },
    { port: 0 },
    { port: 1.5 },
    { port: 65_536 },
    { intervalMs: 0 },
  ])('refuses %j', async (options) => {
    await expect(first(options)).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
  });

  it('V5 ends its questions when it stops: none keeps the process alive', async () => {
    const asked = vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(() => new Promise(() => {}));
    const cancelled = vi.spyOn(Resolver.prototype, 'cancel');
    try {
      const discovery = dnsDiscovery({ name: 'n', query: 'a', hostname: 'h.test', family: 4 });
      await discovery.start({ found() {}, failed() {} });
      expect(asked).toHaveBeenCalledTimes(1);
      expect(cancelled).not.toHaveBeenCalled();
      await discovery.stop();
      expect(cancelled).toHaveBeenCalledTimes(1);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
