// What the documents point at exists: files, headings and npm scripts. What users can import says what it is for.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/child.ts';

const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const withoutFences = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');

/** A heading's anchor as the usual renderers make it. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutFences(text).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe.each(documents)('%s', (path) => {
  const text = withoutFences(textOf(path));

  it('links to what exists', () => {
    const broken: string[] = [];
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const goal = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, goal))) broken.push(target);
      else if (anchor && goal.endsWith('.md') && !anchorsOf(textOf(goal)).has(anchor)) broken.push(target);
    }
    expect(broken).toEqual([]);
  });

  it('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(textOf('package.json'));
    const named = [...textOf(path).matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** What a file exports or re-exports, by name; `export *` is followed one room down. */
function exportedNames(path: string): string[] {
  const text = textOf(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const named = lists.map((name) => name.trim().replace(/^type /, '')).filter((name) => name !== '');
  const wholes = [...text.matchAll(/export \* from '(.*)'/g)].map(([, from = '']) =>
    join(dirname(path), from),
  );
  return [...named, ...wholes.flatMap(exportedNames)];
}

interface Definition {
  readonly kind: string;
  readonly doc: string;
}

/** Every exported definition under ts/, by name, with the comment right before it. */
function definitions(): Map<string, Definition[]> {
  const found = new Map<string, Definition[]>();
  for (const file of readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('index.ts')) continue;
    const pattern =
      /(?:(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n(?:\/\/.*\n)*)?^export (?:declare |abstract |async )*(function|class|interface|type|const) (\w+)/gm;
    for (const [, doc = '', kind = '', name = ''] of textOf(join('ts', file)).matchAll(pattern)) {
      found.set(name, [...(found.get(name) ?? []), { kind, doc }]);
    }
  }
  return found;
}

describe.each(['ts/index.ts', 'ts/testing/index.ts'])('what %s exports', (door) => {
  const defined = definitions();
  const names = exportedNames(door);
  const documented = (name: string): readonly Definition[] =>
    (defined.get(name) ?? []).filter(({ doc }) => doc !== '');

  it('says what it is for', () => {
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => documented(name).length === 0)).toEqual([]);
  });

  it('has an example when it is to be called', () => {
    const functions = names.filter((name) => documented(name).some(({ kind }) => kind === 'function'));
    expect(functions.filter((name) => !documented(name).some(({ doc }) => doc.includes('@example')))).toEqual(
      [],
    );
  });
});
