// The observer page without an observer: its files from the folder, and events that the test makes.
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { root } from './child.ts';

const FOLDERS: Readonly<Record<string, string>> = {
  'uplot.js': 'node_modules/uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'node_modules/uplot/dist/uPlot.min.css',
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Replaces the page's EventSource. `queries` are the selections that it asked for, `emit` plays an event of the last one. */
const FAKE_SOURCE = `
  globalThis.queries = [];
  globalThis.EventSource = class {
    #listeners = new Map();
    constructor(url) {
      queries.push(url);
      globalThis.emit = (event, data) => this.#listeners.get(event)?.({ data: JSON.stringify(data) });
    }
    addEventListener(event, listener) {
      this.#listeners.set(event, listener);
    }
    close() {}
  };`;

export type Level = 'healthy' | 'lost' | 'late';

export class ObserverPage {
  readonly page: Page;
  #rounds = 0;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page in a window of its own. */
  static async open(browser: Browser, options: BrowserContextOptions): Promise<ObserverPage> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(90_000);
    await page.route('**/*', (route) => {
      const name = new URL(route.request().url()).pathname.slice(1) || 'index.html';
      const path = join(root, FOLDERS[name] ?? join('ts/observe/page', name));
      return route.fulfill({ contentType: TYPES[extname(name)] ?? '', body: readFileSync(path) });
    });
    await page.addInitScript(FAKE_SOURCE);
    await page.goto('http://observer.test/');
    await page.locator('#tabs select').waitFor();
    return new ObserverPage(page);
  }

  /** Plays an event of the observer. */
  emit(event: string, data: unknown): Promise<void> {
    return this.page.evaluate(`emit(${JSON.stringify(event)}, ${JSON.stringify(data)})`);
  }

  /** A round with these nodes; `lateMs` is how late the event loop of a late one is. */
  async cluster(nodes: Readonly<Record<string, Level>>, lateMs = 70): Promise<void> {
    const names = Object.keys(nodes);
    const views = names.map((node, at) => {
      if (nodes[node] === 'lost') return { node, state: 'lost' };
      const sessions = names.flatMap((_, to) => (to === at ? [] : [[to, 0, 0, 10, 10]]));
      const loopDelay = { p99: nodes[node] === 'late' ? lateMs : 1 };
      return { node, state: 'up', overview: { ...OVERVIEW, loopDelay }, sessions };
    });
    await this.emit('cluster', { at: ++this.#rounds * 500, root: names[0], nodes: views, omitted: 0 });
  }

  /** What the selected node answers, with so many actors. */
  actors(node: string, count: number, total = count): Promise<void> {
    const items = Array.from({ length: count }, (_, at) => ({
      pid: `<0.${at + 1}>`,
      label: `worker-${at}`,
      state: 'waiting',
      mailbox: at,
      turns: 1,
      memory: 1000,
    }));
    const totals = { mailbox: 0, turns: 0 };
    return this.emit('node', { node, table: 'actors', totals, rows: { items, total } });
  }
}

const OVERVIEW = {
  version: '1.0.0',
  platform: 'linux-x64',
  osPid: 7,
  uptimeMs: 5000,
  actors: 9,
  supervisors: 1,
  names: 2,
  peers: 2,
  memory: { rss: 5e7 },
  cpuMs: 1,
  deadLetters: { noproc: 3 },
  stalledPeers: [],
};
