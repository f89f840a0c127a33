// The files that users can load, as package.json names them, each with its source in ts/ and its bundle in dist/lib.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** The entries whose source is not ts/NAME/index.ts. */
const SOURCES = { index: 'ts/index', prometheus: 'ts/metrics/index', redis: 'ts/rooms/redis' };

/** The source, without extension, of each dist/lib/NAME.js that package.json names; `cli` is its program. */
export function packageEntries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.values(exports)
    .filter((entry) => entry.types !== undefined)
    .map(({ types, default: file }) => {
      const [, name] = /^\.\/dist\/lib\/([\w-]+)\.js$/.exec(file) ?? [];
      if (name === undefined || types !== `./dist/lib/${name}.d.ts`)
        throw new Error(`package.json: ${file} is not published; name NAME.js and NAME.d.ts of dist/lib.`);
      return [name, SOURCES[name] ?? `ts/${name}/index`];
    });
  return new Map([...entries, ['cli', 'ts/cli/main']]);
}
