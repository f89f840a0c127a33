import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../ts/errors/index.ts';
import { root } from '../../support/child.ts';

describe('docs/errors.md', () => {
  it('lists every code with its summary and remedy, and no other, in the order of the table', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `(SNOW_ERR_\w+)` \| (.*) \| (.*) \|$/gm)].map(([, ...row]) => row);
    const expected = Object.entries(ERRORS).map(([code, { summary, remedy }]) => [code, summary, remedy]);
    expect(listed).toEqual(expected);
  });
});

describe('the table', () => {
  it('is in alphabetical order', () => {
    expect(Object.keys(ERRORS)).toEqual(Object.keys(ERRORS).sort());
  });

  it('has no code that no test expects', () => {
    const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(root, 'test', path), 'utf8'));
    // As a text or a pattern of its own: the title of a test, or a comment, expects nothing.
    const expected = new Set(
      tests.flatMap((text) =>
        [...text.matchAll(/'(SNOW_ERR_\w+)'|\/\^?(SNOW_ERR_\w+)\b/g)].map(([, word, start]) => word ?? start),
      ),
    );
    expect(Object.keys(ERRORS).filter((code) => !expected.has(code))).toEqual([]);
  });

  it('has no code that nothing throws', () => {
    const sources = ['ts', 'bindings', 'native/core/src', 'native/net/src', 'native/addon/src'].flatMap(
      (folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((path) => /\.(ts|rs)$/.test(path))
          .map((path) => join(root, folder, path))
          .filter((path) => path !== join(root, 'ts/errors/table.ts')),
    );
    const text = sources.map((path) => readFileSync(path, 'utf8')).join('\n');
    const thrown = new Set([...text.matchAll(/['"](SNOW_ERR_\w+)['"]/g)].map(([, code = '']) => code));
    expect(Object.keys(ERRORS).filter((code) => !thrown.has(code))).toEqual([]);
  });
});
