// Copies, sends and reads objects of one shape often enough that code would be generated for it, and prints what came out.
import { copyTerm, decodeTerm, encodeTerm, TermDecoder } from '../../../ts/term/index.ts';

const row = { id: 1, name: 'x', nested: { a: [1, 2] } };
const decoder = new TermDecoder();
decoder.defineShape(0, ['id', 'name']);
const shaped = Uint8Array.of(2, 0x0f, 0, 0, 0x41, 0x81, 0x78);
const results = new Set<string>();
for (let times = 0; times < 200; times++) {
  results.add(JSON.stringify([copyTerm(row), decodeTerm(encodeTerm(row)), decoder.decode(shaped)]));
}
let isAllowed = true;
try {
  // oxlint-disable-next-line typescript/no-implied-eval -- this asks whether it is allowed
  new Function('return 1')();
} catch {
  isAllowed = false;
}
console.log(JSON.stringify({ isAllowed, results: [...results] }));
