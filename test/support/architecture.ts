// The rules of the architecture as pure functions over file texts: what a module may import, how files are named and how long they may
// be. Each returns the broken rules in words. `test/architecture.test.ts` runs them over the sources
// and proves on small bad examples that they would notice.
// @ts-expect-error A script of this repository, without types.
import * as layers from '../../scripts/layers.mjs';

const layerOf = layers.layerOf as (module: string) => number;
const MAY_IMPORT_BINDINGS = layers.MAY_IMPORT_BINDINGS as ReadonlySet<string>;

/** File texts by path from the root of the repository, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const MAY_TOUCH_NETWORK = new Set(['discovery', 'rooms', 'observe', 'cli', 'testing', 'bindings', 'health']);
const NETWORK_MODULES = new Set(['net', 'tls', 'http', 'https', 'dgram', 'worker_threads', 'cluster', 'ws']);
/** Files that take from such a module what has nothing to do with networks or threads. */
const HARMLESS = new Map([
  ['ts/term/byte-blocks.ts', 'worker_threads'], // markAsUntransferable
  ['ts/node/stop-on-signals.ts', 'worker_threads'], // isMainThread
]);
const RUNTIME_DEPENDENCIES = new Map([
  ['node-gyp-build', 'bindings'],
  ['ws', 'rooms'],
  ['@opentelemetry/api', 'otel'],
  // Copied into the package by the build, so no dependencies of it.
  ['ansi-escapes', 'cli'],
  ['string-width', 'cli'],
]);
const FORBIDDEN_NAMES = /^(utils?|helpers?|common|misc|managers?)$|[-_](utils?|helpers?|misc|manager)$/;
/** Lines of a source file, and of a test. */
const LINE_LIMIT = 300;
const TEST_LINE_LIMIT = 490;

