// What a page loads.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { root } from '../../support/child.ts';

const folder = `${root}ts/client/`;

it.each(['esm', 'iife'] as const)('the client takes at most 6 KiB as %s, gzipped', (format) => {
  const { outputFiles } = buildSync({
    entryPoints: [`${folder}index.ts`],
    bundle: true,
    minify: true,
    format,
    globalName: 'snowmesh',
    platform: 'browser',
    write: false,
  });
  const bytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
  expect(bytes).toBeGreaterThan(1024);
  expect(bytes).toBeLessThanOrEqual(6 * 1024);
});

it('the client imports nothing from outside its folder', () => {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(folder + file, 'utf8');
    for (const [, from = ''] of text.matchAll(/from '(.*)'/g))
      expect(from, file).toMatch(/^\.\/[a-z-]+\.ts$/);
    expect(text, file).not.toMatch(/\b(Buffer|process|require)\b/);
  }
});
