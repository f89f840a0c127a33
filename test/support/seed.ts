// Where the random numbers of the tests come from. Without SEED in the environment they are the same in every run: each
// property runs with the seed 1 and with every seed and case that has ever failed, which its test lists. With SEED=n it
// runs with n alone; `npm run explore` does that with random seeds.
import fc from 'fast-check';
import { expect } from 'vitest';

const FIXED = 1;

/** A seed of a property; with a path, the one case that fast-check reached with both. */
export type KnownCase = number | { readonly seed: number; readonly path: string };

export interface CheckParameters<Ts> extends Omit<fc.Parameters<Ts>, 'seed' | 'path'> {
  /**
   * What has failed before. A path counts `examples`, too, and means another case when an arbitrary is changed: where
   * the values can be written down, they belong into `examples`.
   */
  readonly known?: readonly KnownCase[];
}

/** The seed of this run. */
export function seed(): number {
  return numberFrom('SEED') ?? FIXED;
}

/** The seeds that a test has to try: the run's own, and those that it knows to have failed. */
export function seeds(known: readonly number[] = []): readonly number[] {
  return numberFrom('SEED') === undefined ? [FIXED, ...known] : [seed()];
}

/** How many cases a test gets: `base`, times `RUNS` from the environment. */
export function runs(base = 100): number {
  return Math.max(1, Math.round(base * Number(process.env['RUNS'] ?? 1)));
}

/** Checks a property with the run's seed and with all that has failed before. `numRuns` is scaled by `RUNS`. */
export function check<Ts>(property: fc.IProperty<Ts>, parameters: CheckParameters<Ts> = {}): void {
  for (const one of assertions(parameters)) fc.assert(property, { ...one, reporter: report });
}

/** `check` for asynchronous properties. */
export async function checkAsync<Ts>(
  property: fc.IAsyncProperty<Ts>,
  parameters: CheckParameters<Ts> = {},
): Promise<void> {
  for (const one of assertions(parameters)) await fc.assert(property, { ...one, reporter: report });
}

/** A small deterministic generator (mulberry32) for tests that need numbers rather than properties: in [0, 1). */
export function randomFrom(start: number = seed()): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function assertions<Ts>({ known = [], ...parameters }: CheckParameters<Ts>): fc.Parameters<Ts>[] {
  const all = { ...parameters, numRuns: runs(parameters.numRuns) };
  const path = process.env['CASE'];
  if (path !== undefined) return [{ ...all, seed: seed(), path, endOnFailure: true }];
  if (numberFrom('SEED') !== undefined) return [{ ...all, seed: seed() }];
  return [
    ...known.map((one) => (typeof one === 'number' ? { ...all, seed: one } : { ...all, ...one, numRuns: 1 })),
    { ...all, seed: FIXED },
  ];
}

/** fast-check's own report, and the command that runs the failing case again. */
function report<Ts>(details: fc.RunDetails<Ts>): void {
  if (!details.failed) return;
  const { testPath = '', currentTestName = '' } = expect.getState();
  const file = testPath.replace(`${process.cwd()}/`, '');
  const name = currentTestName.split(' > ').at(-1) ?? '';
  const where = `SEED=${details.seed} CASE=${details.counterexamplePath}`;
  const again = `Again: ${where} npx vitest run ${file} -t ${JSON.stringify(escapeForSearch(name))}`;
  throw new Error(`${fc.defaultReportMessage(details)}\n${again}`, { cause: details.errorInstance });
}

/** vitest takes the name of a test for a regular expression. */
function escapeForSearch(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '.');
}

function numberFrom(variable: string): number | undefined {
  const given = process.env[variable];
  if (given === undefined) return undefined;
  if (!Number.isSafeInteger(Number(given))) throw new Error(`${variable} must be an integer, not ${given}`);
  return Number(given);
}
