// npm test: all checks and tests; CI runs the same list. `npm test -- <filter…>` sets up and runs only the test files whose
// path contains a filter.
//
// Two lists run in parallel: the checks with the Rust tests, and the steps that need the addon. A failed step does not stop the
// others. The tests of a test runner are counted one by one; a check (types, lint, …) counts as one. The last line is the
// sum; with SNOWMESH_SUMMARY=file it is written to that file instead.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findCargo, root, run, SetupError, setup } from './setup.mjs';
import { findStrays } from './strays.mjs';

const MINUTE = 60_000;
const tool = (path) => [process.execPath, join(root, 'node_modules', path)];
const docsTool = (path) => [process.execPath, join(root, 'docs/node_modules', path)];
const node = (script, ...args) => [process.execPath, join(root, 'scripts', script), ...args];
const cargo = (...args) => ['cargo', ...args, '--manifest-path', 'native/Cargo.toml'];

const scratch = mkdtempSync(join(tmpdir(), 'snowmesh-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const report = join(scratch, 'vitest.json');
const vitest = [
  ...tool('vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
];

/** Checks of the sources, and steps that use Rust's development build. */
const checks = [
  { name: 'format', command: [...tool('@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', '.'] },
  { name: 'types', command: [...tool('typescript/bin/tsc'), '--noEmit'] },
  { name: 'lint', command: [...tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  {
    name: 'reference',
    command: [...docsTool('typedoc/bin/typedoc'), '--options', 'docs/typedoc.json', '--emit', 'none'],
  },
  { name: 'rust format', command: cargo('fmt', '--all', '--check') },
  {
    name: 'rust lint',
    command: [...cargo('clippy', '--locked', '--workspace', '--all-targets'), '--', '-D', 'warnings'],
  },
  {
    name: 'rust tests',
    command: cargo('test', '--locked', '--workspace', '--no-fail-fast'),
    count: countCargo,
  },
  { name: 'vectors', command: node('check-vectors.mjs') },
  { name: 'native types', command: node('check-drift.mjs') },
  { name: 'licences', command: node('licenses.mjs', '--check') },
  { name: 'fuzzing', command: node('fuzz.mjs'), count: countSummary },
];

/** The release build, which users get. If it fails, the tests are not started. */
const build = [
  { name: 'addon', command: node('prebuild.mjs', '--if-needed', '--local') },
  { name: 'compilation', command: node('build-ts.mjs', '--if-needed') },
];
const tests = [
  { name: 'package', command: node('check-package.mjs') },
  { name: 'tests', command: vitest, count: countVitest, minutes: 40, isLive: true },
];

const filters = process.argv.slice(2);
process.exitCode = await main();

async function main() {
  try {
    if (filters.length > 0) setup();
    else setup({ native: false, compile: false });
    findCargo();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.message !== '') console.error(error.message);
    summarise([{ name: 'set-up', passed: 0, failed: 1, skipped: 0, seconds: 0 }]);
    return 1;
  }
  if (filters.length > 0) return run(vitest[0], [vitest[1], 'run', ...filters]);

  const started = performance.now();
  const results = (await Promise.all([inTurn(checks), buildAndTest()])).flat();
  console.log('\n');
  tellSlowTests();
  for (const { name, passed, failed, skipped, seconds } of results.toSorted(
    (x, y) => y.seconds - x.seconds,
  )) {
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    console.log(
      `${failed > 0 ? 'FAIL' : ' ok '}  ${name.padEnd(14)} ${`${seconds.toFixed(0)} s`.padStart(6)}   ${counts}`,
    );
  }
  console.log(`all of it in ${((performance.now() - started) / MINUTE).toFixed(1)} min`);
  summarise(results);
  return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function inTurn(steps) {
  const results = [];
  for (const step of steps) results.push(await runStep(step));
  return results;
}

async function buildAndTest() {
  const built = await inTurn(build);
  return built.some(({ failed }) => failed > 0) ? built : [...built, ...(await inTurn(tests))];
}

function summarise(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const line = `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
  if (process.env.SNOWMESH_SUMMARY) writeFileSync(process.env.SNOWMESH_SUMMARY, `${line}\n`);
  else console.log(line);
}

async function runStep({ name, command, count = countCheck, minutes = 15, isLive = false }) {
  const started = performance.now();
  // All processes of a step inherit this variable, so that one that outlives the step can be found.
  const mark = `${process.pid}-${name.replace(/\W/g, '-')}`;
  const { status, output } = await runMarked(command, mark, minutes * MINUTE, isLive);
  const counts = count(output);
  // Two lists run in parallel, so only one of them prints as it runs.
  if (!isLive) console.log(`\n--- ${name}${status === 0 ? '' : ': FAILED'}\n${output.trimEnd()}`);
  const strays = await findStrays(`SNOWMESH_RUN=${mark}`);
  for (const { pid, commandLine } of strays) {
    console.error(`a process was left behind, and is killed now: ${pid} ${commandLine}`);
    process.kill(pid, 'SIGKILL');
  }
  if ((status !== 0 && counts.failed === 0) || strays.length > 0) counts.failed += 1;
  if (count === countCheck && counts.failed === 0) counts.passed = 1;
  return { name, ...counts, seconds: (performance.now() - started) / 1000 };
}

function runMarked([program, ...args], mark, timeout, isLive) {
  return new Promise((resolve) => {
    const env = { ...process.env, SNOWMESH_RUN: mark, SNOWMESH_COMPILED: '1' };
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGTERM',
    });
    let output = '';
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])
      from.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (isLive) to.write(text);
      });
    child.on('error', (error) => {
      resolve({ status: 1, output: `${output}\n${program}: ${error.message}` });
    });
    // 'exit', not 'close', because a stray child would keep the pipe open.
    child.on('exit', (code, signal) => {
      if (signal) output += `\nthe step was ended by ${signal}`;
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ status: code ?? 1, output });
      }, 100);
    });
  });
}

/** Prints the tests that took longest. */
function tellSlowTests() {
  if (!existsSync(report)) return;
  const all = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ title, duration }) => ({ file: relative(root, name), title, ms: duration ?? 0 })),
  );
  for (const { file, title, ms } of all.toSorted((x, y) => y.ms - x.ms).slice(0, 12))
    console.log(`slow  ${`${(ms / 1000).toFixed(1)} s`.padStart(7)}  ${file}: ${title}`);
}

function countCheck() {
  return { passed: 0, failed: 0, skipped: 0 };
}

function countCargo(output) {
  const counts = countCheck();
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return counts;
}

/** Reads the last line of one of our scripts that counts. */
function countSummary(output) {
  const counts = countCheck();
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output) ?? [];
  counts.passed = Number(passed ?? 0);
  counts.failed = Number(failed ?? 0);
  counts.skipped = Number(skipped ?? 0);
  return counts;
}

function countVitest() {
  if (!existsSync(report)) return countCheck();
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
}
