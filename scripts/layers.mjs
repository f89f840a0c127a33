// The layers of ts/: a module, a folder of ts/, may import only modules of lower layers.
//
// `node scripts/layers.mjs` writes what follows from this table: the import rules in .oxlintrc.json and the diagrams in
// CONTRIBUTING.md and docs/internals.md. test/architecture.test.ts fails if one of them is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The lowest layer first. `errors` is below `term`, which throws them; `index` is below `cli` and `testing`, which may use
 * everything that is public.
 */
export const LAYERS = [
  ['bindings'],
  ['wire', 'errors', 'diagnostics', 'client', 'collections'],
  ['term'],
  ['mailbox', 'scheduler', 'timers', 'link'],
  ['kernel'],
  ['signal'],
  ['send'],
  ['call'],
  ['spawn'],
  ['peer'],
  ['actor'],
  ['registry'],
  ['supervisor', 'behaviour'],
  ['introspect', 'discovery'],
  ['node'],
  ['global', 'groups', 'health', 'metrics', 'observe', 'otel', 'rooms'],
  ['index'],
  ['cli', 'testing'],
];

export const MAY_IMPORT_BINDINGS = new Set(['term', 'node']);

export function layerOf(module) {
  return LAYERS.findIndex((modules) => modules.includes(module));
}

/** The linter's rules for each module (`overrides` of .oxlintrc.json), so that editors show a forbidden import at once. */
export function lintRules() {
  return LAYERS.flat()
    .filter((module) => module !== 'index')
    .map(lintRule);
}

function lintRule(module) {
  const own = layerOf(module);
  const closed = LAYERS.flatMap((modules, layer) =>
    modules.filter((other) => layer >= own && other !== module),
  );
  if (!MAY_IMPORT_BINDINGS.has(module) && module !== 'bindings') closed.push('bindings');
  const names = closed.filter((other) => other !== 'index').join('|');
  const message = `${module} is on layer ${own} and imports lower layers only.`;
  const patterns = [{ regex: `^(\\.\\./)+(${names})/`, message }];
  if (module !== 'bindings') {
    const modules = LAYERS.flat().filter((other) => other !== 'index' && other !== module);
    patterns.push({
      group: [...modules.map((other) => `**/${other}/*`), '!**/index.ts'],
      message: 'A module is imported by its index.ts.',
    });
  }
  return {
    files: [module === 'bindings' ? 'bindings/**/*.ts' : `ts/${module}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/** The layers as the documents show them, the highest first. */
export function diagram() {
  const rows = LAYERS.map((modules, layer) => `${String(layer).padStart(2)}   ${modules.join('   ')}`);
  rows[0] += '  ── native/addon → native/net → native/core';
  return rows.toReversed().join('\n');
}

/** The texts of the files that follow from the table, by path. */
export function derived() {
  return new Map([
    ['.oxlintrc.json', lintConfig()],
    ['CONTRIBUTING.md', withDiagram('CONTRIBUTING.md')],
    ['docs/internals.md', withDiagram('docs/internals.md')],
  ]);
}

function lintConfig() {
  const config = JSON.parse(read('.oxlintrc.json'));
  const others = config.overrides.filter(({ rules }) => !('no-restricted-imports' in rules));
  config.overrides = [...others, ...lintRules()];
  return `${formatted(config)}\n`;
}

/** JSON as biome formats it: an array of strings is on one line if it fits. */
function formatted(config) {
  return JSON.stringify(config, null, 2).replace(
    /^( *)("[^"\n]*": )?\[\n((?: *"(?:[^"\\\n]|\\.)*",?\n)+) *\](,?)$/gm,
    (whole, indent, key = '', items, comma) => {
      const line = `${indent}${key}[${items.trim().replace(/\n */g, ' ')}]${comma}`;
      return line.length <= LINE_WIDTH ? line : whole;
    },
  );
}

const LINE_WIDTH = 110;
const DIAGRAM = /(<!-- layers: written by scripts\/layers.mjs -->\n```\n)[\s\S]*?(```)/;

function withDiagram(file) {
  return read(file).replace(DIAGRAM, (_, before, after) => `${before}${diagram()}\n${after}`);
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, text] of derived()) writeFileSync(join(root, file), text);
}
