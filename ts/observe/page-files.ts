import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** The files of the page, in the folder `page`. */
const NAMES: ReadonlySet<string> = new Set([
  'index.html',
  'app.js',
  'charts.js',
  'cluster.js',
  'format.js',
  'health.js',
  'log.js',
  'map.js',
  'selected-node.js',
  'tables.js',
  'uplot.js',
  'cluster.css',
  'log.css',
  'node.css',
  'theme.css',
  'uplot.css',
  'icon.svg',
]);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The folder of the page, relative to the sources and to the bundle. */
const FOLDERS = ['./page/', '../ts/observe/page/'];
/** The build copies uPlot, which draws the charts, into the page's folder; the sources use it where npm has installed it. */
const UPLOT = '../../node_modules/uplot/dist/';
const UPLOT_FILES: Readonly<Record<string, string | undefined>> = {
  'uplot.js': `${UPLOT}uPlot.iife.min.js`,
  'uplot.css': `${UPLOT}uPlot.min.css`,
};

/** The file of the page with this URL path; undefined: there is none. O(bytes): it is read at each request. */
export function pageFile(path: string): { readonly type: string; readonly body: Buffer } | undefined {
  const name = path === '/' ? 'index.html' : path.slice(1);
  if (!NAMES.has(name)) return undefined;
  const installed = UPLOT_FILES[name];
  const places = [...FOLDERS.map((folder) => folder + name), ...(installed === undefined ? [] : [installed])];
  const urls = places.map((place) => new URL(place, import.meta.url));
  const body = readFileSync(urls.find((url) => existsSync(url)) ?? (urls[0] as URL));
  return { type: TYPES[extname(name)] as string, body };
}
