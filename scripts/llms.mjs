// docs/llms.txt: a list of the documents, each with a sentence about it, in the format of https://llmstxt.org, for programs that read
// documentation. `node scripts/llms.mjs` writes it from the documents; test/documents.test.ts fails if it is out of date.
//
// `node scripts/llms.mjs FOLDER` writes llms.txt and llms-full.txt, which contains all documents, into FOLDER. `npm run docs` uses it for
// the site.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const page = join(root, 'docs/llms.txt');

/** The documents for users of the package, in reading order; the others are listed as optional. */
const FIRST = [
  'tour',
  'guides',
  'from-erlang',
  'guarantees',
  'semantics',
  'errors',
  'operate',
  'discovery',
  'rooms',
];

const namesIn = (folder) =>
  readdirSync(join(root, 'docs', folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => posix.join(folder, file.slice(0, -'.md'.length)))
    .sort();

/** All documents, by their heading in llms.txt. */
function sections() {
  const others = namesIn('').filter((name) => !FIRST.includes(name));
  return { Docs: FIRST, Guides: namesIn('guides'), Optional: others };
}

const read = (name) => readFileSync(join(root, `docs/${name}.md`), 'utf8');

/**
 * The text of llms.txt.
 *
 * @param linkTo gives the link to a document by its name; the README is `../README`.
 * @param more lines to put before the list of documents.
 */
export function llmsText(linkTo = (name) => `${name}.md`, more = []) {
  const { description, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const readme = `- [README](${linkTo('../README')}): first programs, what is promised, platforms`;
  const lists = Object.entries(sections()).map(([heading, names]) => {
    const before = heading === 'Docs' ? [...more, readme] : [];
    return `## ${heading}\n\n${[...before, ...names.map((one) => entry(one, linkTo))].join('\n')}\n`;
  });
  return [`# ${name}\n`, `> ${description}\n`, ...lists].join('\n');
}

/** All documents in one text, each below a line with its path. */
export function llmsFullText() {
  const names = ['../README', ...Object.values(sections()).flat()];
  return names
    .map((name) => `<!-- ${posix.join('docs', `${name}.md`)} -->\n\n${read(name).trimEnd()}\n`)
    .join('\n');
}

/** The texts for the folder of the site, by file name. */
export function siteTexts() {
  const linkTo = (name) => (name === '../README' ? 'index.html' : `documents/${name.replace('/', '_')}.html`);
  const whole = '- [All documents in one text](llms-full.txt): for programs that read everything at once';
  return { 'llms.txt': llmsText(linkTo, [whole]), 'llms-full.txt': llmsFullText() };
}

/** A document's title, and the first sentence of its first paragraph without links. */
function entry(name, linkTo) {
  const lines = read(name).split('\n');
  const title = lines[0].replace(/^# /, '');
  const from = lines.findIndex((line, index) => index > 0 && line.trim() !== '');
  const to = lines.findIndex((line, index) => index > from && line.trim() === '');
  const paragraph = lines
    .slice(from, to)
    .join(' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\*\*Problem\.\*\* /, '');
  const [sentence] = /^.*?[.:](?= |$)/.exec(paragraph) ?? [paragraph];
  return `- [${title}](${linkTo(name)}): ${sentence.replace(/[.:]$/, '')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) writeFileSync(page, llmsText());
  else
    for (const [file, text] of Object.entries(siteTexts())) writeFileSync(join(resolve(folder), file), text);
}
