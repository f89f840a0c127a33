// What release.yml fills in before it packs: the repository that it runs in.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../support/child.ts';

const REPOSITORY = {
  GITHUB_SERVER_URL: 'https://git.example',
  GITHUB_REPOSITORY: 'owner/name',
  GITHUB_REF_NAME: 'v1.2.3',
};
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-release-'));
  for (const name of ['package.json', 'README.md']) copyFileSync(join(root, name), join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const name = (env: Record<string, string>) =>
  spawnSync(process.execPath, [join(root, 'scripts/name-repository.mjs'), folder], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });

it('refuses to invent a repository', () => {
  const { GITHUB_SERVER_URL: _, ...others } = REPOSITORY;
  const { status, stderr } = name(others);
  expect(status).toBe(1);
  expect(stderr).toContain('GITHUB_SERVER_URL');
});

it('names the repository in package.json and in each link of the README', () => {
  const { status, stderr } = name(REPOSITORY);
  expect(status, stderr).toBe(0);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({
    name: 'snowmesh',
    homepage: 'https://git.example/owner/name#readme',
    repository: { type: 'git', url: 'git+https://git.example/owner/name.git' },
    bugs: { url: 'https://git.example/owner/name/issues' },
  });
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => String(link));
  const files = links.filter((link) => !/^(https?:|#)/.test(link));
  expect(files).toEqual([]);
  const base = 'https://git.example/owner/name/blob/v1.2.3/';
  const own = links.filter((link) => link.startsWith(base)).map((link) => link.slice(base.length));
  expect(own).toContain('docs/guide.md');
  for (const path of own) expect(existsSync(join(root, path.replace(/#.*/, ''))), path).toBe(true);
});
