import { describe, expect, it } from 'vitest';
import { DEFAULT_PORT, parseNodeName, withPort } from '../../../ts/node/node-name.ts';
import { MAX_NODE_NAME_BYTES } from '../../../ts/wire/index.ts';

const code = (text: unknown): unknown => {
  try {
    return parseNodeName(text).full;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('node names', () => {
  it('K3 takes name@host:port apart', () => {
    expect(parseNodeName('worker-1@example.org:4000')).toEqual({
      full: 'worker-1@example.org:4000',
      local: 'worker-1',
      host: 'example.org',
      port: 4000,
    });
  });

  it('K3 adds the default port, so that one node has one name', () => {
    expect(parseNodeName('a@host').full).toBe(`a@host:${DEFAULT_PORT}`);
    expect(parseNodeName('a@host').port).toBe(DEFAULT_PORT);
  });

  it('K4 takes IPv6 literals in brackets', () => {
    expect(parseNodeName('a@[::1]:4000')).toEqual({
      full: 'a@[::1]:4000',
      local: 'a',
      host: '::1',
      port: 4000,
    });
    expect(parseNodeName('a@[fe80::1%eth0]').host).toBe('fe80::1%eth0');
    expect(code('a@::1')).toBe('SNOW_ERR_NODE_NAME');
    expect(code('a@[::1')).toBe('SNOW_ERR_NODE_NAME');
    expect(code('a@[127.0.0.1]')).toBe('SNOW_ERR_NODE_NAME');
    expect(code('a@[::1::2]')).toBe('SNOW_ERR_NODE_NAME');
    expect(code('a@[]:1')).toBe('SNOW_ERR_NODE_NAME');
  });

  it.each([
    ['no @', 'plain'],
    ['two @', 'a@b@c'],
    ['nothing before the @', '@host'],
    ['nothing after the @', 'a@'],
    ['no host', 'a@:1'],
    ['an empty port', 'a@h:'],
    ['a port that is a word', 'a@h:http'],
    ['a port over 65535', 'a@h:65536'],
    ['a port with a leading zero', 'a@h:080'],
    ['a negative port', 'a@h:-1'],
    ['two ports', 'a@h:1:2'],
    ['a colon in the name', 'a:b@h'],
    ['a space', 'a b@h'],
    ['a newline', 'a\n@h'],
    ['a NUL', 'a\0@h'],
    ['a tab in the host', 'a@h\t'],
    ['the empty text', ''],
    ['a lone surrogate', 'a\ud800@h'],
    ['a number', 42],
    ['undefined', undefined],
  ])('K3 refuses %s', (_what, text) => {
    expect(code(text)).toBe('SNOW_ERR_NODE_NAME');
  });

  it('K3 counts the limit of 255 in bytes', () => {
    const fits = `${'a'.repeat(MAX_NODE_NAME_BYTES - '@h:1'.length)}@h:1`;
    expect(code(fits)).toBe(fits);
    expect(code(`a${fits}`)).toBe('SNOW_ERR_NODE_NAME');
    expect(code(`${'ä'.repeat(127)}@h:1`)).toBe('SNOW_ERR_NODE_NAME');
  });

  it('replaces port 0 by the port that was bound', () => {
    expect(withPort(parseNodeName('a@127.0.0.1:0'), 4711).full).toBe('a@127.0.0.1:4711');
    expect(withPort(parseNodeName('a@[::1]:0'), 4711).full).toBe('a@[::1]:4711');
  });
});
