// Where code may not be generated from strings, shapes are copied and read without generated code.
import { afterEach, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';

afterEach(killChildren);

it.each([
  ['with', []],
  ['without', ['--disallow-code-generation-from-strings']],
])('copies, sends and reads objects %s code generation', async (_, nodeOptions) => {
  const child = startChild(new URL('no-eval-child.ts', import.meta.url), { nodeOptions });
  expect(JSON.parse(await child.line('results'))).toEqual({
    isAllowed: nodeOptions.length === 0,
    results: [
      JSON.stringify([
        { id: 1, name: 'x', nested: { a: [1, 2] } },
        { id: 1, name: 'x', nested: { a: [1, 2] } },
        { id: 1, name: 'x' },
      ]),
    ],
  });
});
