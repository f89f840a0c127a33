// Copies of the compiled package, with and without the checks that a message passes for observers which are off.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One check: the file, what is removed from it, and what takes its place. */
type Hook = readonly [file: string, hook: RegExp, without: string];

/** The patterns fit the sources as well as what is compiled from them: a bench runs either. */
const HOOKS: readonly Hook[] = [
  [
    'send/sender',
    /const \{ tracing \} = this\.kernel;\s*if \(tracing === null \|\| tracing\.isOutside\(from\)\)\s*this\.sendPlain\(from, to, message, deliver\);\s*else\s*this\.sendTraced\([^;]*\);/,
    'this.sendPlain(from, to, message, deliver);',
  ],
  [
    'kernel/delivery',
    /const \{ tracing \} = cell\.kernel;\s*if \(tracing !== null\)\s*tracing\.enters\(cell, message\);/,
    '',
  ],
  ['kernel/turn', /const \{ tracing \} = cell\.kernel;(?=\s*try)/, ''],
  [
    'kernel/turn',
    /tracing === null\s*\? body\.onMessage\(message, cell\)\s*: tracing\.turn\(cell, item, message, body\)/,
    'body.onMessage(message, cell)',
  ],
  ['kernel/turn', /cell\.turns\+\+;/, ''],
  ['kernel/taking', /cell\.turns\+\+;/, ''],
  [
    'kernel/taking',
    /if \(\(cell\.flags & TRACED\) !== 0\)\s*cell\.kernel\.tracing\?\.received\(cell, message\);/,
    '',
  ],
];

export interface Copies {
  /** URLs of the entry of each copy. */
  readonly withHooks: string;
  readonly without: string;
  /** Another copy without: what differs from the first is chance. */
  readonly control: string;
  remove(): void;
}

/** Makes the copies. Throws when a check is not where it was: then HOOKS has to follow the code. */
export function makeCopies(): Copies {
  const built = fileURLToPath(new URL('../..', import.meta.url));
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  // Below the package, so that they find its addon and its packages.
  const root = extension === '.ts' ? built : join(built, '..');
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build/hookless-'));
  const copy = (name: string, hooks: readonly Hook[]): string => {
    for (const part of ['ts', 'bindings'])
      cpSync(join(built, part), join(folder, name, part), { recursive: true });
    for (const [file, hook, without] of hooks) {
      const path = join(folder, name, 'ts', file + extension);
      const text = readFileSync(path, 'utf8');
      if (!hook.test(text)) throw new Error(`ts/${file} has no ${hook}`);
      writeFileSync(path, text.replace(hook, without));
    }
    return new URL(`file://${join(folder, name, 'ts', `index${extension}`)}`).href;
  };
  return {
    withHooks: copy('with', []),
    without: copy('without', HOOKS),
    control: copy('control', HOOKS),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
