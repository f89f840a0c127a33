// A node with the cookie of a file, which this program reads only when all is written down that could show it. Prints where it is.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { getHeapSnapshot } from 'node:v8';
import { startNode } from '../../../ts/index.ts';

const [cookieFile = ''] = process.argv.slice(2);
const lines: string[] = [];
const write = (facts: object, text?: string): void =>
  void lines.push(`${text} ${inspect(facts, { depth: 9 })}`);
const logger = { error: write, warn: write, info: write, debug: write };

const node = await startNode({ name: 'a@127.0.0.1:0', cookieFile, logger });
const other = await startNode({ name: 'b@127.0.0.1:0', cookie: 'another cookie, for refusals', logger });
const refusals = [
  await other.connect(node.name),
  other.connectFailure(node.name),
  await startNode({ name: node.name, cookieFile, logger }).catch((error: unknown) => error),
];
const heap: string[] = [];
for await (const part of getHeapSnapshot()) heap.push(String(part));
const places = {
  'log lines': lines.join('\n'),
  errors: inspect(refusals, { depth: 9 }),
  'inspected objects': inspect([node, node.stats()], { depth: 9, showHidden: true }),
  'objects in JSON': JSON.stringify([node, node.deadLetters, node.stats()]),
  'process title': `${process.title} ${process.argv.join(' ')}`,
  heap: heap.join(''),
};
const cookie = readFileSync(cookieFile, 'utf8').trim();
const found = Object.entries(places).flatMap(([place, text]) => (text.includes(cookie) ? [place] : []));
console.log(JSON.stringify({ found, looked: Object.keys(places), refused: lines.length > 0 }));
await Promise.all([node.stop(), other.stop()]);
