import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'snowmesh-'))));
afterEach(async () => {
  await killChildren();
  rmSync(folder, { recursive: true });
});

it('T15 the cookie of a running node is in no log line, error, inspected object, process title or string of the heap', async () => {
  const file = join(folder, 'cookie');
  writeFileSync(file, 'correct-horse-battery-staple', { mode: 0o600 });
  const child = startChild(new URL('./secrets.ts', import.meta.url), { args: [file] });
  expect(await child.exit()).toEqual({ code: 0, signal: null });
  expect(JSON.parse(child.stdout())).toEqual({
    found: [],
    looked: ['log lines', 'errors', 'inspected objects', 'objects in JSON', 'process title', 'heap'],
    refused: true,
  });
  expect(child.stderr()).toBe('');
});
