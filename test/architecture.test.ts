// The rules of the house, executed. A failure prints the offending edge in words.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { derived } from '../scripts/layers.mjs';
import {
  brokenCircles,
  brokenImports,
  brokenNames,
  type Circle,
  importsOf,
  missingHeaders,
  overlong,
  type Sources,
  sharedClassNames,
} from './support/architecture.ts';
import { root } from './support/child.ts';
import { CLOCKS, unexplainedClocks } from './support/clocks.ts';
import { brokenRustRules, dependenciesOf, rustCircles } from './support/rust-rules.ts';

const SKIPPED = new Set([
  'node_modules',
  'target',
  'dist',
  'build',
  'prebuilds',
  'vectors',
  'peers',
  'corpus',
  'api',
]);

function read(folders: readonly string[], pattern: RegExp): Sources {
  const found = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile() && pattern.test(entry.name)) {
        found.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
      }
    }
  };
  for (const folder of folders) walk(join(root, folder));
  return found;
}

const product = read(['ts', 'bindings', 'examples'], /(?<!\.d)\.ts$/);
const rust = read(['native'], /\.rs$|^Cargo\.toml$/);
const written = read(
  ['ts', 'bindings', 'examples', 'native', 'test', 'benches', 'scripts'],
  /(?<!\.d)\.ts$|\.(mjs|js|css|html|rs)$/,
);

/** Circles of imports that are allowed. A new one needs a reason that a reader accepts. */
const CIRCLES: readonly Circle[] = [
  {
    files: [
      'ts/kernel/cell.ts',
      'ts/kernel/cell-extras.ts',
      'ts/kernel/kernel.ts',
      'ts/kernel/tracing-port.ts',
    ],
    reason:
      'a cell has its kernel and extras, which name other cells; the kernel has a table of cells and a port that is told of cells; types only',
  },
  {
    files: ['ts/actor/runtime.ts', 'ts/actor/self.ts', 'ts/actor/spawning.ts', 'ts/actor/spec.ts'],
    reason: 'self.runtime, runtime.spawn(spec) and spec = (self) => … are one public shape; types only',
  },
  {
    files: ['ts/testing/probe.ts', 'ts/testing/test-runtime.ts'],
    reason: 'a test runtime makes probes, and a probe that waits lets the runtime run',
  },
];

describe('the house', () => {
  it('imports lower layers only, modules by their index.ts, and leaves the network to those who may', () => {
    expect(brokenImports(product)).toEqual([]);
  });

  it('has no circles of imports but those named here, types included', () => {
    expect(brokenCircles(product, CIRCLES)).toEqual([]);
  });

  it('names files after what they define', () => {
    expect(brokenNames(written.keys())).toEqual([]);
  });

  it('names no two classes alike', () => {
    expect(sharedClassNames(new Map([...product].filter(([path]) => !path.startsWith('examples/'))))).toEqual(
      [],
    );
  });

  it('keeps files at a length one can read', () => {
    expect([...written.keys()]).toContain('ts/observe/page/app.js');
    expect(overlong(written)).toEqual([]);
  });

  it('has timers and clocks in tests only for a reason', () => {
    const itself = new Set(['test/architecture.test.ts', 'test/support/clocks.ts']);
    const tests = [...read(['test'], /\.ts$/)].filter(([path]) => !itself.has(path));
    expect(unexplainedClocks(new Map(tests), CLOCKS)).toEqual([]);
  });

  it('explains each module in its index.ts', () => {
    expect(missingHeaders(product)).toEqual([]);
  });

  it('shows the layers everywhere as scripts/layers.mjs has them', () => {
    for (const [file, text] of derived() as Map<string, string>)
      expect(readFileSync(join(root, file), 'utf8'), `${file}: run node scripts/layers.mjs`).toBe(text);
  });

  it('keeps core free of I/O, and unsafe and Node-API inside addon', () => {
    expect(brokenRustRules(rust)).toEqual([]);
  });

  it('has no circle among Rust modules of one folder', () => {
    expect(rustCircles(rust)).toEqual([]);
  });
});

const files = (record: Record<string, string>): Sources => new Map(Object.entries(record));

