import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PORT, fullName, parseNodeName } from '../../../ts/node/node-name.ts';
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
    expect(code('a@[fe80::1%eth0]')).toBe('SNOW_ERR_NODE_NAME');
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

  it('K3 takes the names that the native core takes, and no others', () => {
    const file = new URL('../../vectors/names.json', import.meta.url);
    const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as {
      nodes: { text: string; error?: string; name?: string; host?: string; port?: number }[];
    };
    expect(nodes.length).toBeGreaterThan(30);
    for (const { text, error, name, host, port } of nodes) {
      if (text === 'a@h') continue; // a name without a port has the default one here
      if (error !== undefined) expect(code(text), text).toBe('SNOW_ERR_NODE_NAME');
      else expect(parseNodeName(text)).toEqual({ full: text, local: name, host, port });
    }
  });

  it.each(['\u1680', '\u2003', '\u202f', '\u205f', '\u3000', '\u0085', '\u0000', '\u007f'])(
    'K3 refuses the white space or control character %j',
    (character) => expect(code(`a${character}b@h:1`)).toBe('SNOW_ERR_NODE_NAME'),
  );

  it('is written with brackets around an IPv6 address', () => {
    expect(fullName('a', '127.0.0.1', 4711)).toBe('a@127.0.0.1:4711');
    expect(fullName('a', '::1', 4711)).toBe('a@[::1]:4711');
    expect(fullName('a', '::1')).toBe('a@[::1]');
  });
});
