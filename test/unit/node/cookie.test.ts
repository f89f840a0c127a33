import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveCookie } from '../../../ts/node/cookie.ts';

const GOOD = 'a-cookie-of-24-characters';
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-cookie-'));
  file = join(folder, 'cookie');
});
afterEach(() => rmSync(folder, { recursive: true }));

const refusal = (cookie: string | undefined, path?: string): { code: string; message: string } => {
  try {
    resolveCookie(cookie, path);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it was accepted');
};
const write = (text: string, mode: number): void => {
  writeFileSync(file, text);
  chmodSync(file, mode);
};

describe('the cookie', () => {
  it('is the one given, or the content of the file without its line end', () => {
    write(`${GOOD}\n`, 0o600);
    expect(resolveCookie(GOOD, undefined)).toBe(GOOD);
    expect(resolveCookie(undefined, file)).toBe(GOOD);
  });

  it('T16 is refused when missing, short or uniform', () => {
    expect(refusal(undefined).code).toBe('SNOW_ERR_COOKIE_MISSING');
    expect(refusal('').code).toBe('SNOW_ERR_COOKIE_MISSING');
    expect(refusal('short').code).toBe('SNOW_ERR_COOKIE_WEAK');
    expect(refusal('ababababababababababab').code).toBe('SNOW_ERR_COOKIE_WEAK');
    // 16 bytes, and 6 different characters, are enough.
    for (const weak of ['123456789012345', 'abcdeabcdeabcdeabcde'])
      expect(refusal(weak).code).toBe('SNOW_ERR_COOKIE_WEAK');
    for (const good of ['1234567890123456', 'abcdefabcdefabcdef'])
      expect(resolveCookie(good, undefined)).toBe(good);
  });

  it('T16 is refused when its file is empty, unreadable or readable by other users', () => {
    expect(refusal(undefined, join(folder, 'none')).code).toBe('SNOW_ERR_COOKIE_FILE');
    write('\n', 0o600);
    expect(refusal(undefined, file).code).toBe('SNOW_ERR_COOKIE_FILE');
    write(GOOD, 0o644);
    expect(refusal(undefined, file).code).toBe('SNOW_ERR_COOKIE_FILE');
    write(GOOD, 0o602); // another user could put its own cookie there
    if (process.platform !== 'win32') expect(refusal(undefined, file).code).toBe('SNOW_ERR_COOKIE_FILE');
    write(GOOD, 0o640);
    expect(resolveCookie(undefined, file)).toBe(GOOD);
  });

  it('T15 is in no message about it', () => {
    write('weak-secret', 0o600);
    expect(refusal(undefined, file).message).not.toContain('weak-secret');
    expect(refusal('weak-secret').message).not.toContain('weak-secret');
    write('weak-secret', 0o666);
    expect(refusal(undefined, file).message).not.toContain('weak-secret');
  });
});
