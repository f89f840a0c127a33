// Counts work instead of time: how often the blocks of our own code ran, which is the same on a busy machine. V8 counts the
// blocks of functions that it compiles from now on, and it compiles a function at its first call: import this file before
// anything is called.
import { Session } from 'node:inspector/promises';
import { root } from './child.ts';

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** How many functions, loop bodies and branches of `ts/` were run by `task`. Built-in functions count as nothing. */
export async function countWork(task: () => unknown): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  await task();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => url.startsWith(`file://${root}ts/`) || url.startsWith(`${root}ts/`))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
    .reduce((sum, count) => sum + count, 0);
}
