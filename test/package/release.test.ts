// What release.yml does around `npm pack`: it fills in the repository that it runs in, and installs and runs the package on each system.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from '../support/child.ts';
import { packAndInstall } from './installed.ts';

const REPOSITORY = {
  GITHUB_SERVER_URL: 'https://git.example',
  GITHUB_REPOSITORY: 'owner/name',
  GITHUB_REF_NAME: 'v1.2.3',
};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-release-'));
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'docs'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

it('refuses a tag of another version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tag = (value: string) => name({ ...REPOSITORY, GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: value });
  const { status, stderr } = tag('v99.0.0');
  expect(status).toBe(1);
  expect(stderr).toContain(`The tag is v99.0.0, the version of package.json is ${version}.`);
  expect(tag(`v${version}`).status).toBe(0);
});

it('names the repository in package.json and in the links of the documents', () => {
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
  expect(own).toContain('docs/tour.md');
  for (const path of own) expect(existsSync(join(root, path.replace(/#.*/, ''))), path).toBe(true);
  expect(readFileSync(join(folder, 'docs/guarantees.md'), 'utf8')).toContain(
    `](${base}test/fault/chaos.test.ts)`,
  );
});

it.skipIf(process.platform === 'win32')(
  'installs the package in a folder of the checkout and runs two nodes',
  () => {
    const installed = packAndInstall();
    try {
      const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8');
      const [, copied = ''] = /run: cp (.*) app\/$/m.exec(workflow) ?? [];
      const [, command = ''] = /run: (sh app\/.*)$/m.exec(workflow) ?? [];
      const app = join(folder, 'app');
      mkdirSync(app);
      for (const file of [installed.tarball, ...copied.split(' ').map((path) => join(root, path))])
        copyFileSync(file, join(app, basename(file)));
      // As in the workflow, the folder above is the checkout: the same package again.
      writeFileSync(join(folder, 'package.json'), readFileSync(join(root, 'package.json')));
      const env = Object.fromEntries(
        Object.entries(process.env).filter(([key]) => !/^npm_(config_local_prefix|package_)/.test(key)),
      );
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
        cwd: folder,
        env: { ...env, npm_config_prefer_offline: 'true', PREBUILDS_ONLY: '1' },
        encoding: 'utf8',
      });
      expect(status, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/received: a message\n$/);
    } finally {
      installed.remove();
    }
  },
);
