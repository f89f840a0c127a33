// Finds the code in documents and doc comments, and makes of each piece a file that a compiler can judge: what a piece uses and does not
// define is imported from the package, or declared.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-5.4';
import { root } from '../support/child.ts';

/** One piece of documented code. */
export interface Snippet {
  /** Where it stands: file and line. */
  readonly at: string;
  readonly text: string;
  /** JavaScript: its parameters need no types. */
  readonly isPlain: boolean;
}

/** What pieces use without defining it, when it is not of the package. Everything else is `any`. */
const KNOWN: Readonly<Record<string, string>> = {
  self: `import('snowmesh').Self<any>`,
  node: `import('snowmesh').Node`,
  kit: `import('snowmesh/testing').TestRuntime`,
  pid: `import('snowmesh').Pid<any>`,
  rooms: `import('snowmesh/rooms').Rooms<any>`,
  groups: `import('snowmesh').Groups`,
  names: `import('snowmesh').GlobalNames`,
  signal: 'AbortSignal',
  cookie: 'string',
  createServer: `typeof import('node:http').createServer`,
};

const ENTRIES = [
  'snowmesh',
  'snowmesh/testing',
  'snowmesh/rooms',
  'snowmesh/client',
  'snowmesh/health',
  'snowmesh/observe',
  'snowmesh/otel',
  'snowmesh/prometheus',
];

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** Fenced blocks of ts and js. */
export function inDocument(path: string): Snippet[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/^```(js|ts)\n([\s\S]*?)^```/gm)].map(({ index, 1: language, 2: code = '' }) => ({
    at: `${path}:${lineOf(text, index) + 1}`,
    text: code,
    isPlain: language === 'js',
  }));
}

/** The examples of doc comments below `ts`. */
export function inComments(): Snippet[] {
  const found: Snippet[] = [];
  for (const file of readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(root, 'ts', file), 'utf8');
    for (const { 0: comment, index } of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
      const [, ...parts] = comment
        .slice(3, -2)
        .replace(/^[ \t]*\* ?/gm, '')
        .split(/^(?=@)/m);
      for (const part of parts.filter((each) => each.startsWith('@example')))
        found.push({
          at: `ts/${file}:${lineOf(text, index)}`,
          text: part.slice('@example'.length),
          isPlain: false,
        });
    }
  }
  return found;
}

/** What each entry of the package exports, by name, and what it is imported from. */
function exportsOf(program: ts.Program, entries: string): Map<string, string> {
  const found = new Map<string, string>();
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entries);
  const modules = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  for (const [index, module] of (modules === undefined ? [] : checker.getExportsOfModule(modules)).entries())
    for (const { name } of checker.getExportsOfModule(checker.getAliasedSymbol(module)))
      if (!found.has(name)) found.set(name, ENTRIES[index] as string);
  return found;
}

/**
 * The whole text of each snippet's file.
 *
 * @param fileOf where the file of a snippet is to be.
 */
export function complete(
  snippets: readonly Snippet[],
  fileOf: (index: number) => string,
  options: ts.CompilerOptions,
): string[] {
  const texts = new Map(snippets.map(({ text }, index) => [fileOf(index), `${text}\nexport {};\n`]));
  const entries = `${fileOf(snippets.length)}.mts`;
  texts.set(entries, ENTRIES.map((name, index) => `export * as m${index} from '${name}';`).join('\n'));
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.getSourceFile = (name, language, ...rest) => {
    const text = texts.get(name);
    return text === undefined
      ? getSourceFile(name, language, ...rest)
      : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const exported = exportsOf(program, entries);
  return snippets.map(({ text, isPlain }, index) => {
    const file = program.getSourceFile(fileOf(index));
    const free = new Set<string>();
    for (const { messageText } of program.getSemanticDiagnostics(file)) {
      const missing = /^(?:Cannot find name|No value exists in scope for the shorthand property) '(\w+)'/;
      const [, name] = missing.exec(ts.flattenDiagnosticMessageText(messageText, '')) ?? [];
      if (name !== undefined) free.add(name);
    }
    const lines = [...free].map((name) => {
      const from = exported.get(name);
      if (from !== undefined) return `import { ${name} } from '${from}';`;
      const type = KNOWN[name] ?? 'any';
      if (isPlain) return `/** @type {${type}} */ var ${name} = /** @type {any} */ (0);`;
      return `declare const ${name}: ${type}; type ${name} = any;`;
    });
    return `${lines.join(' ')}${text}\nexport {};\n`;
  });
}
