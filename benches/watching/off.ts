// What observability costs while it is off: the package as it is, against a copy without the checks for observers.
import { ask, dismiss, forkMember } from '../cluster/member-process.ts';
import type { BenchCase, Round, Settings } from '../harness.ts';
import { makeCopies } from './hookless.ts';
import type { OffOrder, OffReport } from './off-process.ts';

/** Two processes of the same code differ by more than what is measured, so the interval is that over processes. */
const PROCESSES = 12;
const SLICES = 40;
/** 97.5 % of Student's t with one degree of freedom less than PROCESSES. */
const T = 2.201;

const WORKS = [
  ['handler', 'handlers'],
  ['await', 'actors that await receive()'],
] as const;

export const off: readonly BenchCase[] = WORKS.map(([work, actors]) => ({
  name: `watching/off_${work}`,
  about: `Messages between two ${actors}: with the checks for observers, all off, and in a copy of the package without these checks.`,
  rounds: 1,
  processes: 1,
  open: (settings: Settings) => ({ round: () => oneRound(settings, work) }),
}));

async function oneRound({ quick }: Settings, work: OffOrder['work']): Promise<Round> {
  const copies = makeCopies();
  const kept: number[] = [];
  const control: number[] = [];
  try {
    for (let each = 0; each < (quick ? 2 : PROCESSES); each++) {
      const isReversed = each % 2 === 1;
      const slices = quick ? { messages: 100, slices: 1 } : { messages: 0, slices: SLICES };
      const judge = (judged: string): Promise<number> =>
        oneProcess({ work, judged, reference: copies.without, isReversed, ...slices });
      kept.push(await judge(copies.withHooks));
      control.push(await judge(copies.control));
    }
  } finally {
    copies.remove();
  }
  return { ...interval('kept', kept), ...interval('control', control) };
}

async function oneProcess(order: OffOrder): Promise<number> {
  const member = forkMember('../watching/off-process');
  const { kept } = await ask<OffReport>(member, order);
  await dismiss([member], () => Promise.resolve());
  return kept;
}

/** The mean, and its interval of 95 %. */
function interval(name: string, values: readonly number[]): Round {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const margin = T * Math.sqrt(squares / (values.length - 1) / values.length);
  const figure = (value: number) => ({ value, unit: 'of a copy without checks' });
  return {
    [name]: figure(mean),
    [`${name}_from`]: figure(Math.max(mean - margin, Number.EPSILON)),
    [`${name}_to`]: figure(mean + margin),
  };
}
