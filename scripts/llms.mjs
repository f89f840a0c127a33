// docs/llms.txt: a list of the documents with what each is about, in the form of https://llmstxt.org, for programs that read
// documentation. `node scripts/llms.mjs` writes it from the documents; test/documents.test.ts fails when it is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const page = join(root, 'docs/llms.txt');

/** The documents that somebody needs who uses the package, in the order of reading; the others follow as optional. */
const FIRST = [
  'guide',
  'guides',
  'from-erlang',
  'guarantees',
  'semantics',
  'errors',
  'operate',
  'discovery',
  'rooms',
  'bundling',
];

/** What docs/llms.txt has to contain. */
export function llmsText() {
  const names = readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.slice(0, -'.md'.length));
  const others = names.filter((name) => !FIRST.includes(name)).sort();
  const { description, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [
    `# ${name}`,
    '',
    `> ${description}`,
    '',
    '## Docs',
    '',
    '- [README](../README.md): first programs, what is promised, platforms',
    ...FIRST.map(entry),
    '',
    '## Optional',
    '',
    ...others.map(entry),
    '',
  ].join('\n');
}

/** A document's title, and the first sentence of its first paragraph without links. */
function entry(name) {
  const lines = readFileSync(join(root, `docs/${name}.md`), 'utf8').split('\n');
  const title = lines[0].replace(/^# /, '');
  const from = lines.findIndex((line, index) => index > 0 && line.trim() !== '');
  const to = lines.findIndex((line, index) => index > from && line.trim() === '');
  const paragraph = lines
    .slice(from, to)
    .join(' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const [sentence] = /^.*?[.:](?= |$)/.exec(paragraph) ?? [paragraph];
  return `- [${title}](${name}.md): ${sentence.replace(/[.:]$/, '')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(page, llmsText());
