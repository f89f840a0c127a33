// Every numeric option of a node: its bounds here are those of the native core, and nothing wraps on the way there.
import { describe, expect, it } from 'vitest';
import { type NodeOptions, silentLogger, startNode } from '../../../ts/index.ts';
import { checkOptions } from '../../../ts/node/options.ts';

const BYTES = 2_000_000_000;

/** Option, its least and greatest value, and what must be said beside it. */
const NUMBERS: readonly [path: string, least: number, most: number, beside?: NodeOptions][] = [
  ['tickMs', 10, 3_600_000, { downMs: 3_600_001 }],
  ['downMs', 11, 86_400_000, { tickMs: 10 }],
  ['handshakeMs', 10, 600_000],
  ['maxHandshakes', 1, 65_536],
  ['maxMessage', 65_536, 0x7fff_0000, { outbox: { limit: BYTES } }],
  ['inboxBytes', 65_536, BYTES],
  ['spinUs', 0, 10_000],
  ['listen.port', 0, 65_535],
  ['outbox.highWater', 1, BYTES],
  ['outbox.limit', 1, BYTES, { maxMessage: 0x7fff_0000 }],
  ['outbox.waiting', 1, BYTES],
];

function optionsWith(path: string, value: unknown, beside: NodeOptions = {}): NodeOptions {
  const [key = '', inner] = path.split('.');
  return { ...beside, [key]: inner === undefined ? value : { [inner]: value } };
}

describe.each(NUMBERS)('option %s', (path, least, most, beside) => {
  it('takes its least and its greatest value, and so does the native core', async () => {
    for (const value of path === 'listen.port' ? [least] : [least, most]) {
      const options = optionsWith(path, value, beside);
      const node = await startNode({
        name: 'a@127.0.0.1:0',
        cookie: 'only for tests: 0123456789',
        logger: silentLogger,
        ...options,
      });
      await node.stop();
    }
    checkOptions(optionsWith(path, most, beside));
  });

  it('refuses anything else by its name, also what 32 bits would cut to a value in range', () => {
    const wrong = [
      ...[least - 1, most + 1, least + 2 ** 32, least + 2 ** 33, 2 ** 40, -1, least + 0.5],
      ...[Number.NaN, Number.POSITIVE_INFINITY, String(least), null, {}, true, 10n],
    ];
    for (const value of wrong)
      expect(() => checkOptions(optionsWith(path, value, beside)), String(value)).toThrow(
        expect.objectContaining({
          code: 'SNOW_ERR_BAD_OPTION',
          message: expect.stringMatching(`^option ${path.replace('.', '\\.')} is `),
        }),
      );
  });
});

it('the table above has every number that there is', async () => {
  const { readFileSync } = await import('node:fs');
  const { root } = await import('../../support/child.ts');
  const text = readFileSync(`${root}/ts/node/options.ts`, 'utf8');
  const declared = [...text.matchAll(/^ {2}readonly (\w+)\?: number \| undefined;/gm)].map(
    ([, name]) => name,
  );
  expect(declared.toSorted()).toEqual(NUMBERS.map(([path]) => path.split('.').at(-1)).toSorted());
});
