// Every piece of code in the documents and in doc comments compiles in strict mode against the declarations of the package, with the
// oldest TypeScript that is promised and with the newest.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript-5.4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { rollUpTypes } from '../../scripts/roll-up-types.mjs';
import { root, startChild } from '../support/child.ts';
import { complete, inComments, inDocument, type Snippet } from './snippets.ts';

const documents = execFileSync('git', ['ls-files', 'README.md', 'docs/*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '');
const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => join('examples', path));
const snippets: readonly Snippet[] = [...documents.flatMap(inDocument), ...inComments()];

const OPTIONS = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2022'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

/** Without types of its own JavaScript is wrong in other ways, too: no such export, no such option, a misspelt name, more arguments. */
const WRONG_IN_PLAIN = /error TS(?:2305|2353|2551|2552|2554|2561):/;

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-snippets-'));
  const installed = join(folder, 'node_modules/snowmesh');
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  const emitted = join(folder, 'emitted');
  const emit = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: root,
      outDir: emitted,
      emitDeclarationOnly: true,
      typeRoots: OPTIONS.typeRoots,
    },
    include: [join(root, 'ts'), join(root, 'bindings')],
  };
  expect(await compile('typescript', emit)).toBe('');
  cpSync(join(root, 'bindings/native.d.ts'), join(emitted, 'bindings/native.d.ts'));
  await rollUpTypes(emitted);
  cpSync(join(emitted, 'lib'), join(installed, 'dist/lib'), { recursive: true });
  rmSync(emitted, { recursive: true });
  symlinkSync(
    join(root, 'node_modules/@opentelemetry'),
    join(folder, 'node_modules/@opentelemetry'),
    'junction',
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const file of examples) {
    const text = readFileSync(join(root, file), 'utf8');
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(
      join(folder, file),
      text.replace(
        /'\.\.\/\.\.\/ts\/(?:(\w+)\/)?index\.ts'/g,
        (_all, entry = '') => `'${join('snowmesh', entry)}'`,
      ),
    );
  }
  for (const [index, text] of complete(snippets, fileOf, optionsOf()).entries()) {
    mkdirSync(dirname(fileOf(index)), { recursive: true });
    writeFileSync(fileOf(index), text);
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (index: number): string =>
  join(folder, `${index}.${snippets[index]?.isPlain === true ? 'mjs' : 'mts'}`);

function optionsOf(): ts.CompilerOptions {
  const { options } = ts.convertCompilerOptionsFromJson({ ...OPTIONS, allowJs: true, checkJs: true }, folder);
  return options;
}

/** Runs a compiler over a project; gives what it says. */
async function compile(version: string, config: object): Promise<string> {
  const file = join(folder, 'tsconfig.json');
  writeFileSync(file, JSON.stringify(config));
  const child = startChild(join(root, 'node_modules', version, 'lib/tsc.js'), {
    args: ['-p', file, '--pretty', 'false'],
  });
  await child.exit(100_000);
  return child.stdout() + child.stderr();
}

/** What the compiler says, with the place in the document instead of the file's. */
const placed = (output: string): string[] =>
  output
    .split('\n')
    .filter((line) => /^\S/.test(line))
    .map((line) =>
      line.replace(
        /^(?:.*\/)?(\d+)\.m[jt]s\((\d+),\d+\)/,
        (_all, index: string) => `${snippets[Number(index)]?.at}`,
      ),
    );

it('there are documents and comments with code', () => {
  expect(snippets.filter(({ isPlain }) => isPlain).length).toBeGreaterThan(20);
  expect(snippets.filter(({ at }) => at.startsWith('ts/')).length).toBeGreaterThan(60);
});

describe.each([['typescript-5.4'], ['typescript']])('with %s', (version) => {
  it('all code in TypeScript compiles', { timeout: 120_000 }, async () => {
    expect(placed(await compile(version, { compilerOptions: OPTIONS, include: ['*.mts'] }))).toEqual([]);
  });

  it('the examples compile', { timeout: 120_000 }, async () => {
    const options = { ...OPTIONS, lib: ['es2023'], allowImportingTsExtensions: true };
    expect(placed(await compile(version, { compilerOptions: options, include: ['examples'] }))).toEqual([]);
  });

  it('all code in JavaScript imports what there is, and names options that there are', {
    timeout: 120_000,
  }, async () => {
    const options = { ...OPTIONS, allowJs: true, checkJs: true, strict: false };
    const said = placed(await compile(version, { compilerOptions: options, include: ['*.mjs'] }));
    expect(said.filter((line) => WRONG_IN_PLAIN.test(line))).toEqual([]);
  });
});
