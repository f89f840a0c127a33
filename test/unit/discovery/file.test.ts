import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Discovery, fileDiscovery, staticList } from '../../../ts/discovery/index.ts';
import { until } from '../../support/deadline.ts';

let folder: string;
let path: string;
let discovery: Discovery | undefined;
let told: (readonly string[] | string)[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-file-'));
  path = join(folder, 'nodes');
  told = [];
});
afterEach(async () => {
  await discovery?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function follow(intervalMs: number): Promise<void> {
  discovery = fileDiscovery({ path, intervalMs });
  await discovery.start({ found: (names) => told.push(names), failed: ({ message }) => told.push(message) });
  await until('the first word', () => told.length > 0);
}

describe('fileDiscovery', () => {
  it('takes one name a line, and leaves out comments and white space', async () => {
    writeFileSync(path, '\ufeff# all\r\n\r\n  b@h:2  # the second\r\na@h\n#c@h');
    await follow(60_000);
    expect(told).toEqual([['a@h', 'b@h:2']]);
  });

  it.skipIf(process.platform !== 'linux')('sees a replaced file by its watch alone', async () => {
    writeFileSync(path, 'a@h\n');
    await follow(60_000);
    writeFileSync(`${path}.new`, 'b@h\n');
    renameSync(`${path}.new`, path);
    await until('the change', () => told.length > 1);
    expect(told).toEqual([['a@h'], ['b@h']]);
  });

  it('waits for a folder that is not there yet', async () => {
    path = join(folder, 'later', 'nodes');
    await follow(5);
    expect(told[0]).toContain('ENOENT');
    mkdirSync(join(folder, 'later'));
    writeFileSync(path, 'a@h\n');
    await until('the names', () => told.some((word) => typeof word !== 'string' && word.length > 0));
    expect(told.at(-1)).toEqual(['a@h']);
  });

  it.each([
    ['a@h\nb h\n', 'line 2 is no node name: "b h"'],
    ['a@h\nb@h:90001\n', 'line 2 is no node name: "b@h:90001"'],
    ['a@h:1o\n', 'line 1 is no node name: "a@h:1o"'],
    ['a@fd00::1:9001\n', 'line 1 is no node name: "a@fd00::1:9001"'],
    ['a:b@h\n', 'line 1 is no node name: "a:b@h"'],
    [`#${'x'.repeat(1024 * 1024)}`, 'longer than 1048576 bytes'],
  ])('fails with words for a bad file', async (text, words) => {
    writeFileSync(path, text);
    await follow(60_000);
    expect(told).toEqual([expect.stringContaining(words)]);
  });

  it('fails with words for a folder', async () => {
    mkdirSync(path);
    await follow(60_000);
    expect(told).toEqual([expect.stringContaining('it is no file')]);
  });
});

describe('staticList', () => {
  it.each(['a@b', undefined, 7])('U4 takes a list, not %o', (names) => {
    expect(() => staticList(names as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION', message: expect.stringContaining('a list of') }),
    );
  });

  it('refuses what is no name', () => {
    const close = ['a@h:', 'a@h:01', 'a@h:70000', 'a@h:1o', 'a@::1', 'a@[h]:1', 'a@[::1', 'a:b@h', '[a]@h'];
    for (const name of ['a', '@h', 'a@', 'a b@h', 'a@h\0', 'a@b@c', `a@${'h'.repeat(300)}`, ...close]) {
      expect(() => staticList([name])).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    }
  });
});
