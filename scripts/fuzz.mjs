// Runs each fuzz target with the test vectors as seeds. Does the same as `cargo fuzz run` without cargo-fuzz: needs a nightly
// compiler, builds with coverage counters and the address sanitizer.
//   node scripts/fuzz.mjs                              the same inputs in every run: seed 1, 20 000 runs a target
//   node scripts/fuzz.mjs --seconds 60 --seed 1234     other inputs, for 60 seconds a target
//   node scripts/fuzz.mjs term file                    one target with one input
// An input that fails is written to native/fuzz/failed/<target>/; every run begins with the inputs in that folder. The last line
// counts targets. Without a nightly compiler or a C++ compiler all targets are skipped, with a message.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './setup.mjs';

const TARGETS = ['term', 'frame', 'handshake'];
const COVERAGE = [
  '--cfg fuzzing',
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
  '-Zsanitizer=address',
  '-Clink-dead-code',
  '-Ccodegen-units=1',
].join(' ');

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string' },
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});
const [only, input] = positionals;
const kept = join(root, 'native/fuzz/failed');
process.exitCode = main();

function main() {
  if (only !== undefined && !TARGETS.includes(only)) {
    console.error(`there is no fuzz target ${only}, only ${TARGETS.join(', ')}`);
    return 1;
  }
  const targets = only === undefined ? TARGETS : [only];
  const why = missing();
  if (why !== undefined) {
    console.log(`fuzzing is skipped: ${why}`);
    return tell(0, 0, targets.length);
  }
  const triple = /^host: (.*)$/m.exec(spawnSync('rustc', ['+nightly', '-vV']).stdout.toString())?.[1];
  const built = spawnSync('cargo', ['+nightly', 'build', '--release', '--locked', '--target', triple], {
    cwd: join(root, 'native/fuzz'),
    env: { ...process.env, RUSTFLAGS: COVERAGE },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) return tell(0, targets.length, 0);
  const folder = join(process.env.CARGO_TARGET_DIR ?? join(root, 'native/fuzz/target'), triple, 'release');
  const failed = targets.filter((target) => !run(join(folder, target), target));
  return tell(targets.length - failed.length, failed.length, 0);
}

/** What is missing, as a text for the user; undefined if nothing is. */
function missing() {
  if (spawnSync('rustc', ['+nightly', '--version']).status !== 0)
    return 'there is no nightly Rust compiler (rustup toolchain install nightly)';
  if (spawnSync('c++', ['--version']).status !== 0) return 'there is no C++ compiler';
  return undefined;
}

function run(program, target) {
  const corpus = mkdtempSync(join(tmpdir(), 'snowmesh-fuzz-'));
  try {
    for (const [index, seed] of seedsFor(target).entries()) writeFileSync(join(corpus, `${index}`), seed);
    const artifacts = join(kept, target);
    mkdirSync(artifacts, { recursive: true });
    cpSync(artifacts, corpus, { recursive: true });
    const amount =
      values.seconds === undefined ? `-runs=${values.runs}` : `-max_total_time=${values.seconds}`;
    const args =
      input === undefined
        ? [corpus, amount, `-seed=${values.seed}`, '-max_len=4096', `-artifact_prefix=${artifacts}/`]
        : [resolve(input)];
    console.log(`\n${target}: ${args.slice(1).join(' ')}`);
    const { status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
    });
    if (status === 0) return true;
    console.log(stderr.split('\n').slice(-60).join('\n'));
    const file = /Test unit written to (\S+)/.exec(stderr)?.[1];
    if (file !== undefined) console.log(`Again: node scripts/fuzz.mjs ${target} ${relative(root, file)}`);
    return false;
  } finally {
    rmSync(corpus, { recursive: true, force: true });
  }
}

/** The seeds of a target: every hexadecimal string in its test vectors. */
function seedsFor(target) {
  const file = { term: 'terms', frame: 'frames', handshake: 'handshake' }[target];
  const text = readFileSync(join(root, `test/vectors/${file}.json`), 'utf8');
  return [...text.matchAll(/"((?:[0-9a-f]{2}){2,})"/g)].map(([, hex]) => Buffer.from(hex, 'hex'));
}

function tell(passed, failed, skipped) {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 ? 1 : 0;
}
