// What isolation costs on a local send: the copy of a message. The platform's own way stands beside it.
import { copyTerm } from '../../ts/term/index.ts';
import type { BenchCase } from '../harness.ts';
import { perOperation } from './codec.ts';

const small = { type: 'ping', n: 7, id: 42 };
const map = { id: 123_456, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: 61_728.5 };

export const copy: readonly BenchCase[] = [
  { name: 'micro/copy_3-fields', value: small },
  { name: 'micro/copy_map', value: map },
].map(({ name, value }) => ({
  name,
  about: 'One message copied for a local send; beside it structuredClone.',
  open: (settings) => ({
    round: () => ({
      copy: perOperation(settings, () => (copyTerm(value) === undefined ? 0 : 1)),
      structured_clone: perOperation(settings, () => (structuredClone(value) === undefined ? 0 : 1)),
    }),
  }),
}));