/** Every import, re-export and dynamic import of a file. Relies on the formatter: statements begin their line. */
export function importsOf(from: string, text: string): Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s+)?((?:[^'";]|\/\/.*)*?)\bfrom\s+['"]([^'"]+)['"]/gm;
  for (const [, type, names = '', specifier = ''] of text.matchAll(statement)) {
    found.push({ from, specifier, typeOnly: type !== undefined || isAllTypes(names) });
  }
  for (const [, specifier = ''] of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) {
    found.push({ from, specifier, typeOnly: false });
  }
  for (const [, specifier = ''] of text.matchAll(/^(?!\s*(?:\/\/|\*)).*\bimport\(\s*['"]([^'"]+)['"]/gm)) {
    found.push({ from, specifier, typeOnly: false });
  }
  return found;
}

function isAllTypes(names: string): boolean {
  const inBraces = /^\s*\{([\s\S]*)\}\s*$/.exec(names)?.[1];
  if (inBraces === undefined) return false;
  const each = inBraces.split(',').filter((name) => name.trim() !== '');
  return each.length > 0 && each.every((name) => /^\s*type\s/.test(name));
}

/** The module a path belongs to: `bindings`, a folder of `ts/`, or `index`; undefined outside of both. */
export function moduleOf(path: string): string | undefined {
  if (path.startsWith('bindings/')) return 'bindings';
  if (path === 'ts/index.ts') return 'index';
  return /^ts\/([^/]+)\//.exec(path)?.[1];
}

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The import rules between modules, for everything under ts/, bindings/ and examples/. */
export function brokenImports(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [path, text] of sources) {
    const isExample = path.startsWith('examples/');
    if (moduleOf(path) === undefined && !isExample) {
      if (path.startsWith('ts/'))
        broken.push(`${path} lies in no module: ts/ holds index.ts and folders only`);
      continue;
    }
    for (const edge of importsOf(path, text)) {
      const words = isExample ? brokenInExample(edge) : brokenBetweenModules(edge);
      if (words !== undefined) broken.push(`${path} imports '${edge.specifier}': ${words}`);
    }
  }
  return broken;
}

function brokenInExample({ from, specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = resolve(from, specifier);
  if (!/^(ts|bindings|native|test)\//.test(target)) return undefined;
  if (/^ts\/((testing|rooms|otel|client)\/)?index\.ts$/.test(target)) return undefined;
  return 'an example uses only what users get, ts/index.ts or that of testing, rooms, otel or client';
}

function brokenBetweenModules({ from, specifier }: Import): string | undefined {
  const module = moduleOf(from) as string;
  if (!specifier.startsWith('.')) return brokenPackage(module, from, specifier);
  const target = resolve(from, specifier);
  const targetModule = moduleOf(target);
  if (/\.node$|^(native|build|prebuilds)\//.test(target)) {
    return module === 'bindings' ? undefined : 'only bindings/ knows that an addon exists';
  }
  if (targetModule === undefined) return `${target} is outside ts/ and bindings/`;
  if (targetModule === module) return undefined;
  return brokenEdge(module, targetModule, target);
}

function brokenEdge(module: string, targetModule: string, target: string): string | undefined {
  const [own, other] = [layerOf(module), layerOf(targetModule)];
  if (own < 0) return `the module ${module} has no layer: give it one in scripts/layers.mjs`;
  if (other < 0) return `the module ${targetModule} has no layer: give it one in scripts/layers.mjs`;
  if (targetModule === 'testing') return 'only tests and examples import testing';
  if (other > own)
    return `${module} (layer ${own}) may not look up to ${targetModule} (layer ${other}); use a port that ${module} defines`;
  if (other === own)
    return `${module} and ${targetModule} are neighbours on layer ${own}; an import goes sideways only inside its own folder`;
  if (targetModule === 'bindings' && !MAY_IMPORT_BINDINGS.has(module)) {
    return `only ${[...MAY_IMPORT_BINDINGS].join(', ')} import bindings, ${module} does not`;
  }
  if (target !== 'ts/index.ts' && !/^(ts\/[^/]+|bindings)\/index\.ts$/.test(target)) {
    return `a module is imported by its index.ts, not by ${target}`;
  }
  return undefined;
}

function brokenPackage(module: string, from: string, specifier: string): string | undefined {
  const name = /^(@[^/]+\/)?[^/]*/.exec(specifier.replace(/^node:/, ''))?.[0] ?? '';
  const isPortable = from.startsWith('bindings/portable/');
  if (NETWORK_MODULES.has(name)) {
    if (module === 'bindings' && !isPortable) return `in bindings/ only portable/ touches ${specifier}`;
    if (!MAY_TOUCH_NETWORK.has(module) && HARMLESS.get(from) !== name)
      return `${module} may not touch ${specifier}: sockets and threads are native`;
  }
  if (specifier.startsWith('node:')) return undefined;
  const owner = RUNTIME_DEPENDENCIES.get(name);
  if (owner === undefined)
    return `${name} is no runtime dependency (a module of Node.js is written node:${name})`;
  return owner === module ? undefined : `only ${owner} imports ${name}`;
}

/** A circle of files that is allowed, and why it cannot be cut. */
export interface Circle {
  readonly files: readonly string[];
  readonly reason: string;
}

/** Files in a circle that is allowed. */
const LARGEST_CIRCLE = 5;

/**
 * Circles of imports, type imports included, that are not `allowed`; and allowed ones that are larger than five files, that
 * leave their folder, or that are no circle any more.
 */
export function brokenCircles(sources: Sources, allowed: readonly Circle[]): string[] {
  const found = new Set(importCircles(sources).map(inWords));
  const known = new Set(allowed.map(({ files }) => inWords(files)));
  const broken = [...found].filter((circle) => !known.has(circle)).map((circle) => `${circle}: a circle`);
  for (const { files } of allowed) {
    if (!found.has(inWords(files))) broken.push(`${inWords(files)}: no circle any more`);
    if (files.length > LARGEST_CIRCLE) broken.push(`${inWords(files)}: more than ${LARGEST_CIRCLE} files`);
    if (new Set(files.map((file) => file.slice(0, file.lastIndexOf('/')))).size > 1)
      broken.push(`${inWords(files)}: not in one folder`);
  }
  return broken;
}

function inWords(files: readonly string[]): string {
  return files.toSorted().join(' ↔ ');
}

/** Groups of files that import each other in a circle: the strongly connected components of more than one file (Tarjan). */
export function importCircles(sources: Sources): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (path: string): void => {
    const own = order.size;
    order.set(path, own);
    lowest.set(path, own);
    open.push(path);
    for (const target of targetsOf(path, sources)) {
      if (!order.has(target)) visit(target);
      if (open.includes(target))
        lowest.set(path, Math.min(lowest.get(path) as number, lowest.get(target) as number));
    }
    if (lowest.get(path) !== own) return;
    const circle = open.splice(open.indexOf(path));
    if (circle.length > 1) circles.push(circle);
  };
  for (const path of sources.keys()) if (moduleOf(path) !== undefined && !order.has(path)) visit(path);
  return circles;
}

function targetsOf(path: string, sources: Sources): string[] {
  return importsOf(path, sources.get(path) as string)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => resolve(path, specifier))
    .filter((target) => sources.has(target));
}

/** File names: nouns in kebab-case (TypeScript, scripts) or snake_case (Rust), and none that say nothing. */
export function brokenNames(paths: Iterable<string>): string[] {
  const broken: string[] = [];
  for (const path of paths) {
    const file = path.split('/').at(-1) ?? '';
    const stem = file.replace(/(\.test|\.d)?\.\w+$/, '');
    if (FORBIDDEN_NAMES.test(stem))
      broken.push(`${path}: a file is named after the thing it defines, not "${stem}"`);
    if (/^ts\/[^/]+\/types\.ts$/.test(path))
      broken.push(`${path}: a type lives with its concept, not in types.ts`);
    if (/\.(m?ts|mjs|js|css|html)$/.test(file) && !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(stem))
      broken.push(`${path}: not in kebab-case`);
    if (file.endsWith('.rs') && !/^[a-z0-9_]+$/.test(stem)) broken.push(`${path}: not in snake_case`);
  }
  return broken;
}

/** Names of classes that two files define: a reader takes them for one. */
export function sharedClassNames(sources: Sources): string[] {
  const files = new Map<string, string[]>();
  for (const [path, text] of sources)
    for (const [, name = ''] of text.matchAll(/^(?:export )?(?:abstract )?class (\w+)/gm))
      files.set(name, [...(files.get(name) ?? []), path]);
  return [...files].flatMap(([name, paths]) =>
    paths.length === 1 ? [] : `${name} is a class of ${paths.join(' and ')}`,
  );
}

/** Files that have grown past the limit: probably two things in one. */
export function overlong(sources: Sources): string[] {
  return [...sources]
    .map(([path, text]) => ({
      path,
      lines: text.split('\n').length - 1,
      limit: /^(ts|bindings|examples|scripts|native\/\w+\/src)\//.test(path) ? LINE_LIMIT : TEST_LINE_LIMIT,
    }))
    .filter(({ lines, limit }) => lines > limit)
    .map(({ path, lines, limit }) => `${path} has ${lines} lines, more than ${limit}`);
}

/** Each module's index.ts opens with 5 to 15 lines of comment: what for, what guaranteed, what it must not know. */
export function missingHeaders(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [path, text] of sources) {
    if (!/^(ts\/[^/]+|bindings)\/index\.ts$/.test(path)) continue;
    const header = /^(?:\/\/.*\n)+|^\/\*[\s\S]*?\*\/\n/.exec(text)?.[0] ?? '';
    const lines = header.split('\n').length - 1;
    if (lines < 5 || lines > 20)
      broken.push(`${path} opens with ${lines} lines of comment; 5 to 15 say what the module is for`);
  }
  return broken;
}
