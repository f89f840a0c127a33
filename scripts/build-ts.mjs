// Compiles everything that runs outside the test runner into dist/, file by file, and bundles ts/ into the files of dist/lib that
// users load (scripts/bundle-package.mjs), with their declarations (scripts/roll-up-types.mjs). The benches, and the processes that
// tests start, run the single files; of those only the examples are published.
// --if-needed: only if a source is newer than the last compilation.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { bundlePackage } from './bundle-package.mjs';
import { CLIENT_BUNDLE } from './client-bundle.mjs';
import { packageEntries } from './package-entries.mjs';
import { rollUpTypes } from './roll-up-types.mjs';
import { isUpToDate, root, run } from './setup.mjs';

const LONGEST_COMPILATION_MS = 120_000;
const dist = join(root, 'dist');
const stamp = join(dist, '.compiled');
const folders = ['ts', 'bindings', 'examples', 'benches', 'test'];
/** Folders with the files of a web page. They are copied, not compiled. */
const pages = ['ts/observe/page', 'examples/chat/page'];
const sources = /\.[cm]?ts$|tsconfig[^/]*\.json$|[\\/]page[\\/][^\\/]+$/;

/** What writes dist/. */
const writers = /[\\/](build-ts|bundle-package|client-bundle|package-entries|roll-up-types)\.mjs$/;

const isCompiled = () => isUpToDate(stamp, folders, sources) && isUpToDate(stamp, ['scripts'], writers);
const isNeeded = () => !process.argv.includes('--if-needed') || !isCompiled();
if (isNeeded()) process.exitCode = await inTurn(async () => (isNeeded() ? compile() : 0));

/** Runs `work` while holding a lock: of several test files that want to compile at once, one does and the others wait. */
async function inTurn(work) {
  const lock = join(root, 'build/compiling');
  mkdirSync(join(root, 'build'), { recursive: true });
  while (!hasTaken(lock)) await setTimeout(100);
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function hasTaken(lock) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    // A compilation that was killed has not removed its lock.
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LONGEST_COMPILATION_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

async function compile() {
  const started = new Date();
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const status = run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  mkdirSync(dist, { recursive: true });
  for (const folder of folders) prune(folder);
  // tsc reads declaration files, but does not copy them.
  cpSync(join(root, 'bindings/native.d.ts'), join(dist, 'bindings/native.d.ts'));
  for (const page of pages) cpSync(join(root, page), join(dist, page), { recursive: true });
  const plots = join(root, 'node_modules/uplot/dist');
  cpSync(join(plots, 'uPlot.iife.min.js'), join(dist, 'ts/observe/page/uplot.js'));
  cpSync(join(plots, 'uPlot.min.css'), join(dist, 'ts/observe/page/uplot.css'));
  if (status === 0) {
    buildSync({
      ...CLIENT_BUNDLE,
      entryPoints: [join(dist, 'ts/client/index.js')],
      outfile: join(dist, 'ts/client/snowmesh-client.min.js'),
    });
    await bundlePackage(dist);
    await rollUpTypes(dist);
    for (const folder of ['examples', 'benches']) importByName(join(dist, folder));
    writeFileSync(stamp, '');
    utimesSync(stamp, started, started); // so that a source saved meanwhile is newer
  }
  return status;
}

/** Makes the examples and benches import the package as users do, instead of the single files that it is bundled from. */
function importByName(folder) {
  const names = new Map([...packageEntries()].map(([name, source]) => [`${source}.js`, name]));
  const byName = (path, source) => {
    const name = names.get(source);
    if (name === undefined) return path;
    return name === 'index' ? "'snowmesh'" : `'snowmesh/${name}'`;
  };
  for (const name of readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.js'))) {
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), text.replaceAll(/'(?:\.\.\/)+(ts\/(?:\w+\/)?index\.js)'/g, byName));
  }
}

/** Removes compiled files whose source was removed: otherwise they would be published. */
function prune(folder) {
  const compiled = join(dist, folder);
  if (!existsSync(compiled)) return;
  for (const entry of readdirSync(compiled, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const source = entry.isDirectory() ? path : path.replace(/(\.d)?\.([cm]?)[jt]s$/, '.$2ts');
    if (!existsSync(join(root, source))) rmSync(join(dist, path), { recursive: true });
    else if (entry.isDirectory()) prune(path);
  }
}
