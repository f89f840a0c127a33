// The process of a contestant: opens its case, warms up, and then runs a round for each order, so that rounds of several contestants can be
// in turns. Orders are lines of text, answers are objects.
import { cpuSeconds, machineCpuSeconds, type Round, type Running, type Settings } from './harness.ts';

/** What the process of a contestant answers. */
export type Answer =
  | { readonly ready: { readonly suite: string } }
  /** `others` is what other processes of the machine used during the round (unit: cores), `speed` the result of {@link coreSpeed}. */
  | { readonly round: Round; readonly others: number; readonly speed?: number };

export interface Opening {
  readonly suite: string;
  readonly running: Running;
}

/**
 * Opens the case and warms it up; then runs a round for each line, until the input ends. No collection is forced in between: V8 drops
 * the optimised code of classes of which a full collection finds no object, and between rounds there are no actors.
 */
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
  say({ ready: { suite } });
  for await (const _ of orders) {
    const before = coreSpeed();
    const answer = await watchedRound(running);
    const after = coreSpeed();
    say(before === undefined || after === undefined ? answer : { ...answer, speed: Math.min(before, after) });
  }
  await running.stop?.();
}

const STEPS = 50_000;
const RUNS = 100;
/** Calls until V8 has optimised the code, and a few more. */
const CALLS_TO_COMPILE = 12;
/** The result of all steps, so that no compiler removes them. */
let made = 0;

/**
 * How fast this core is now, in steps per microsecond of CPU time. The steps do not depend on each other, so a core that another hardware
 * thread uses, too (of this machine, or of another guest of its host), shows about half of its speed.
 * Undefined: the system counts CPU time too coarsely.
 */
function coreSpeed(): number | undefined {
  const start = cpuSeconds();
  // Many short runs, because V8 replaces a function between calls more reliably than inside of a loop.
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
