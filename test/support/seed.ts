// One seed for a whole run, always printed, so that any failure of a randomised test can be run again.
import fc from 'fast-check';

let announced = false;

/** The seed of this run: `SEED` from the environment, or a random one. Printed at its first use. */
export function seed(): number {
  if (chosen === undefined) {
    const given = process.env['SEED'];
    chosen = given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given);
    if (!Number.isSafeInteger(chosen)) throw new Error(`SEED must be an integer, not ${given}`);
  }
  if (!announced) {
    announced = true;
    process.stdout.write(`seed ${chosen} (run again with SEED=${chosen})\n`);
  }
  return chosen;
}
let chosen: number | undefined;

/**
 * How many runs a property gets: `base`, times `RUNS` from the environment (a factor; 10 for a long night).
 */
export function runs(base = 100): number {
  return Math.max(1, Math.round(base * Number(process.env['RUNS'] ?? 1)));
}

/** Checks a property with the run's seed. `numRuns` is scaled by `RUNS`. */
export function check<Ts>(property: fc.IProperty<Ts>, parameters: fc.Parameters<Ts> = {}): void {
  fc.assert(property, { seed: seed(), ...parameters, numRuns: runs(parameters.numRuns) });
}

/** `check` for asynchronous properties. */
export async function checkAsync<Ts>(
  property: fc.IAsyncProperty<Ts>,
  parameters: fc.Parameters<Ts> = {},
): Promise<void> {
  await fc.assert(property, { seed: seed(), ...parameters, numRuns: runs(parameters.numRuns) });
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
