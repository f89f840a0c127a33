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
  coreSpeed(); // compiled before the first round
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

const STEPS = 5_000_000;

/**
 * How fast this core is now, in steps a microsecond of CPU time. The steps do not wait for each other, so a core that works for another
 * hardware thread, too - of this machine, or of another guest of its host - shows some half of the speed that it has for one.
 * Undefined: the system counts CPU time too coarsely.
 */
function coreSpeed(): number | undefined {
  const start = cpuSeconds();
  steps();
  const seconds = cpuSeconds() - start;
  return seconds > 0.001 ? STEPS / 1e6 / seconds : undefined;
}

/** Returns what it made, so that no compiler leaves the work out. */
function steps(): number {
  let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6];
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
