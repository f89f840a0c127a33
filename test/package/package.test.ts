// What users get: the tarball, installed without scripts and without Rust, runs the README's examples as written.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Child, killChildren, root } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';
import { kitTests } from './kit-tests.ts';
import { missingLine, readmeExamples } from './readme-examples.ts';

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
});
afterAll(() => installed?.remove());
afterEach(killChildren);

const EXAMPLE_MS = 30_000;

async function evaluate(code: string, ...flags: string[]): Promise<string> {
  const child = installed.node([...flags, '--eval', code]);
  const { code: status } = await child.exit(EXAMPLE_MS);
  expect(status, child.stderr()).toBe(0);
  return child.stdout().trim();
}

function sourcesOf(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

describe('the tarball', () => {
  it('holds the compiled sources, the Rust sources, and otherwise the files of the committed list', () => {
    const compiled = [...sourcesOf('ts', /(?<!\.d)\.ts$/), ...sourcesOf('bindings', /(?<!\.d)\.ts$/)].flatMap(
      (path) => {
        const stem = `dist/${path.slice(0, -'.ts'.length)}`;
        return [`${stem}.js`, `${stem}.d.ts`];
      },
    );
    const rust = ['core', 'net', 'addon'].flatMap((crate) => sourcesOf(`native/${crate}/src`, /\.rs$/));
    const listed = readFileSync(new URL('files.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    expect(installed.files).toEqual([...compiled, ...rust, ...listed].toSorted());
  });

  it('runs nothing at install and depends on node-gyp-build alone', () => {
    const manifest = JSON.parse(readFileSync(join(installed.packageFolder, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies)).toEqual(['node-gyp-build']);
    expect(manifest.gypfile).toBe(false);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'build'])
      expect(manifest.scripts).not.toHaveProperty(script);
    expect(existsSync(join(installed.packageFolder, 'binding.gyp'))).toBe(false);
  });

  it.runIf(process.platform === 'linux')('has an addon that old Linux systems can load', (context) => {
    if (spawnSync('objdump', ['--version']).error) context.skip('objdump is not installed');
    const prebuilt = installed.files.find((path) => path.endsWith('.glibc.node'));
    const symbols = execFileSync('objdump', ['-T', join(installed.packageFolder, String(prebuilt))], {
      encoding: 'utf8',
    });
    const minor = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, version]) => Number(version));
    expect(Math.max(...minor)).toBeLessThanOrEqual(34);
  });
});

describe('the installed package', () => {
  it('has no Rust in reach', () => {
    const path = join(installed.folder, '../bin');
    expect(readdirSync(path)).toEqual(['node']);
  });

  it('is imported', async () => {
    const code = `import * as snow from 'snowmesh'; import 'snowmesh/testing'; console.log(typeof snow.startNode);`;
    expect(await evaluate(code, '--input-type=module')).toBe('function');
  });

  it('is required', async () => {
    expect(
      await evaluate(`console.log(typeof require('snowmesh').startNode);`, '--input-type=commonjs'),
    ).toBe('function');
  });

  it('gives its types to a strict program', () => {
    writeFileSync(
      join(installed.folder, 'program.ts'),
      `import { startNode } from 'snowmesh';\nexport const start: unknown = startNode;\n`,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const types = [
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--types',
      'node',
      '--skipLibCheck',
      'false',
    ];
    for (const compiler of ['node_modules/typescript/bin/tsc', 'docs/node_modules/typescript/bin/tsc']) {
      const args = [join(root, compiler), ...options, ...types, 'program.ts'];
      const { status, stdout } = spawnSync(process.execPath, args, {
        cwd: installed.folder,
        encoding: 'utf8',
      });
      const ours = stdout
        .split('\n')
        .filter((line) => line.includes('snowmesh/') || line.startsWith('program.ts'));
      expect(ours, compiler).toEqual([]);
      expect(status === 0 || ours.length === 0).toBe(true);
    }
  });
});

describe.each([
  ['README.md', ['local', 'cluster', 'machine']],
  ['docs/guide.md', ['actor', 'server', 'supervisor', 'cluster', 'test']],
  ['docs/discovery.md', ['list', 'own']],
])('%s', (document, names) => {
  const examples = readmeExamples(readFileSync(join(root, document), 'utf8'));

  it('has its examples', () => {
    expect([...examples.keys()]).toEqual(names);
  });

  it.each([...examples])('the example "%s" runs as written', async (_name, files) => {
    const running: Child[] = [];
    for (const { file, text } of files) writeFileSync(join(installed.folder, file), text);
    const programs = files.filter(({ isModule }) => !isModule);
    for (const { file } of programs) {
      const child = installed.node([file]);
      running.push(child);
      if (file !== programs.at(-1)?.file) await child.line(/./, EXAMPLE_MS);
    }
    await running.at(-1)?.exit(EXAMPLE_MS);
    for (const [index, child] of running.entries()) {
      child.kill('SIGINT');
      const { code, signal } = await child.exit(EXAMPLE_MS);
      expect(
        code === 0 || signal === 'SIGINT',
        `${programs[index]?.file} ended with ${code}\n${child.stderr()}`,
      ).toBe(true);
      expect(missingLine(child.stdout(), programs[index]?.prints ?? []), child.stdout()).toBeUndefined();
    }
  });
});

describe('the test kit', () => {
  const run = async (args: readonly string[], summary: RegExp): Promise<void> => {
    const child = installed.node(args);
    const { code } = await child.exit(60_000);
    const output = child.stdout() + child.stderr();
    expect(code, output).toBe(0);
    expect(output).toMatch(summary);
  };

  it('works under jest', async () => {
    const file = join(installed.folder, 'kit.test.mjs');
    writeFileSync(file, kitTests('')); // jest hands `test` over as a global
    const config = JSON.stringify({
      rootDir: installed.folder,
      testMatch: ['**/kit.test.mjs'],
      transform: {},
      moduleFileExtensions: ['mjs', 'js'],
    });
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    await run(
      ['--experimental-vm-modules', jest, '--config', config, '--no-watchman', '-i'],
      /2 passed, 2 total/,
    );
  });

  it('works under node:test', async () => {
    const file = join(installed.folder, 'kit.node-test.mjs');
    writeFileSync(file, kitTests("import { test } from 'node:test';"));
    await run(['--test', file], /pass 2/);
  });
});
