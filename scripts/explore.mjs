// npm run explore [-- --minutes 10 --seed 1 file…]: properties, chaos and fuzzing with random seeds, round after round until the time
// is over. The first round uses --seed, if it is given. A failed round is reported at once with the commands that run it again, and
// the next round follows. The exit status is 1 if anything failed. With files, runs only those and no fuzzing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findCargo, root, run, runMain, setup } from './setup.mjs';

/** Cases of each property, and steps of the native chaos test, in multiples of those of `npm test`. */
const RUNS = 10;
const CHAOS_ROUNDS = 6;
const FUZZ_SECONDS = 30;
const EVERYTHING = [
  'test/property',
  'test/native/chaos.test.ts',
  'test/fault/chaos.test.ts',
  'test/fault/random-member.test.ts',
  'test/fault/rooms-chaos.test.ts',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});

await runMain(() => {
  const minutes = Number(values.minutes);
  let seed = values.seed === undefined ? randomSeed() : Number(values.seed);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.error('usage: npm run explore -- [--minutes 10] [--seed 1234] [file…]');
    return 2;
  }
  setup();
  findCargo();
  const end = Date.now() + minutes * 60_000;
  const failures = [];
  let rounds = 0;
  do {
    rounds += 1;
    console.log(`\n--- round ${rounds}, seed ${seed}`);
    const found =
      positionals.length > 0
        ? testsWith(seed, positionals)
        : [...testsWith(seed, EVERYTHING), ...fuzzWith(seed)];
    for (const failure of found) console.error(`FAILED  ${failure}`);
    failures.push(...found);
    seed = randomSeed();
  } while (Date.now() < end);
  console.log(`\n${rounds} rounds, ${failures.length} failures`);
  for (const failure of failures) console.error(`FAILED  ${failure}`);
  return failures.length === 0 ? 0 : 1;
});

function randomSeed() {
  return Math.floor(Math.random() * 0x7fff_ffff);
}

/** Runs the tests; returns the commands that run the failed ones again. */
function testsWith(seed, files) {
  const scratch = mkdtempSync(join(tmpdir(), 'snowmesh-explore-'));
  const report = join(scratch, 'report.json');
  const settings = { SEED: `${seed}`, RUNS: `${RUNS}`, SNOWMESH_CHAOS_ROUNDS: `${CHAOS_ROUNDS}` };
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const status = run(process.execPath, [vitest, 'run', ...reporters, ...files], {
      env: { ...process.env, ...settings, SNOWMESH_COMPILED: '1' },
    });
    if (status === 0) return [];
    const failed = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
      ({ name, assertionResults }) =>
        assertionResults
          .filter((test) => test.status === 'failed')
          .map((test) => replay(settings, relative(root, name), test)),
    );
    return failed.length > 0 ? failed : [`SEED=${seed}: the tests did not run; see above`];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A failed property prints the command that runs its case again; any other test has the same random numbers with the same settings. */
function replay(settings, file, { title, failureMessages }) {
  const own = /^Again: (.*)$/m.exec(failureMessages.join('\n'))?.[1];
  if (own !== undefined) return own;
  const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const name = JSON.stringify(title.replace(/[.*+?^${}()|[\]\\]/g, '.'));
  return `${variables.join(' ')} npx vitest run ${file} -t ${name}`;
}

function fuzzWith(seed) {
  const options = ['--seconds', `${FUZZ_SECONDS}`, '--seed', `${seed}`];
  const status = run(process.execPath, [join(root, 'scripts/fuzz.mjs'), ...options]);
  return status === 0
    ? []
    : [`node scripts/fuzz.mjs ${options.join(' ')} (the command for the one input is above)`];
}
