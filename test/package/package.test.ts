// What users get: the tarball, installed without scripts and without Rust, runs the README's examples as written.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { targets } from '../../scripts/prebuild-targets.mjs';
import { type Child, killChildren, root, startChild } from '../support/child.ts';
import { RUNTIMES, startInRuntime } from '../support/runtimes.ts';
import { type Installed, npmProgram, packAndInstall } from './installed.ts';
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
  it('holds the examples, the Rust sources, and otherwise the files of the committed list', () => {
    const stem = (path: string): string => `dist/${path.slice(0, -'.ts'.length)}`;
    const compiled = [
      ...sourcesOf('examples', /\.ts$/).map((path) => `${stem(path)}.js`),
      ...sourcesOf('examples/chat/page', /./).map((path) => `dist/${path}`),
    ];
    const rust = ['core', 'net', 'addon'].flatMap((crate) => sourcesOf(`native/${crate}/src`, /\.rs$/));
    const listed = readFileSync(new URL('files.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const addons = (targets as { path: string }[]).map(({ path }) => path);
    const built = addons.filter((path) => existsSync(join(root, path)));
    expect(installed.files).toEqual([...compiled, ...rust, ...listed, ...built].toSorted());
  });

  it('runs nothing at install and depends on node-gyp-build alone', () => {
    const manifest = JSON.parse(readFileSync(join(installed.packageFolder, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies)).toEqual(['node-gyp-build']);
    expect(manifest.gypfile).toBe(false);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'build'])
      expect(manifest.scripts).not.toHaveProperty(script);
    // npm runs a script whose name is "pre" or "post" and another one's name before or after that one.
    const names = Object.keys(manifest.scripts);
    const hooks = names.flatMap((name) => [`pre${name}`, `post${name}`]);
    expect(hooks.filter((hook) => names.includes(hook))).toEqual([]);
    expect(existsSync(join(installed.packageFolder, 'binding.gyp'))).toBe(false);
  });
});

describe('npm pack and npm publish on a clean checkout', () => {
  let checkout = '';
  const npm = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [npmProgram(), ...args], {
      cwd: checkout,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
  beforeAll(() => {
    checkout = mkdtempSync(join(tmpdir(), 'snowmesh-checkout-'));
    const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    }).split('\0');
    for (const file of files.filter((each) => each !== '' && existsSync(join(root, each)))) {
      mkdirSync(join(checkout, dirname(file)), { recursive: true });
      copyFileSync(join(root, file), join(checkout, file));
    }
    for (const folder of ['node_modules', 'docs/node_modules'])
      symlinkSync(join(root, folder), join(checkout, folder), 'junction');
    // Newer than the sources beside it: nothing is built anew.
    cpSync(join(installed.packageFolder, 'prebuilds'), join(checkout, 'prebuilds'), { recursive: true });
  });
  afterAll(() => checkout !== '' && rmSync(checkout, { recursive: true, force: true }));

  it('compile before they pack', { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = npm(['pack', '--dry-run', '--json'], { SNOWMESH_PACK: 'local' });
    expect(status, stderr).toBe(0);
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    expect(files.map(({ path }) => path).toSorted()).toEqual(installed.files);
  });

  it.each(['pack', 'publish'])(
    '%s nothing that lacks the addon of a platform',
    { timeout: 120_000 },
    (command) => {
      const addon = 'prebuilds/darwin-arm64/snowmesh.node';
      rmSync(join(checkout, addon), { force: true });
      const env: Record<string, string> = command === 'publish' ? { SNOWMESH_PACK: 'local' } : {};
      const { status, stderr } = npm([command, '--dry-run'], env);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/The package lacks .*prebuilds\/darwin-arm64\/snowmesh.node/);
    },
  );
});

