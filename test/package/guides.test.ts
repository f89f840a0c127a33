// Runs the programs of docs/guides that need processes, or a tool that loads modules, with the installed package.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createVite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, killChildren } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';
import { type Installed, packAndInstall } from './installed.ts';

const MS = 60_000;

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
}, 300_000);
afterAll(async () => {
  await killChildren();
  installed.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A program of a guide as a file of the installing folder, with ports that are free. */
async function write(guide: string, name: string, file: string): Promise<{ text: string; port: number }> {
  const port = await freePort();
  const text = (programsOf(guide).get(name) ?? '')
    .replace('4370', String(await freePort()))
    .replace('3000', String(port))
    .replace('availableParallelism()', '2')
    .replace('process.env.COOKIE', "'the nodes of this test know it: 5f0e2c'");
  writeFileSync(join(installed.folder, file), text);
  return { text, port };
}

async function ask(port: number): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).catch(
    () => undefined,
  );
  return response?.text();
}

/** Asks until the answer is as wanted. */
async function answer(what: string, port: number, wanted: (text: string) => boolean): Promise<string> {
  let found = '';
  await until(
    what,
    async () => {
      found = (await ask(port)) ?? '';
      return found !== '' && wanted(found);
    },
    MS,
  );
  return found;
}

describe('cores', () => {
  it('all workers answer on one port and know each other; SIGTERM ends all', async () => {
    const { port } = await write('cores', 'cores', 'cores.mjs');
    const child = installed.node(['cores.mjs']);
    interface Answer {
      readonly worker: string;
      readonly counts: readonly number[];
    }
    const seen = new Set<string>();
    const both = (text: string): boolean => {
      const { worker, counts } = JSON.parse(text) as Answer;
      if (counts.length === 2) seen.add(worker);
      return seen.size === 2;
    };
    await answer('both workers know each other', port, both);
    expect([...seen].map((name) => name.replace(/:\d+$/, '')).sort()).toEqual([
      'web1@127.0.0.1',
      'web2@127.0.0.1',
    ]);
    child.kill('SIGTERM');
    expect((await child.exit(MS)).code, child.stderr()).toBe(0);
    expect(await ask(port)).toBeUndefined();
  }, 120_000);
});

describe('pm2', () => {
  it('a reload as PM2 does it refuses no request, although both instances have one number', async () => {
    const { port } = await write('pm2', 'pm2', 'app.mjs');
    // What PM2 does in cluster mode: the new instance first, then SIGINT to the old one.
    const daemon = `
      import cluster from 'node:cluster';
      cluster.setupPrimary({ exec: 'app.mjs' });
      const start = () => new Promise((done) => {
        const worker = cluster.fork({ NODE_APP_INSTANCE: 0 });
        worker.on('message', (message) => message === 'ready' && done(worker));
      });
      const old = await start();
      console.log('up');
      await new Promise((done) => process.stdin.once('data', done));
      const next = await start();
      old.process.kill('SIGINT');
      old.once('exit', (code) => console.log('old one ended with', code));
      await new Promise((done) => process.stdin.once('data', done));
      next.process.kill('SIGINT');
      next.once('exit', (code) => process.exit(code));
    `;
    writeFileSync(join(installed.folder, 'daemon.mjs'), daemon);
    const child: Child = installed.node(['daemon.mjs']);
    await child.line(/^up$/, MS);
    const before = await ask(port);
    expect(before).toMatch(/^shop-\d+@127\.0\.0\.1:\d+$/);
    let isOver = false;
    const refused: number[] = [];
    const load = (async () => {
      for (let count = 0; !isOver; count++) if ((await ask(port)) === undefined) refused.push(count);
    })();
    child.write('reload\n');
    await child.line(/^old one ended with 0$/, MS);
    isOver = true;
    await load;
    expect(refused).toEqual([]);
    expect(await ask(port)).not.toBe(before);
    child.write('stop\n');
    expect((await child.exit(MS)).code, child.stderr()).toBe(0);
  }, 120_000);

  it('the ecosystem file gives a stop the time that it may take', () => {
    const module = { exports: {} as { apps?: Record<string, unknown>[] } };
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    new Function('module', programsOf('pm2').get('ecosystem') ?? '')(module);
    const timeout = Number(
      /timeout: ([\d_]+)/.exec(programsOf('pm2').get('pm2') ?? '')?.[1]?.replace('_', ''),
    );
    expect(module.exports.apps).toMatchObject([
      { script: 'app.mjs', exec_mode: 'cluster', wait_ready: true },
    ]);
    expect(module.exports.apps?.[0]?.['kill_timeout']).toBeGreaterThan(timeout + 5000);
  });
});

describe('dev-servers', () => {
  it('a module that Vite loads again finds the node that is there', async () => {
    await write('dev-servers', 'singleton', 'app-node.mjs');
    await write('dev-servers', 'page', 'page.mjs');
    const vite = await createVite({
      root: installed.folder,
      configFile: false,
      logLevel: 'silent',
      appType: 'custom',
      server: { middlewareMode: true, ws: false, watch: null },
    });
    try {
      const load = () => vite.ssrLoadModule('/page.mjs');
      const first = await load();
      expect(await first['render']()).toBe('visit 1');
      for (const file of ['page.mjs', 'app-node.mjs']) {
        const path = join(installed.folder, file);
        writeFileSync(path, `${readFileSync(path, 'utf8')}\n// changed\n`);
      }
      vite.moduleGraph.invalidateAll();
      const second = await load();
      expect(second).not.toBe(first);
      expect(await second['render']()).toBe('visit 2');
    } finally {
      await vite.close();
    }
  }, 60_000);

  it('two copies of the module, as in two bundles of Next.js, share the node; a start that fails is tried again', async () => {
    const { text } = await write('dev-servers', 'singleton', 'copy-one.mjs');
    writeFileSync(join(installed.folder, 'copy-two.mjs'), text);
    writeFileSync(
      join(installed.folder, 'failing.mjs'),
      text.replace('await startNode()', 'await (globalThis.hasFailed ? startNode() : fail())'),
    );
    const program = `
      globalThis.fail = () => { globalThis.hasFailed = true; throw new Error('no'); };
      const { getNode } = await import('./failing.mjs');
      console.log(await getNode().catch((error) => error.message));
      const node = await getNode();
      const copies = await Promise.all(['one', 'two'].map(async (name) => (await import(\`./copy-\${name}.mjs\`)).getNode()));
      console.log(copies.every((copy) => copy === node));
    `;
    writeFileSync(join(installed.folder, 'copies.mjs'), program);
    const child = installed.node([join(installed.folder, 'copies.mjs')]);
    expect((await child.exit(MS)).code, child.stderr()).toBe(0);
    expect(child.stdout().trim().split('\n')).toEqual(['no', 'true']);
  }, 60_000);
});
