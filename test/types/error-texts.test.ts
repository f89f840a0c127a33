// What the compiler says about the mistakes that users of servers make most: it has to name the mistake.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, startChild } from '../support/child.ts';

const SNIPPET = `
import { call, callWith, cast, defineServer, multiCall, type Self } from '${root}ts/index.ts';
declare const self: Self;
const counter = defineServer({
  name: 'counter',
  init: (_self, n: number) => ({ n }),
  calls: { read: ({ state }) => state.n, add: ({ state }, by: number) => (state.n += by) },
  casts: { reset: ({ state }) => (state.n = 0), pop: ({ state }) => Promise.resolve(state.n) },
  onTimeout: ({ state }) => state.n++,
});
const pid = await counter.start(self, 1);
const n: number = await call(self, pid, 'read');
const any: number = await call<number>(self, 'by name', 'whatever', n);
void any;
await call(self, pid, 'ad', 1); // line 15
await callWith(self, { timeout: 1 }, pid, 'ad', 1);
cast(self, pid, 'rest');
await multiCall(self, [pid], 'ad', [1]);
await call(self, pid, 'add', 'one');
const broken = defineServer({
  name: 'broken',
  init: (_self, n: number) => ({ n }),
  calls: {
    read: ({ state }) => state.n,
    add: ({ state }, by: number) => (state.n += by),
    wrong: 5, // line 26
  },
  casts: { reset: ({ state }) => (state.n = 0) },
});
const its = await broken.start(self, 1);
const sum: number = await call(self, its, 'add', 1);
const read: number = await call(self, its, 'read');
cast(self, its, 'reset');
void [sum, read];
await call(self, its, 'ad', 1); // line 35
const misspelt = defineServer({
  name: 'misspelt',
  init: (_self, n: number) => ({ n }),
  calls: { read: ({ state }) => state.n },
  timeuot: 5, // line 40
});
const other: number = await call(self, await misspelt.start(self, 1), 'read');
void other;
await call(self, its, 'any', broken);
const lamp = defineServer({ name: 'lamp', init: () => 0, casts: { set: (_context, to: number) => void to } });
cast(self, await lamp.start(self), 'st'); // line 46: as no overload takes so few arguments, the compiler names no tag
`;

it('names a wrong tag beside the right ones, a wrong argument, and one wrong handler alone', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'snowmesh-types-'));
  const file = join(folder, 'snippet.mts');
  await writeFile(file, SNIPPET);
  const options =
    '--noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --allowImportingTsExtensions';
  const child = startChild(`${root}node_modules/typescript/lib/tsc.js`, {
    args: [
      ...`${options} --module nodenext --target es2024 --lib es2024 --ignoreConfig --pretty false`.split(' '),
      ...['--types', 'node', '--typeRoots', `${root}node_modules/@types`, file],
    ],
  });
  await child.exit(60_000);
  await rm(folder, { recursive: true });
  const errors = child
    .stdout()
    .split(/^\S*snippet\.mts\((?=\d)/m)
    .slice(1);
  const tags = `'"add" | "read"'`;
  const wrong = (given: string, expected: string): RegExp =>
    new RegExp(
      `Argument of type '${given}' is not assignable to parameter of type ${expected.replace(/\|/g, '\\|')}`,
    );
  expect(errors.map((text) => text.split(',')[0])).toEqual([
    '15',
    '16',
    '17',
    '18',
    '19',
    '26',
    '35',
    '40',
    '44',
    '46',
  ]);
  for (const at of [0, 1, 3]) expect(errors[at]).toMatch(wrong('"ad"', tags));
  expect(errors[2]).toMatch(wrong('"rest"', `'"pop" | "reset"'`));
  expect(errors[4]).toMatch(wrong('string', `'number'`));
  expect(errors[5]).toMatch(/Type 'number' is not assignable to type 'CallHandler</);
  expect(errors[6]).toMatch(wrong('"ad"', `'"add" | "read" | "wrong"'`));
  expect(errors[7]).toMatch(/'timeuot' does not exist/);
  expect(errors[8]).toMatch(wrong('"any"', `'"add" | "read" | "wrong"'`));
  expect(errors[9]).toMatch(
    /not assignable to type '"this server has no such tag, or the arguments do not fit it"'/,
  );
});
