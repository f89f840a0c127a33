// docs/errors.md says which errors are no SnowmeshError. Nothing else may make one.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../support/child.ts';

/** Commands print their errors, and end with an exit code. */
const PRINTED = /^ts\/cli\//;

/** Files that make errors without a code, and why none of these reaches a caller of the package, or why it may. */
const WITHOUT_A_CODE: Readonly<Record<string, string>> = {
  'ts/client/errors.ts': 'the client imports nothing; each has a code',
  'ts/discovery/dns.ts': 'the cause of a SNOW_ERR_DISCOVERY',
  'ts/discovery/file.ts': 'the cause of a SNOW_ERR_DISCOVERY',
  'ts/discovery/polling.ts': 'the cause of a SNOW_ERR_DISCOVERY',
  'ts/errors/engine.ts': 'thrown while the package is loaded, by a Node.js that is too old',
  'ts/node/dispatch.ts': 'a mistake of the native core',
  'ts/rooms/authorization.ts': 'logged; the client gets status 500',
  'ts/term/decode.ts': 'a mistake of the check before it',
  'ts/term/error-term.ts': 'an error that came in a message',
  'ts/term/frame-writer.ts': 'a mistake of its caller',
  'ts/testing/expectation.ts': 'an AssertionError, for test runners',
};

it('every error is a SnowmeshError, but in the files that docs/errors.md allows for', () => {
  const making = ['ts', 'bindings'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => !PRINTED.test(path))
      .filter((path) => /\bnew (?:[A-Z][a-z]+)?Error\(|\bnew DOMException\(/.test(sourceOf(path))),
  );
  expect(making.sort()).toEqual(Object.keys(WITHOUT_A_CODE).sort());
});

function sourceOf(path: string): string {
  const withCode = /\bnew (?:Snowmesh|Call|Task)Error\(/g;
  return readFileSync(join(root, path), 'utf8').replaceAll(withCode, '');
}
