// The same rules for the Rust crates: core ← net ← addon. What a crate may depend on is read from its
// manifest, what it may do from its sources.
import type { Sources } from './architecture.ts';

interface CrateRule {
  /** Crates it must not depend on, whatever the reason. */
  readonly forbidden: RegExp;
  readonly because: string;
  readonly mayUseUnsafe: boolean;
}

const RULES: Readonly<Record<string, CrateRule>> = {
  core: {
    forbidden:
      /^(snowmesh[-_](net|addon)|napi.*|mio|polling|socket2|libc|rustls.*|tokio.*|async-std|rcgen|nix|getrandom|rand)$/,
    because: 'core does no I/O and knows no clock, thread or Node.js',
    mayUseUnsafe: false,
  },
  net: {
    forbidden: /^(snowmesh[-_]addon|napi.*|tokio.*)$/,
    because: 'net knows no Node.js and brings no runtime of its own',
    mayUseUnsafe: false,
  },
  addon: { forbidden: /^tokio.*$/, because: 'there is no second runtime', mayUseUnsafe: true },
};

/** What core must not do even through the standard library. */
const CORE_FORBIDS: readonly (readonly [RegExp, string])[] = [
  [/\bstd::(net|fs|process|env|os)\b/, 'core does no I/O'],
  [/\bstd::io\b/, 'core takes bytes and gives bytes'],
  [/\bstd::thread\b/, 'core starts no thread'],
  [/\b(Instant|SystemTime)\b/, 'core is told the time'],
];

/** Names of the normal dependencies in a Cargo manifest (build and dev dependencies do not ship). */
export function dependenciesOf(manifest: string): string[] {
  const names: string[] = [];
  let inside = false;
  for (const line of manifest.split('\n')) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (section !== undefined) {
      const table = /^(?:target\..+\.)?dependencies\.(.+)$/.exec(section)?.[1];
      if (table !== undefined) names.push(table.replaceAll('"', ''));
      inside = /^(target\..+\.)?dependencies$/.test(section);
    } else if (inside) {
      const name = /^\s*"?([\w-]+)"?\s*[.=]/.exec(line)?.[1];
      if (name !== undefined) names.push(name);
    }
  }
  return names;
}

/** The rules broken by the crates under native/. */
export function brokenRustRules(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [path, text] of sources) {
    const crate = /^native\/([^/]+)\//.exec(path)?.[1] ?? '';
    const rule = RULES[crate];
    if (rule === undefined) continue;
    if (path === `native/${crate}/Cargo.toml`) {
      for (const name of dependenciesOf(text)) {
        if (rule.forbidden.test(name)) broken.push(`${path} depends on ${name}: ${rule.because}`);
      }
    }
    if (path.startsWith(`native/${crate}/src/`) && path.endsWith('.rs'))
      broken.push(...brokenSource(crate, rule, path, text));
  }
  return broken;
}

function brokenSource(crate: string, rule: CrateRule, path: string, text: string): string[] {
  const broken: string[] = [];
  const code = productCode(text);
  if (
    path === `native/${crate}/src/lib.rs` &&
    !rule.mayUseUnsafe &&
    !/#!\[forbid\([^)]*unsafe_code/.test(text)
  ) {
    broken.push(`${path} does not say #![forbid(unsafe_code)]`);
  }
  if (!rule.mayUseUnsafe && /\bunsafe\s*(\{|fn|impl|trait|extern)/.test(code)) {
    broken.push(`${path} uses unsafe: only addon may`);
  }
  if (crate !== 'core') return broken;
  for (const [pattern, words] of CORE_FORBIDS) {
    const found = pattern.exec(code)?.[0];
    if (found !== undefined) broken.push(`${path} uses ${found}: ${words}`);
  }
  return broken;
}

/** Rust text without comments and without the test module at its end. */
function productCode(text: string): string {
  return text
    .replace(/^#\[cfg\(test\)\]\s*mod [\s\S]*$/m, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/\/\*[\s\S]*?\*\//g, '');
}

/**
 * Circles among the modules of one folder: `a` uses `b`, `b` uses `a`. A module may use its parent, and a parent its
 * children: that is how Rust splits a type over files. Tests may use all.
 */
export function rustCircles(sources: Sources): string[] {
  const uses = new Map<string, Set<string>>();
  const tests = testModules(sources);
  for (const [path, text] of sources) {
    const own = moduleOf(path);
    if (own === undefined || tests.has(own.join('::'))) continue;
    for (const used of modulesUsed(productCode(text), own)) {
      const depth = own.findIndex((part, index) => used[index] !== part);
      if (depth < 1 || used.length <= depth) continue; // itself, its parent or a child
      const from = own.slice(0, depth + 1).join('::');
      const to = used.slice(0, depth + 1).join('::');
      uses.set(from, (uses.get(from) ?? new Set()).add(to));
    }
  }
  return [...uses.keys()].filter((start) => reaches(uses, start)).sort();
}

/** The path of the module that a file is. */
function moduleOf(path: string): string[] | undefined {
  const [, crate, rest = ''] = /^native\/([^/]+)\/src\/(.*)\.rs$/.exec(path) ?? [];
  if (crate === undefined) return undefined;
  return [crate, ...rest.replace(/(^|\/)(mod|lib)$/, '').split('/')].filter((part) => part !== '');
}

/** Modules in files of their own that only tests have. */
function testModules(sources: Sources): Set<string> {
  const found = new Set<string>();
  for (const [path, text] of sources) {
    const declared = text.matchAll(/^#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))? )?mod (\w+);/gm);
    for (const [, name = ''] of declared) found.add([...(moduleOf(path) ?? []), name].join('::'));
  }
  return found;
}

/** The paths of modules that a file names: `crate::a::b` and `super::b`, braces included. */
function modulesUsed(code: string, own: readonly string[]): string[][] {
  const found: string[][] = [];
  for (const [, root = '', path = ''] of code.matchAll(
    /\b(crate|(?:super::)*super)::((?:[a-z_0-9]+::)*[a-z_0-9]*)/g,
  )) {
    const base = root === 'crate' ? own.slice(0, 1) : own.slice(0, own.length - root.split('::').length);
    found.push([...base, ...path.split('::').filter((part) => part !== '')]);
  }
  return found;
}

function reaches(uses: ReadonlyMap<string, ReadonlySet<string>>, start: string): boolean {
  const seen = new Set<string>();
  const left = [...(uses.get(start) ?? [])];
  for (let module = left.pop(); module !== undefined; module = left.pop()) {
    if (module === start) return true;
    if (seen.has(module)) continue;
    seen.add(module);
    left.push(...(uses.get(module) ?? []));
  }
  return false;
}
