// The site that `npm run docs` makes: the documents, the reference and a search, without a link that leads nowhere.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../support/child.ts';

let site = '';
beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'snowmesh-site-'));
  const tool = join(root, 'docs/node_modules/typedoc/bin/typedoc');
  await promisify(execFile)(process.execPath, [tool, '--out', site], { cwd: join(root, 'docs') });
  await promisify(execFile)(process.execPath, [join(root, 'scripts/llms.mjs'), site]);
});
afterAll(() => rmSync(site, { recursive: true, force: true }));

it('has a page for each document, and a search', () => {
  const { projectDocuments } = JSON.parse(readFileSync(join(root, 'docs/typedoc.json'), 'utf8'));
  const pages = (projectDocuments as string[]).map((file) =>
    join(site, 'documents', file.replace('/', '_').replace(/md$/, 'html')),
  );
  expect(pages.filter((page) => !existsSync(page))).toEqual([]);
  expect(existsSync(join(site, 'assets/search.js'))).toBe(true);
});

it('has both texts for programs, which link to pages that there are', () => {
  const links = [...readFileSync(join(site, 'llms.txt'), 'utf8').matchAll(/\]\(([^)]+)\)/g)];
  expect(links.length).toBeGreaterThan(20);
  expect(links.map(([, link = '']) => link).filter((link) => !existsSync(join(site, link)))).toEqual([]);
});

it('has no dead link within itself', () => {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.html'),
  );
  const texts = new Map(pages.map((page) => [join(site, page), readFileSync(join(site, page), 'utf8')]));
  const anchors = new Map([...texts].map(([page, text]) => [page, anchorsOf(text)]));
  const dead = new Set<string>();
  let links = 0;
  for (const [page, text] of texts) {
    for (const [, target = ''] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      const [file = '', anchor] = target.split('#').map(decodeURIComponent);
      const goal = file === '' ? page : join(dirname(page), file);
      const isThere = existsSync(goal) && (!anchor || anchors.get(goal)?.has(anchor) !== false);
      if (!isThere) dead.add(`${page.slice(site.length + 1)}: ${target}`);
    }
  }
  expect(links).toBeGreaterThan(1000);
  expect([...dead]).toEqual([]);
});

function anchorsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, anchor = '']) => anchor));
}
