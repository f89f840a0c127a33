// npm test: everything that must hold, in one list; it is what CI runs. `npm test -- <filter…>` sets up and runs only
// the test files whose path contains a filter.
//
// Each step runs to its end whatever became of the others. A test runner's tests are counted one by one, a check
// (types, lint, …) counts as one. The last line is the sum; with SNOWMESH_SUMMARY=file it goes into that file instead.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCargo, root, run, SetupError, setup } from './setup.mjs';
import { findStrays } from './strays.mjs';

const MINUTE = 60_000;
const tool = (path) => [process.execPath, join(root, 'node_modules', path)];
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

const steps = [
  { name: 'format', command: [...tool('@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', '.'] },
  { name: 'types', command: [...tool('typescript/bin/tsc'), '--noEmit'] },
  { name: 'lint', command: [...tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
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
  { name: 'native types', command: node('check-drift.mjs') },
  {
    name: 'reference',
    command: [
      process.execPath,
      join(root, 'docs/node_modules/typedoc/bin/typedoc'),
      '--options',
      'docs/typedoc.json',
      '--emit',
      'none',
    ],
  },
  { name: 'vectors', command: node('check-vectors.mjs') },
  { name: 'fuzzing', command: node('fuzz.mjs'), count: countSummary },
  { name: 'prebuild', command: node('prebuild.mjs', '--if-needed') },
  { name: 'package', command: node('check-package.mjs') },
  { name: 'tests', command: vitest, count: countVitest, minutes: 20 },
];

const filters = process.argv.slice(2);
process.exitCode = await main();

async function main() {
  try {
    setup();
    findCargo();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.message !== '') console.error(error.message);
    summarise([{ name: 'set-up', passed: 0, failed: 1, skipped: 0, seconds: 0 }]);
    return 1;
  }
  if (filters.length > 0) return run(vitest[0], [vitest[1], 'run', ...filters]);

  const results = [];
  for (const step of steps) results.push(await runStep(step));
  console.log('\n');
  for (const { name, passed, failed, skipped, seconds } of results) {
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    console.log(
      `${failed > 0 ? 'FAIL' : ' ok '}  ${name.padEnd(14)} ${`${seconds.toFixed(0)} s`.padStart(6)}   ${counts}`,
    );
  }
  summarise(results);
  return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

function summarise(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const line = `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
  if (process.env.SNOWMESH_SUMMARY) writeFileSync(process.env.SNOWMESH_SUMMARY, `${line}\n`);
  else console.log(line);
}

async function runStep({ name, command, count = countCheck, minutes = 15 }) {
  console.log(`\n--- ${name}`);
  const started = performance.now();
  // Whatever a step starts inherits the mark, so that a process that outlives the step can be found.
  const mark = `${process.pid}-${name.replace(/\W/g, '-')}`;
  const { status, output } = await runMarked(command, mark, minutes * MINUTE);
  const counts = count(output);
  const strays = await findStrays(`SNOWMESH_RUN=${mark}`);
  for (const { pid, commandLine } of strays) {
    console.error(`a process was left behind, and is killed now: ${pid} ${commandLine}`);
    process.kill(pid, 'SIGKILL');
  }
  if ((status !== 0 && counts.failed === 0) || strays.length > 0) counts.failed += 1;
  if (count === countCheck && counts.failed === 0) counts.passed = 1;
  return { name, ...counts, seconds: (performance.now() - started) / 1000 };
}

function runMarked([program, ...args], mark, timeout) {
  return new Promise((resolve) => {
    const env = { ...process.env, SNOWMESH_RUN: mark, SNOWMESH_COMPILED: '1' };
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout,
      killSignal: 'SIGTERM',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve({ status: 1, output });
    });
    // 'exit', not 'close': a stray child would hold the pipe open for ever.
    child.on('exit', (code, signal) => {
      if (signal) console.error(`the step was ended by ${signal}`);
      setTimeout(() => {
        child.stdout.destroy();
        resolve({ status: code ?? 1, output });
      }, 100);
    });
  });
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

/** The last line of a script of ours that counts. */
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
