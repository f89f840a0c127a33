// What the documents point at exists: files, headings and npm scripts. What users can import says what it is for.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { llmsText, siteTexts } from '../scripts/llms.mjs';
// @ts-expect-error A script of this repository, without types.
import { packedDocuments, withAddresses } from '../scripts/name-repository.mjs';
// @ts-expect-error A script of this repository, without types.
import { packageEntries } from '../scripts/package-entries.mjs';
// @ts-expect-error A script of this repository, without types.
import { citations, findProofs } from '../scripts/rules.mjs';
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

/** What npm packs, which test/package/package.test.ts compares. */
const packed = textOf('test/package/files.txt').split('\n');

describe.each(packed.filter((path) => path.endsWith('.md')))('%s in the package', (path) => {
  it('links to files of the package, or of the repository by their address', () => {
    const base = 'https://git.example/owner/name/blob/v1.2.3';
    const text: string = withAddresses(path, textOf(path), packedDocuments(root), base);
    const links = [...withoutFences(text).matchAll(/\]\((?!#)([^)\s#]+)/g)].map(([, link = '']) => link);
    const own = links
      .filter((link) => link.startsWith(`${base}/`))
      .map((link) => link.slice(base.length + 1));
    expect(own.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const relative = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(relative.filter((link) => !packed.includes(join(dirname(path), link)))).toEqual([]);
    if (path === 'README.md') expect(relative).toEqual([]);
  });
});

it('README.md promises one dependency, and no install script', () => {
  const { dependencies, scripts, engines } = JSON.parse(textOf('package.json')) as {
    readonly [field: string]: Readonly<Record<string, string>>;
  };
  expect(textOf('README.md')).toContain('with one dependency');
  expect(Object.keys(dependencies ?? {})).toHaveLength(1);
  expect(textOf('README.md')).toContain('no install script');
  // npm runs these for the package that is installed. `install` is also implied by a binding.gyp.
  expect(Object.keys(scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  expect(packed).not.toContain('binding.gyp');
  expect(textOf('README.md')).toContain(
    `for Node.js ${engines?.['node']?.match(/\d+\.\d+/g)?.join(', ')} and later`,
  );
});

describe('docs/guarantees.md', () => {
  const rows = textOf('docs/guarantees.md')
    .split('\n')
    .filter((line) => line.startsWith('| **'))
    .map((line) => line.split(' | '));
  const proofs = findProofs() as Map<string, readonly string[]>;

  it.each(rows.map((cells) => [cells[0] ?? '', cells] as const))(
    '%s: its tests prove its rules',
    (_, cells) => {
      const [rules = '', tests = ''] = cells.slice(3);
      const numbers = citations(rules) as string[];
      const files = [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);
      const proves = (file: string, number: string): boolean => proofs.get(number)?.includes(file) === true;
      expect(numbers).not.toEqual([]);
      expect(numbers.filter((number) => !files.some((file) => proves(file, number)))).toEqual([]);
      expect(files.filter((file) => !numbers.some((number) => proves(file, number)))).toEqual([]);
    },
  );

  it.each(['Crash', 'Stall', 'Kill', 'Split', 'Heal', 'Drain'])('has a row for %s', (failure) => {
    expect(rows.filter(([first = '']) => first.startsWith(`| **${failure}**`))).toHaveLength(1);
  });
});

it('docs/operate.md lists every kind of line that is logged', () => {
  const [, section = ''] = /^## Logs\n([\s\S]*?)^## /m.exec(textOf('docs/operate.md')) ?? [];
  const listed = [...section.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g));
  const logged = readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => textOf(join('ts', file)).match(/(?<!\()\bevent: .*'\w+'/g) ?? [])
    .flatMap((text) => [...text.matchAll(/'([a-z]+(?:_[a-z]+)+)'/g)].map(([, name]) => name));
  expect(listed.filter((name) => name !== 'event').sort()).toEqual([...new Set(logged)].sort());
});

it('docs/llms.txt is what `node scripts/llms.mjs` writes', () => {
  expect(textOf('docs/llms.txt')).toBe(llmsText());
});

it('the site has llms.txt with links to its pages, and all documents in one text', () => {
  const texts = siteTexts() as Record<string, string>;
  const whole = texts['llms-full.txt'] ?? '';
  for (const path of documents.filter((each) => each === 'README.md' || each.startsWith('docs/')))
    expect(whole.split(`<!-- ${path} -->\n\n${textOf(path).trimEnd()}\n`), path).toHaveLength(2);
  const links = [...(texts['llms.txt'] ?? '').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
  expect(links).toContain('llms-full.txt');
  expect(links).toContain('documents/guides_job-queue.html');
  expect(links.filter((link) => link !== 'llms-full.txt' && !link?.endsWith('.html'))).toEqual([]);
});

it('the site has every document of docs/', () => {
  const { projectDocuments } = JSON.parse(textOf('docs/typedoc.json')) as { projectDocuments: string[] };
  const all = documents.filter((path) => path.startsWith('docs/')).map((path) => path.slice('docs/'.length));
  expect([...projectDocuments].sort()).toEqual(all.sort());
});

/** What a file exports or re-exports, by name; `export *` is followed into the file. */
function exportedNames(path: string): string[] {
  const text = textOf(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const named = lists.map((name) => name.trim().replace(/^type /, '')).filter((name) => name !== '');
  const wholes = [...text.matchAll(/export \* from '(.*)'/g)].map(([, from = '']) =>
    join(dirname(path), from),
  );
  const own = [
    ...text.matchAll(/^export (?:declare |abstract |async )*(?:function|class|interface|type|const) (\w+)/gm),
  ].map(([, name = '']) => name);
  return [...named, ...own, ...wholes.flatMap(exportedNames)];
}

interface Definition {
  readonly kind: string;
  readonly doc: string;
  /** The members of an interface, with their comments. */
  readonly members: string;
}

/** Every exported definition under ts/, by name, with the comment right before it. */
function definitions(): Map<string, Definition[]> {
  const found = new Map<string, Definition[]>();
  for (const file of readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('index.ts')) continue;
    const pattern =
      /(?:(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n(?:\/\/.*\n)*)?^export (?:declare |abstract |async )*(function|class|interface|type|const) (\w+)/gm;
    const text = textOf(join('ts', file));
    for (const { 0: head, 1: doc = '', 2: kind = '', 3: name = '', index } of text.matchAll(pattern)) {
      const start = index + head.length;
      const members = kind === 'interface' ? text.slice(start, text.indexOf('\n}', start)) : '';
      found.set(name, [...(found.get(name) ?? []), { kind, doc, members }]);
    }
  }
  return found;
}

/** The sources of what users can import, but for the command. */
const ENTRIES = [...(packageEntries() as Map<string, string>)].flatMap(([name, source]) =>
  name === 'cli' ? [] : [`${source}.ts`],
);

it('the reference has everything that users can import', () => {
  const { entryPoints } = JSON.parse(textOf('docs/typedoc.json')) as { entryPoints: string[] };
  expect(entryPoints.map((path) => path.replace('../', '')).sort()).toEqual(ENTRIES.sort());
});

describe.each(ENTRIES)('what %s exports', (entry) => {
  const defined = definitions();
  const names = exportedNames(entry);
  const documented = (name: string): readonly Definition[] =>
    (defined.get(name) ?? []).filter(({ doc }) => doc !== '');

  it('says what it is for', () => {
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => documented(name).length === 0)).toEqual([]);
  });

  it('has an example when it is to be called', () => {
    const functions = names.filter((name) => documented(name).some(({ kind }) => kind === 'function'));
    expect(functions.filter((name) => !documented(name).some(({ doc }) => doc.includes('@example')))).toEqual(
      [],
    );
  });

  it('cites no rule by its number, which a reader of the reference cannot look up', () => {
    const cited = names.filter((name) =>
      documented(name).some(({ doc, members }) => citations(doc + members).length > 0),
    );
    expect(cited).toEqual([]);
  });
});