describe('the installed package', () => {
  it('builds its addon with npm run build:native', { timeout: 600_000 }, async () => {
    const target = process.env['CARGO_TARGET_DIR'] ?? join(root, 'native/target');
    const build = join(installed.packageFolder, 'build');
    const { status, stdout, stderr } = spawnSync(process.execPath, [npmProgram(), 'run', 'build:native'], {
      cwd: installed.packageFolder,
      env: { ...process.env, CARGO_TARGET_DIR: target },
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
    const program = join(installed.folder, 'two-nodes.mjs');
    copyFileSync(new URL('two-nodes.mjs', import.meta.url), program);
    const env = { SNOWMESH_NATIVE_PATH: join(build, 'Release/snowmesh.node') };
    const child = startChild(program, { cwd: installed.folder, env });
    expect(await child.exit(30_000), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toBe('received: a message\n');
    // The command finds the same sources; it builds nothing that is up to date.
    const command = [join(installed.packageFolder, 'dist/lib/cli.js'), 'build-native', '--json'];
    const again = spawnSync(process.execPath, command, { cwd: installed.folder, encoding: 'utf8' });
    expect([again.status, again.stderr]).toEqual([0, '']);
    expect(JSON.parse(again.stdout)).toEqual({ addon: realpathSync(env.SNOWMESH_NATIVE_PATH) });
    rmSync(build, { recursive: true });
  });

  it('shows its users no internal member', () => {
    const declarations = installed.files.filter((path) => path.endsWith('.d.ts'));
    const internal = declarations.filter((path) =>
      readFileSync(join(installed.packageFolder, path), 'utf8').includes('@internal'),
    );
    expect(internal).toEqual([]);
  });

  it('gives its types to the resolution that knows no exports', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
    const names = Object.entries(exports).filter(([, target]) => typeof target === 'object');
    const program = names.map(([name], index) => `import * as m${index} from '${join('snowmesh', name)}';`);
    const uses = names.map((_, index) => `export const u${index}: object = m${index};`);
    writeFileSync(join(installed.folder, 'old.ts'), [...program, ...uses].join('\n'));
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(root, 'docs/node_modules/typescript/bin/tsc'),
        ...[
          '--noEmit',
          '--strict',
          '--module',
          'commonjs',
          '--moduleResolution',
          'node10',
          '--ignoreDeprecations',
          '6.0',
        ],
        ...['--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--skipLibCheck', '--types', 'node'],
        ...['--typeRoots', join(root, 'node_modules/@types'), 'old.ts'],
      ],
      { cwd: installed.folder, encoding: 'utf8' },
    );
    expect(stdout).toBe('');
  });

  it('has no Rust in reach', () => {
    const path = join(installed.folder, '../bin');
    expect(readdirSync(path)).toEqual(['node']);
  });

  it('is imported', async () => {
    const code = `import * as snow from 'snowmesh'; import 'snowmesh/testing'; console.log(typeof snow.startNode);`;
    expect(await evaluate(code, '--input-type=module')).toBe('function');
  });

  it('has examples that run where it is installed', async () => {
    const child = installed.node([join(installed.packageFolder, 'dist/examples/bank-account/main.js')]);
    expect(await child.exit(EXAMPLE_MS), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toContain('paid out');
  });

  it('is required', async () => {
    expect(
      await evaluate(`console.log(typeof require('snowmesh').startNode);`, '--input-type=commonjs'),
    ).toBe('function');
  });

  it.each(RUNTIMES)('runs in %s', async (runtime) => {
    const program = join(installed.folder, 'two-nodes.mjs');
    copyFileSync(new URL('two-nodes.mjs', import.meta.url), program);
    const child = startInRuntime(runtime, program, { cwd: installed.folder });
    expect(await child.exit(EXAMPLE_MS), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toBe('received: a message\n');
  });

  it('gives its types to a program whose tsconfig names no types, as is the default from TypeScript 6 on', () => {
    const source = `import { call, startNode } from 'snowmesh';\nconst node = await startNode();\nnode.spawn(async (self) => void (await call(self, 'name', 'tag')));\nawait call(node, 'name', 'tag');\n`;
    writeFileSync(join(installed.folder, 'no-types.mts'), source);
    const args = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--ignoreConfig'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const roots = ['--typeRoots', join(root, 'node_modules/@types')];
    const { stdout } = spawnSync(
      process.execPath,
      [tsc, ...args, ...roots, '--skipLibCheck', 'no-types.mts'],
      {
        cwd: installed.folder,
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('');
  });

  it('gives its types to a strict program', () => {
    // Its optional peer, whose types `snowmesh/otel` has in its own.
    const peer = 'node_modules/@opentelemetry';
    symlinkSync(join(root, peer), join(installed.folder, peer), 'junction');
    writeFileSync(
      join(installed.folder, 'program.mts'),
      `import { startNode } from 'snowmesh';\nimport * as testing from 'snowmesh/testing';\nimport * as rooms from 'snowmesh/rooms';\nimport * as client from 'snowmesh/client';\nimport * as health from 'snowmesh/health';\nimport * as prometheus from 'snowmesh/prometheus';\nimport * as observe from 'snowmesh/observe';\nimport * as otel from 'snowmesh/otel';\nexport const used: unknown = [startNode, testing, rooms, client, health, observe, otel, prometheus];\n`,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022', // the latest that TypeScript 5.4 knows
      '--lib',
      'es2023,dom,esnext.disposable',
      '--exactOptionalPropertyTypes',
    ];
    const types = [
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--types',
      'node',
      '--skipLibCheck',
      'false',
    ];
    for (const compiler of ['typescript', 'typescript-5.4', '@typescript/old']) {
      const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
      const args = [tsc, ...options, ...types, 'program.mts'];
      const { stdout } = spawnSync(process.execPath, args, { cwd: installed.folder, encoding: 'utf8' });
      // Without a file: an option that the compiler does not know, with which it checks nothing.
      const ours = stdout.split('\n').filter((line) => /snowmesh\/|^program\.mts|^error/.test(line));
      expect(ours, compiler).toEqual([]);
    }
  });
});

describe.each([
  ['README.md', ['local', 'cluster', 'machine']],
  ['docs/tour.md', ['actor', 'server', 'supervisor', 'game', 'cluster', 'workers', 'test']],
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
    if (document === 'README.md') {
      const again = installed.node([programs.at(-1)?.file as string]);
      expect((await again.exit(EXAMPLE_MS)).code, `run again: ${again.stderr()}`).toBe(0);
      expect(missingLine(again.stdout(), programs.at(-1)?.prints ?? []), again.stdout()).toBeUndefined();
    }
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
