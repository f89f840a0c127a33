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
  /** `others` is what everything else on the machine used meanwhile. Unit: cores. */
  | { readonly round: Round; readonly others: number };

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
  do {
    await running.round();
  } while (performance.now() - start < settings.warmSeconds * 1000);
  collectGarbage();
  say({ ready: { suite } });
  for await (const _ of orders) {
    collectGarbage();
    say(await watchedRound(running));
    collectGarbage(); // what one contestant leaves behind must not crowd the next one
  }
  await running.stop?.();
}

async function watchedRound(running: Running): Promise<Answer> {
  const machine = machineCpuSeconds();
  const own = cpuSeconds();
  const start = performance.now();
  const round = await running.round();
  const seconds = (performance.now() - start) / 1000;
  const used = machineCpuSeconds() - machine - (cpuSeconds() - own);
  return { round, others: Math.max(0, used / seconds) };
}
