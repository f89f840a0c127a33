// The files that users can load, as package.json names them: for each its source in ts/ and its bundle in dist/lib.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** What package.json calls dist/lib/NAME.js comes from the source whose declarations it names beside it; `cli` from ts/cli. */
export function packageEntries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.values(exports)
    .filter((entry) => entry.types !== undefined)
    .map(({ types, default: file }) => {
      const [, name] = /^\.\/dist\/lib\/([\w-]+)\.js$/.exec(file) ?? [];
      if (name === undefined)
        throw new Error(`package.json: ${file} is not published; name a file of dist/lib.`);
      return [name, types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '$1')];
    });
  return new Map([...entries, ['cli', 'ts/cli/main']]);
}
