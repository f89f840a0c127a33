// docs/rules.md: finds the tests that prove each rule and writes links to them behind the rule.
//
// A test proves a rule when its title (or the title of the group around it) cites the rule's number; in Rust, when the
// name of the test function starts with it. `node scripts/rules.mjs` updates the links; test/rules.test.ts fails if they are
// out of date, if a number is cited that has no rule, or if a rule has no test.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/rules.md');
const MAX_LINKS = 3;
const RULE = /^- <a id="([a-w]\d+)"><\/a>\*\*([A-W]\d+)\*\* (.*?)(?: Tests: (\[.*))?$/;
const NUMBER = /(?<![\w.#&/'"`-])([A-W])(\d{1,2})(?![\w`'"%])/g;
const RANGE = /(?<![\w.#&/'"`-])([A-W])(\d{1,2})-\1(\d{1,2})(?![\w`'"%])/g;

/** The rules of docs/rules.md by number, in the order of the page. */
export function readRules() {
  const rules = new Map();
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const [, anchor, number, text, links] = RULE.exec(line) ?? [];
    if (number !== undefined) rules.set(number, { anchor, text, links });
  }
  return rules;
}

/** Test files by the rules that their titles cite. */
export function findProofs() {
  const proofs = new Map();
  for (const file of [...filesBelow('test', /\.test\.ts$/), ...filesBelow('native', /\.rs$/)]) {
    for (const number of new Set(titles(file).flatMap(citations))) {
      proofs.set(number, [...(proofs.get(number) ?? []), file]);
    }
  }
  return proofs;
}

/** Every place in code, comments, titles and documents that cites a rule: `{ number, file, line }`. */
export function findCitations() {
  const files = [
    ...['ts', 'bindings', 'test', 'examples', 'benches'].flatMap((folder) => filesBelow(folder, /\.ts$/)),
    ...filesBelow('native', /\.rs$/),
    ...filesBelow('docs', /\.md$/).filter((file) => file !== 'docs/rules.md'),
    'README.md',
    'CONTRIBUTING.md',
  ];
  return files.flatMap((file) =>
    prose(file).flatMap(({ text, line }) => citations(text).map((number) => ({ number, file, line }))),
  );
}

/** The text of the page with updated links. */
export function writeLinks(proofs) {
  const lines = readFileSync(page, 'utf8').split('\n');
  return lines
    .map((line) => {
      const [, anchor, number, text] = RULE.exec(line) ?? [];
      if (number === undefined) return line;
      return `- <a id="${anchor}"></a>**${number}** ${text}${linksOf(proofs.get(number) ?? [])}`;
    })
    .join('\n');
}

function linksOf(files) {
  if (files.length === 0) return '';
  const links = files.slice(0, MAX_LINKS).map((file) => `[${label(file)}](../${file})`);
  return ` Tests: ${links.join(', ')}`;
}

function label(file) {
  return basename(file).replace(/(\.test)?\.(ts|rs)$/, '');
}

/** The numbers that a text cites; `J1-J4` cites all four. */
export function citations(text) {
  const numbers = [...text.matchAll(NUMBER)].map(([, letter, number]) => letter + number);
  for (const [, letter, first, last] of text.matchAll(RANGE)) {
    for (let number = Number(first); number <= Number(last); number++) numbers.push(letter + number);
  }
  return [...new Set(numbers)];
}

function titles(file) {
  const text = readFileSync(join(root, file), 'utf8');
  if (file.endsWith('.rs')) {
    return [...text.matchAll(/fn ((?:[a-w]\d+_)+)\w+\(/g)].map(([, numbers]) =>
      numbers.toUpperCase().replaceAll('_', ' '),
    );
  }
  const call = /\b(?:describe|it|test)(?:\.\w+)*(?:\([^()]*\))?\(\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/g;
  return [...text.matchAll(call)].map(([, , title]) => title);
}

/** The lines of prose in a file: the comments and test titles of code, or a document without its code. */
function prose(file) {
  const text = readFileSync(join(root, file), 'utf8');
  if (file.endsWith('.md')) return numbered(text.replace(/```[\s\S]*?```|`[^`\n]*`/g, blank));
  const comments = [...text.matchAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g)].flatMap((match) =>
    numbered(match[0].replace(/`[^`\n]*`/g, blank), lineAt(text, match.index)),
  );
  return [...comments, ...titles(file).map((title) => ({ text: title, line: 0 }))];
}

function blank(text) {
  return text.replace(/[^\n]/g, ' ');
}

function numbered(text, first = 1) {
  return text.split('\n').map((line, index) => ({ text: line, line: first + index }));
}

function lineAt(text, index) {
  return text.slice(0, index).split('\n').length;
}

function filesBelow(folder, pattern) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return ['node_modules', 'target', 'api'].includes(entry.name) ? [] : filesBelow(path, pattern);
    }
    return pattern.test(path) ? [relative(root, join(root, path)).split(sep).join('/')] : [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(page, writeLinks(findProofs()));
