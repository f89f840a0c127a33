// The programs of docs/guides: each is a block of js below a comment with its name.
import { readdirSync, readFileSync } from 'node:fs';
import * as snowmesh from '../../../ts/index.ts';
import { root } from '../../support/child.ts';

/** The names of all guides. */
export const GUIDES = readdirSync(`${root}docs/guides`).map((file) => file.replace(/\.md$/, ''));

export function textOf(guide: string): string {
  return readFileSync(`${root}docs/guides/${guide}.md`, 'utf8');
}

/** The programs of a guide, by name. */
export function programsOf(guide: string): Map<string, string> {
  return blocksOf(guide, '(\\w+)');
}

/** What a page of migrations shows of the other system, by name: the blocks below a comment `before: name`. */
export function beforesOf(guide: string): Map<string, string> {
  return blocksOf(guide, 'before: (\\w+)');
}

function blocksOf(guide: string, comment: string): Map<string, string> {
  const blocks = textOf(guide).matchAll(
    new RegExp(`^<!-- ${comment} -->\\n\`\`\`js\\n([\\s\\S]*?)^\`\`\`$`, 'gm'),
  );
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]));
}

/** Runs programs of a guide, one after the other, with what they import and presume; gives what they declare under these names. */
export async function runGuide<T>(
  guide: string,
  names: readonly string[],
  around: Readonly<Record<string, unknown>>,
  declared = '',
): Promise<T> {
  const programs = programsOf(guide);
  const text = names.map((name) => {
    const program = programs.get(name);
    if (program === undefined) throw new Error(`docs/guides/${guide}.md has no program ${name}`);
    return program.replace(/^import (?:\{[^}]*\}|.*) from .*;$/gm, '');
  });
  return runText(text.join('\n'), { ...snowmesh, ...around }, declared);
}

/** Runs a text with what it presumes; gives what it declares under these names. */
export function runText<T>(
  text: string,
  around: Readonly<Record<string, unknown>>,
  declared = '',
): Promise<T> {
  const body = `return (async () => { ${text}\n return { ${declared} }; })()`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(...Object.keys(around), body)(...Object.values(around)) as Promise<T>;
}