describe('a broken rule is noticed', () => {
  it.each([
    [
      'looking up',
      'ts/link/a.ts',
      '../actor/index.ts',
      /link \(layer 3\) may not look up to actor \(layer 10\)/,
    ],
    ['a neighbour', 'ts/supervisor/a.ts', '../behaviour/index.ts', /neighbours on layer 12/],
    [
      'a deep import',
      'ts/actor/a.ts',
      '../term/pid.ts',
      /imported by its index\.ts, not by ts\/term\/pid\.ts/,
    ],
    ['bindings from above', 'ts/actor/a.ts', '../../bindings/index.ts', /only term, node import bindings/],
    ['the addon', 'ts/node/a.ts', '../../build/Release/snowmesh.node', /only bindings\/ knows/],
    ['sockets', 'ts/node/a.ts', 'node:net', /node may not touch node:net/],
    ['a new dependency', 'ts/term/a.ts', 'msgpackr', /msgpackr is no runtime dependency/],
    [
      'testing in the product',
      'ts/cli/a.ts',
      '../testing/index.ts',
      /only tests and examples import testing/,
    ],
    [
      'an example that reaches in',
      'examples/a.ts',
      '../ts/actor/index.ts',
      /an example uses only what users get/,
    ],
    ['a module without a layer', 'ts/attic/a.ts', '../term/index.ts', /attic has no layer/],
  ])('%s', (_name, path, specifier, words) => {
    const broken = brokenImports(files({ [path]: `import { a } from '${specifier}';\n` }));
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(words);
  });

  it('whatever form the import has', () => {
    const forms = [
      `import type { A } from '../actor/index.ts';`,
      `import {\n  type A,\n  b,\n} from '../actor/index.ts';`,
      `export * from '../actor/index.ts';`,
      `export { a } from "../actor/index.ts";`,
      `import '../actor/index.ts';`,
      `const a = await import('../actor/index.ts');`,
    ];
    for (const form of forms)
      expect(brokenImports(files({ 'ts/link/a.ts': `${form}\n` })), form).toHaveLength(1);
    expect(importsOf('a.ts', `// import { a } from './b.ts';\nconst text = "import './b.ts'";\n`)).toEqual(
      [],
    );
  });

  it('a circle, also of types only', () => {
    const circle = files({
      'ts/term/a.ts': `import type { B } from './b.ts';\n`,
      'ts/term/b.ts': `import { c } from './c.ts';\n`,
      'ts/term/c.ts': `import { a } from './a.ts';\n`,
      'ts/term/d.ts': `import { a } from './a.ts';\n`,
    });
    const words = 'ts/term/a.ts ↔ ts/term/b.ts ↔ ts/term/c.ts';
    expect(brokenCircles(circle, [])).toEqual([`${words}: a circle`]);
    const named = { files: ['ts/term/a.ts', 'ts/term/b.ts', 'ts/term/c.ts'], reason: 'because' };
    expect(brokenCircles(circle, [named])).toEqual([]);
    expect(brokenCircles(files({ 'ts/term/a.ts': '' }), [named])).toEqual([`${words}: no circle any more`]);
  });

  it('a circle that is named, but too large or in two folders', () => {
    const paths = ['a', 'b', 'c', 'd', 'e', 'node/f'].map((name) => `ts/term/${name}.ts`);
    const next = (index: number): string => paths[(index + 1) % paths.length] as string;
    const circle = files(
      Object.fromEntries(
        paths.map((path, index) => {
          const up = path.includes('node') ? '../' : './';
          return [path, `import { a } from '${up}${next(index).slice('ts/term/'.length)}';\n`];
        }),
      ),
    );
    const broken = brokenCircles(circle, [{ files: paths, reason: 'because' }]);
    expect(broken).toEqual([
      expect.stringMatching(/more than 5 files$/),
      expect.stringMatching(/not in one folder$/),
    ]);
  });

  it('timers and clocks of tests', () => {
    const tests = files({
      'test/a.test.ts': 'await new Promise((resolve) => setTimeout(resolve, 50));\n',
      'test/b.test.ts': 'expect(performance.now() - began).toBeLessThan(50);\n',
      'test/c.test.ts': 'await event;\n',
    });
    expect(unexplainedClocks(tests, { 'b.test.ts': 'why', 'c.test.ts': 'why' })).toEqual([
      'test/a.test.ts uses a timer or a clock: await an event, or give a reason in test/support/clocks.ts',
      'test/b.test.ts has a clock in an assertion: count work, or await an event',
      'test/c.test.ts uses no timer and no clock: its reason in test/support/clocks.ts can go',
    ]);
  });

  it('names, lengths and headers', () => {
    expect(
      brokenNames(['ts/term/utils.ts', 'ts/term/types.ts', 'ts/term/saveQueue.ts', 'native/core/src/a-b.rs']),
    ).toHaveLength(4);
    expect(
      brokenNames(['ts/term/save-queue.ts', 'test/unit/term/pid.test.ts', 'bindings/native.d.ts']),
    ).toEqual([]);
    const classes = { 'ts/a.ts': 'class A {}\nclass B {}\n', 'ts/b.ts': 'export abstract class A {\n}\n' };
    expect(sharedClassNames(files(classes))).toEqual(['A is a class of ts/a.ts and ts/b.ts']);
    const long = {
      'ts/a.ts': 'x\n'.repeat(301),
      'native/core/src/a.rs': 'x\n'.repeat(301),
      'ts/a/page/a.css': 'x\n'.repeat(301),
      'examples/a/page/a.js': 'x\n'.repeat(301),
      'scripts/a.mjs': 'x\n'.repeat(301),
      'test/a.ts': 'x\n'.repeat(301),
      'test/b.ts': 'x\n'.repeat(491),
    };
    expect(overlong(files(long))).toEqual([
      'ts/a.ts has 301 lines, more than 300',
      'native/core/src/a.rs has 301 lines, more than 300',
      'ts/a/page/a.css has 301 lines, more than 300',
      'examples/a/page/a.js has 301 lines, more than 300',
      'scripts/a.mjs has 301 lines, more than 300',
      'test/b.ts has 491 lines, more than 490',
    ]);
    expect(missingHeaders(files({ 'ts/term/index.ts': `// short\nexport {};\n` }))).toHaveLength(1);
  });

  it('a circle of Rust modules, but not a child that uses its parent', () => {
    const circle: [string, string][] = [
      ['native/net/src/io/mod.rs', 'mod sweep;\nuse crate::node::Node;\n'],
      ['native/net/src/io/sweep.rs', 'use super::IoLoop;\n'],
      ['native/net/src/node/mod.rs', 'pub struct Node;\n'],
    ];
    expect(rustCircles(new Map(circle))).toEqual([]);
    circle.push(
      ['native/net/src/node/stats.rs', 'pub struct Stats;\n#[cfg(test)]\npub(crate) mod tests;\n'],
      ['native/net/src/node/stats/tests.rs', 'use crate::io::TOKENS;\n'],
    );
    expect(rustCircles(new Map(circle))).toEqual([]);
    circle.push(['native/net/src/node/tables.rs', 'const A: usize = crate::io::TOKENS;\n']);
    expect(rustCircles(new Map(circle))).toEqual(['net::io', 'net::node']);
  });

  it('in Rust', () => {
    const manifest =
      '[package]\nname = "core"\n[dependencies]\nmio = "1"\nthiserror.workspace = true\n[dev-dependencies]\nproptest = "1"\n';
    expect(dependenciesOf(manifest)).toEqual(['mio', 'thiserror']);
    const broken = brokenRustRules(
      files({
        'native/core/Cargo.toml': manifest,
        'native/core/src/lib.rs': 'use std::net::TcpStream;\n',
        'native/net/src/lib.rs': '#![forbid(unsafe_code)]\nfn f() { unsafe { g() } }\n',
        'native/addon/src/lib.rs': 'fn f() { unsafe { g() } }\n',
      }),
    );
    expect(broken).toEqual([
      'native/core/Cargo.toml depends on mio: core does no I/O and knows no clock, thread or Node.js',
      'native/core/src/lib.rs does not say #![forbid(unsafe_code)]',
      'native/core/src/lib.rs uses std::net: core does no I/O',
      'native/net/src/lib.rs uses unsafe: only addon may',
    ]);
  });
});
