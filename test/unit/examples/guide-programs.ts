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
  const programs = textOf(guide).matchAll(/^<!-- (\w+) -->\n```js\n([\s\S]*?)^```$/gm);
  return new Map([...programs].map(([, name = '', text = '']) => [name, text]));
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
  const known = { ...snowmesh, ...around };
  const body = `return (async () => { ${text.join('\n')}\n return { ${declared} }; })()`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(...Object.keys(known), body)(...Object.values(known)) as Promise<T>;
}
