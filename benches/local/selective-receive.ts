// Receiving one message out of the middle of a mailbox that holds ten thousand others.

import type { Ref, Self } from '../../ts/index.ts';
import { type BenchCase, type Round, type Settings } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { FIELD } from './field.ts';

const QUEUED = 10_000;

type Letter = { readonly type: 'other' | 'match'; readonly n: number } | readonly [Ref, number];
type Tagged = Exclude<Letter, readonly unknown[]>;

export const selectiveReceive: readonly BenchCase[] = [
  {
    name: 'local/selective-receive_10000',
    about: 'One receive behind 10 000 queued messages: by pattern, by predicate, by tag, by fresh ref.',
    rivals: {
      erlang: { case: 'selective_receive', metrics: { scan: '.scan_10k', fresh_ref: '.fresh_ref' } },
      node: FIELD.selectiveReceive,
    },
    async open(settings) {
      const lab = await openLab();
      return { round: () => receiveBehind(lab, settings), stop: () => lab.stop() };
    },
  },
];

function receiveBehind(lab: Lab, settings: Settings): Promise<Round> {
  const scans = settings.quick ? 20 : 2000;
  const others = settings.quick ? 200 : 200_000;
  return new Promise((done) => {
    lab.spawn(async (self: Self<Letter>) => {
      for (let n = 0; n < QUEUED; n++) self.send(self.pid, { type: 'other', n });
      let start = performance.now();
      for (let n = 0; n < scans; n++) {
        self.send(self.pid, { type: 'match', n });
        await self.receive({ type: 'match', n });
      }
      const scan = perReceive(start, scans);
      start = performance.now();
      // No tag tells these from the queued messages: each search compares all of them.
      for (let n = QUEUED; n < QUEUED + scans; n++) {
        self.send(self.pid, { type: 'other', n });
        await self.receive({ type: 'other', n });
      }
      const oneType = perReceive(start, scans);
      start = performance.now();
      for (let n = 0; n < scans; n++) {
        self.send(self.pid, { type: 'match', n });
        await self.receive((message) => (message as Tagged).type === 'match' && (message as Tagged).n === n);
      }
      const predicate = perReceive(start, scans);
      start = performance.now();
      for (let n = 0; n < others; n++) {
        self.send(self.pid, { type: 'match', n });
        await self.receive('match');
      }
      const tag = perReceive(start, others);
      start = performance.now();
      for (let n = 0; n < others; n++) {
        const ref = self.makeRef();
        self.send(self.pid, [ref, n]);
        await self.receive(ref);
      }
      const freshRef = perReceive(start, others);
      done({
        scan: { value: scan, unit: 'ns' },
        scan_one_type: { value: oneType, unit: 'ns' },
        predicate: { value: predicate, unit: 'ns' },
        tag: { value: tag, unit: 'ns' },
        fresh_ref: { value: freshRef, unit: 'ns' },
      });
    });
  });
}

/** Unit: nanoseconds. */
function perReceive(start: number, count: number): number {
  return ((performance.now() - start) * 1e6) / count;
}
