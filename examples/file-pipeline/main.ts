// node dist/examples/file-pipeline/main.js [file]
import { startNode } from '../../ts/index.ts';
import { countFile } from './pipeline.ts';

await using node = await startNode();

const path = process.argv[2] ?? 'README.md';
const { lines, words, crashes } = await countFile(node, path, 20);
console.log(
  `${path}: ${words} words on ${lines} lines, counted by ${crashes + 1} counters one after the other`,
);
