// A contestant's side of a contest: it opens its case, warms up, and then runs a round whenever it is told to, so that
// rounds of several contestants can take turns. Orders come as lines of text, answers go out as objects.
import {
  collectGarbage,
  cpuSeconds,
  machineCpuSeconds,
  type Round,
  type Running,
  type Settings,
} from './harness.ts';

/** What a contestant says. */
export type Answer =
  | { readonly ready: { readonly suite: string } }
  /** `others` is what everything else on the machine used meanwhile (unit: cores), `speed` that of {@link coreSpeed}. */
  | { readonly round: Round; readonly others: number; readonly speed?: number };

export interface Opening {
  readonly suite: string;
  readonly running: Running;
}

/** Opens and warms up; then a round for each line, until there are no more. */
export async function serve(
  open: (settings: Settings) => Promise<Opening> | Opening,
  settings: Settings,
  orders: AsyncIterable<string>,
  say: (answer: Answer) => void,
): Promise<void> {
  const start = performance.now();
  const { suite, running } = await open(settings);
  for (let call = 0; call < CALLS_TO_COMPILE; call++) coreSpeed();
  do {
    await running.round();
  } while (performance.now() - start < settings.warmSeconds * 1000);
  collectGarbage();
  say({ ready: { suite } });
  for await (const _ of orders) {
    collectGarbage();
    const before = coreSpeed();
    const answer = await watchedRound(running);
    const after = coreSpeed();
    say(before === undefined || after === undefined ? answer : { ...answer, speed: Math.min(before, after) });
    collectGarbage(); // what one contestant leaves behind must not crowd the next one
  }
  await running.stop?.();
}

const STEPS = 50_000;
const RUNS = 100;
/** Calls until the optimised code is there, and a few more. */
const CALLS_TO_COMPILE = 12;
/** The result of all steps: no compiler leaves them out. */
let made = 0;

/**
 * How fast this core is now, in steps a microsecond of CPU time. The steps do not wait for each other, so a core that works for another
 * hardware thread, too - of this machine, or of another guest of its host - shows some half of the speed that it has for one.
 * Undefined: the system counts CPU time too coarsely.
 */
function coreSpeed(): number | undefined {
  const start = cpuSeconds();
  // Many short runs: V8 replaces a function between calls more reliably than in the middle of a loop.
  for (let run = 0; run < RUNS; run++) made ^= steps(run);
  const seconds = cpuSeconds() - start;
  return seconds > 0.001 ? (STEPS * RUNS) / 1e6 / seconds : undefined;
}

function steps(seed: number): number {
  let a = seed;
  let b = 2;
  let c = 3;
  let d = 4;
  let e = 5;
  let f = 6;
  for (let step = 0; step < STEPS; step++) {
    a = (a + step) | 0;
    b ^= a;
    c = (c + step * 3) | 0;
    d ^= step;
    e = (e + step) | 0;
    f ^= step << 1;
  }
  return a ^ b ^ c ^ d ^ e ^ f;
}

async function watchedRound(running: Running): Promise<{ round: Round; others: number }> {
  const machine = machineCpuSeconds();
  const own = cpuSeconds();
  const start = performance.now();
  const round = await running.round();
  const seconds = (performance.now() - start) / 1000;
  const used = machineCpuSeconds() - machine - (cpuSeconds() - own);
  return { round, others: Math.max(0, used / seconds) };
}
