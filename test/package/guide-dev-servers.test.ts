// Runs docs/guides/dev-servers.md with Vite and the installed package. `npm run test:next` does so with Next.js.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Node } from '../../ts/node/index.ts';
import { killChildren } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';
import { MS } from './guide-apps.ts';
import { type Installed, packAndInstall } from './installed.ts';

let installed: Installed;
let vite: ViteDevServer | undefined;
let nodes: Node[];
beforeAll(() => {
  installed = packAndInstall();
}, 300_000);
beforeEach(() => {
  nodes = [];
  for (const [name, file] of [
    ['singleton', 'app-node.mjs'],
    ['page', 'page.mjs'],
  ])
    write(file as string, programsOf('dev-servers').get(name as string) ?? '');
});
afterEach(async () => {
  await vite?.close();
  vite = undefined;
  for (const node of nodes) await node.stop();
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('shop.node')];
  await killChildren();
});
afterAll(() => installed?.remove());

const write = (file: string, text: string): void => writeFileSync(join(installed.folder, file), text);

/** Starts the development server, which watches the files. */
async function startVite(ssr = {}): Promise<(path: string) => Promise<Record<string, never>>> {
  vite = await createServer({
    root: installed.folder,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    ssr,
    server: { middlewareMode: true, ws: false },
  });
  return (path) => (vite as ViteDevServer).ssrLoadModule(path) as Promise<Record<string, never>>;
}

/** Changes a file until the server has noticed, and gives the module as it is then. */
async function reload(
  load: (path: string) => Promise<Record<string, never>>,
  file: string,
  change: (text: string) => string,
): Promise<Record<string, never>> {
  const text = change(readFileSync(join(installed.folder, file), 'utf8'));
  const old = await load(`/${file}`);
  let count = 0;
  return until(
    `${file} is loaded again`,
    async () => {
      if (count++ % 50 === 0) write(file, `${text}\n// ${count}\n`); // again: it may not have been watching yet
      const module = await load(`/${file}`);
      return module === old ? undefined : module;
    },
    MS,
  );
}

interface Page {
  render(): Promise<string>;
}
interface AppNode {
  getNode(): Promise<Node>;
  readonly counter: { start(node: Node): Promise<never> };
}

describe('Vite', () => {
  it('a module that is loaded again finds the node and the actors that are there', async () => {
    const load = await startVite();
    const [page, app] = [await load('/page.mjs'), await load('/app-node.mjs')] as unknown as [Page, AppNode];
    nodes.push(await app.getNode());
    expect(await page.render()).toBe('visit 1');
    const changed = (await reload(load, 'app-node.mjs', (text) =>
      text.replace('++state.count', '(state.count += 1000)').replace('const counter', 'export const counter'),
    )) as unknown as AppNode;
    const again = (await reload(load, 'page.mjs', (text) =>
      text.replace('visit', 'another visit'),
    )) as unknown as Page;
    expect(await changed.getNode()).toBe(nodes[0]);
    // The actor that runs keeps its state and its code; a new one has the new code.
    expect(await again.render()).toBe('another visit 2');
    write('call.mjs', "export { call } from 'snowmesh';");
    const { call } = (await load('/call.mjs')) as unknown as {
      call: (...args: unknown[]) => Promise<number>;
    };
    const node = nodes[0] as Node;
    expect(await call(node, await changed.counter.start(node), 'next')).toBe(1000);
  });

  it('needs snowmesh as external where `ssr.noExternal` is true', async () => {
    const load = await startVite({ noExternal: true, external: ['snowmesh'] });
    const app = (await load('/app-node.mjs')) as unknown as AppNode;
    nodes.push(await app.getNode());
    const page = (await load('/page.mjs')) as unknown as Page;
    expect(await page.render()).toBe('visit 1');
  });
});

describe('the module of the node', () => {
  it('is one node in two copies, as in two bundles of Next.js; a start that fails is tried again', async () => {
    const text = programsOf('dev-servers').get('singleton') ?? '';
    for (const name of ['one', 'two']) write(`copy-${name}.mjs`, text);
    write(
      'failing.mjs',
      text.replace('await startNode()', 'await (globalThis.hasFailed ? startNode() : fail())'),
    );
    write(
      'copies.mjs',
      `globalThis.fail = () => { globalThis.hasFailed = true; throw new Error('no'); };
      const { getNode } = await import('./failing.mjs');
      console.log(await getNode().catch((error) => error.message));
      const node = await getNode();
      const copies = await Promise.all(['one', 'two'].map(async (name) => (await import(\`./copy-\${name}.mjs\`)).getNode()));
      console.log(copies.every((copy) => copy === node));`,
    );
    // The process ends by itself: a node without a name has nothing to close.
    const child = installed.node(['copies.mjs']);
    expect((await child.exit(MS)).code, child.stderr()).toBe(0);
    expect(child.stdout().trim().split('\n')).toEqual(['no', 'true']);
  });

  it('with a name it keeps the process until a signal, and then leaves in order', async () => {
    const text = (programsOf('dev-servers').get('singleton') ?? '').replace(
      'await startNode();',
      "await startNode({ name: 'shop@127.0.0.1:0', cookie: '5f0e2c known to this test alone 5f0e2c' });\n  node.stopOnSignals();",
    );
    expect(text).toContain('stopOnSignals');
    write('named.mjs', `${text}\nawait getNode();\nconsole.log('up');\n`);
    const child = installed.node(['named.mjs']);
    await child.line(/^up$/, MS);
    child.kill('SIGTERM');
    expect(await child.exit(MS)).toEqual({ code: 0, signal: null });
  });
});
