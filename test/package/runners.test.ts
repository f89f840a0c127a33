// What runs JavaScript and TypeScript of users: each starts two nodes of the installed package and passes a message between them. Jest
// is tried in bundling.test.ts (CommonJS) and package.test.ts (ES modules, with the test kit).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Child, killChildren, root, startChild } from '../support/child.ts';
import { RUNTIMES, startInRuntime } from '../support/runtimes.ts';
import { type Installed, packAndInstall } from './installed.ts';
import { joinsAndResumes, roomsClient } from './rooms-client.ts';

const RUN_MS = 60_000;
const MESSAGE = 'received: a message';
const PROGRAM = readFileSync(new URL('two-nodes.mjs', import.meta.url), 'utf8');
/** The same with a type in it, so that only what reads TypeScript runs it. */
const TYPED = PROGRAM.replace('(name)', '(name: string)');
/** As a test of the runner whose `test` is in reach. */
const AS_TEST = `${PROGRAM.replace(/^main\(\)[\s\S]*/m, '')}\ntest('two nodes', main, ${RUN_MS});\n`;
/** TypeScript 7 has no interface for programs; ts-node needs an older one. */
const COMPILER = join(root, 'docs/node_modules/typescript');

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
  writeFileSync(join(installed.folder, 'package.json'), '{ "private": true, "type": "module" }');
});
afterEach(killChildren);
afterAll(() => installed?.remove());

function write(name: string, text: string): string {
  const folder = join(installed.folder, 'programs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function output(child: Child): Promise<string> {
  const { code } = await child.exit(RUN_MS);
  const text = child.stdout() + child.stderr();
  expect(code, text).toBe(0);
  return text;
}

const inPackage = (
  file: string,
  options: { args?: string[]; nodeOptions?: string[]; env?: Record<string, string> } = {},
) => startChild(file, { ...options, cwd: installed.folder, env: { PREBUILDS_ONLY: '1', ...options.env } });

describe('the installed package', () => {
  it('runs under node', async () => {
    expect(await output(inPackage(write('program.mjs', PROGRAM)))).toBe(`${MESSAGE}\n`);
  });

  it('runs under tsx', async () => {
    const nodeOptions = ['--import', import.meta.resolve('tsx')];
    // As an argument: startChild would take a .ts file for one of this repository.
    const program = pathToFileURL(write('typed-tsx.ts', TYPED)).href;
    const child = inPackage(write('tsx.mjs', `await import(${JSON.stringify(program)});`), { nodeOptions });
    expect(await output(child)).toBe(`${MESSAGE}\n`);
  });

  it('runs under ts-node, as CommonJS', async () => {
    const env = {
      TS_NODE_COMPILER: COMPILER,
      TS_NODE_TRANSPILE_ONLY: 'true',
      TS_NODE_SKIP_PROJECT: 'true',
      TS_NODE_COMPILER_OPTIONS: JSON.stringify({
        module: 'commonjs',
        target: 'es2022',
        ignoreDeprecations: '6.0',
      }),
    };
    const nodeOptions = ['--require', join(root, 'node_modules/ts-node/register')];
    const program = write('typed.cts', TYPED);
    const child = inPackage(write('ts-node.cjs', `require(${JSON.stringify(program)});`), {
      nodeOptions,
      env,
    });
    expect(await output(child)).toContain(MESSAGE);
  });

  it('runs under vitest', async () => {
    write('message.vitest.mjs', AS_TEST);
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const args = ['run', '--root', installed.folder, '--globals'];
    writeFileSync(
      join(installed.folder, 'vitest.config.mjs'),
      `export default { test: { include: ['programs/*.vitest.mjs'] } };`,
    );
    const text = await output(inPackage(vitest, { args, env: { NO_COLOR: '1' } }));
    expect(text).toContain(MESSAGE);
    expect(text).toMatch(/Tests\s+1 passed/);
  });

  it('runs under node:test', async () => {
    const file = write(
      'message.node-test.mjs',
      `import { test as run } from 'node:test';\nconst test = (name, body) => run(name, body);\n${AS_TEST}`,
    );
    const text = await output(inPackage(file, { nodeOptions: ['--test'] }));
    expect(text).toMatch(/pass 1/);
  });

  it.each(RUNTIMES)('has a client of rooms that misses nothing under %s', async (runtime) => {
    const { folder: cwd } = installed;
    const program = roomsClient(cwd);
    await joinsAndResumes((url) => startInRuntime(runtime, program, { args: [url], cwd, sockets: true }));
  });

  it.each(RUNTIMES)('runs under %s', async (runtime) => {
    const file = write('runtime.mjs', PROGRAM);
    expect(await output(startInRuntime(runtime, file, { cwd: installed.folder }))).toContain(MESSAGE);
  });
});
