// Runs what docs/guides/dev-servers.md says of Next.js with Next.js itself and the installed package.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../package/guide-apps.ts';
import { type Installed, packAndInstall } from '../package/installed.ts';
import { installOtherSystems, type OtherSystems } from '../package/other-systems.ts';
import { type Child, hasSignals, watch } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { reservePort } from '../support/ports.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';

const MS = 120_000;
const STARTED = 'the node is started';
const FILES = {
  'app-node.mjs': 'singleton',
  'page.mjs': 'page',
  'next.config.mjs': 'nextConfig',
  'instrumentation.js': 'instrumentation',
  'app/page.js': 'nextPage',
};

let installed: Installed;
let systems: OtherSystems;
const groups = new Set<ChildProcess>();
beforeAll(() => {
  installed = packAndInstall();
  systems = installOtherSystems('next', installed);
});
beforeEach((context) => {
  if (systems.missing !== undefined) context.skip(systems.missing);
  mkdirSync(join(systems.folder, 'app/visit'), { recursive: true });
  for (const [file, name] of Object.entries(FILES)) write(file, programsOf('dev-servers').get(name) ?? '');
  change('app-node.mjs', 'const node = await startNode();', `$&\n  console.log('${STARTED}');`);
  write(
    'app/layout.js',
    'export default function Layout({ children }) { return <html><body>{children}</body></html>; }',
  );
  // In a bundle of its own.
  write(
    'app/visit/route.js',
    "import { render } from '../../page.mjs';\nexport const dynamic = 'force-dynamic';\nexport const GET = async () => new Response(await render());\n",
  );
});
afterEach(killGroups);
afterAll(() => {
  installed?.remove();
  systems?.remove();
});
process.once('exit', killGroups);

function write(file: string, text: string): void {
  writeFileSync(join(systems.folder, file), text);
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(join(systems.folder, file), 'utf8');
  expect(text).toContain(from);
  write(file, text.replace(from, to));
}

/** Starts the command of Next.js, which starts others: they are one group, to be killed as one. */
function next(...args: string[]): Child {
  const child = spawn(process.execPath, [join(systems.folder, 'node_modules/next/dist/bin/next'), ...args], {
    cwd: systems.folder,
    detached: hasSignals,
    env: {
      ...process.env,
      NODE_OPTIONS: undefined,
      NODE_ENV: undefined,
      NEXT_TELEMETRY_DISABLED: '1',
      PREBUILDS_ONLY: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  groups.add(child);
  return watch(child);
}

function killGroups(): void {
  for (const { pid = 0 } of groups) {
    try {
      process.kill(hasSignals ? -pid : pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  groups.clear();
}

const starts = (child: Child): number => child.stdout().split(STARTED).length - 1;

/** Asks until the page has this text. */
const shows = (port: number, path: string, wanted: RegExp): Promise<string> =>
  until(`${path} shows ${wanted}`, async () => wanted.exec((await ask(port, path)) ?? '')?.[0], MS);

describe('Next.js', () => {
  it('build starts no node; start has one before the first request, which all bundles share', async () => {
    const build = next('build');
    expect((await build.exit(300_000)).code, build.stdout() + build.stderr()).toBe(0);
    expect(starts(build)).toBe(0);
    const port = await reservePort();
    const server = next('start', '--port', String(port), '--hostname', '127.0.0.1');
    await server.line(STARTED, MS);
    expect(await shows(port, '/', /visit \d+/)).toBe('visit 1');
    expect(await shows(port, '/visit', /visit \d+/)).toBe('visit 2');
    expect(await shows(port, '/', /visit \d+/)).toBe('visit 3');
    expect(starts(server)).toBe(1);
  });

  it('dev loads changed modules again, and goes on with the node that is there', async () => {
    const port = await reservePort();
    const server = next('dev', '--port', String(port), '--hostname', '127.0.0.1');
    await shows(port, '/', /visit \d+/);
    change('page.mjs', '`visit ', '`another visit ');
    const first = await shows(port, '/', /another visit \d+/);
    change('app-node.mjs', '++state.count', 'state.count + 1000');
    change('page.mjs', '`another visit ', '`third visit ');
    const second = await shows(port, '/', /third visit \d+/);
    const count = (text: string): number => Number(/\d+/.exec(text)?.[0]);
    expect(count(first)).toBeGreaterThan(1);
    expect(count(second)).toBeGreaterThan(count(first)); // the actor that runs keeps its state and its old code
    expect(count(second)).toBeLessThan(1000);
    expect(starts(server)).toBe(1);
  });
});
