import { expect, it } from 'vitest';
import { type Logger, type NodeOptions, startNode } from '../../../ts/index.ts';

it.each<[NodeOptions, string[]]>([
  [{ cookie: 'sixteen different bytes 123' }, ['cookie']],
  [{ cookieFile: '/nowhere', listen: { port: 9000 } }, ['cookieFile', 'listen']],
  [{}, []],
])('a node without a name warns of options that only a cluster uses: %o', async (options, unused) => {
  const warnings: object[] = [];
  const logger: Logger = { error() {}, warn: (facts) => void warnings.push(facts), info() {}, debug() {} };
  const node = await startNode({ ...options, logger });
  await node.stop();
  expect(warnings).toEqual(unused.length === 0 ? [] : [{ event: 'no_name', unused }]);
});
