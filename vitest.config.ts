import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Groups run one after another: what is cheap and broken shows first, and the fault tests, which freeze, delay and kill
// processes, run alone. All others wait for events however busy the machine is, and run beside each other.
const WORKERS = Math.max(2, availableParallelism());
const project = (name: string, include: string[], order: number, more: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include, sequence: { groupOrder: order }, ...more },
});

// What is built once before the tests of a project.
const COMPILED = 'test/support/compiled.ts';
const PREBUILT = 'test/support/prebuilt.ts';

/** A property that gets more cases (see test/support/seed.ts) gets more time. */
const factor = Math.max(1, Number(process.env['RUNS'] ?? 1));

export default defineConfig({
  test: {
    pool: 'forks', // the addon belongs to a process; loading it in many worker threads is a test of its own
    execArgv: ['--expose-gc'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    passWithNoTests: true,
    maxWorkers: WORKERS,
    projects: [
      project(
        'architecture',
        ['test/architecture.test.ts', 'test/documents.test.ts', 'test/rules.test.ts'],
        0,
      ),
      project('unit', ['test/unit/**/*.test.ts', 'test/conformance/**/*.test.ts'], 0),
      project('types', ['test/types/**/*.test.ts'], 0),
      project('property', ['test/property/**/*.test.ts'], 0, { testTimeout: 120_000 * factor }),
      project('native', ['test/native/**/*.test.ts'], 1, { testTimeout: 120_000 * factor }),
      project('cluster', ['test/cluster/**/*.test.ts'], 1),
      project('examples', ['test/examples/**/*.test.ts'], 1, { globalSetup: [COMPILED] }),
      project('package', ['test/package/**/*.test.ts'], 1, {
        testTimeout: 300_000,
        hookTimeout: 600_000,
        globalSetup: [COMPILED, PREBUILT],
      }),
      project('fault', ['test/fault/**/*.test.ts'], 2, { maxWorkers: 1 }),
    ],
  },
});
