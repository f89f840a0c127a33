// Runs each fuzz target for a bounded time, from the known answers as seeds. What `cargo fuzz run` does, without having to
// install it: a nightly compiler, coverage counters and the address sanitizer.
//   node scripts/fuzz.mjs [seconds a target]
// The last line counts targets; without a nightly compiler or a C++ compiler they are skipped, and it says so.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const seconds = Number(process.argv[2] ?? 20);
process.exitCode = main();

function main() {
  const why = missing();
  if (why !== undefined) {
    console.log(`fuzzing is skipped: ${why}`);
    return tell(0, 0, TARGETS.length);
  }
  const triple = /^host: (.*)$/m.exec(spawnSync('rustc', ['+nightly', '-vV']).stdout.toString())?.[1];
  const built = spawnSync('cargo', ['+nightly', 'build', '--release', '--locked', '--target', triple], {
    cwd: join(root, 'native/fuzz'),
    env: { ...process.env, RUSTFLAGS: COVERAGE },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) return tell(0, TARGETS.length, 0);
  const folder = join(process.env.CARGO_TARGET_DIR ?? join(root, 'native/fuzz/target'), triple, 'release');
  const scratch = mkdtempSync(join(tmpdir(), 'snowmesh-fuzz-'));
  try {
    const failed = TARGETS.filter((target) => !run(join(folder, target), target, scratch));
    return tell(TARGETS.length - failed.length, failed.length, 0);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What is lacking, in words. */
function missing() {
  if (spawnSync('rustc', ['+nightly', '--version']).status !== 0)
    return 'there is no nightly Rust compiler (rustup toolchain install nightly)';
  if (spawnSync('c++', ['--version']).status !== 0) return 'there is no C++ compiler';
  return undefined;
}

function run(program, target, scratch) {
  const corpus = join(scratch, target);
  mkdirSync(corpus);
  for (const [index, seed] of seedsFor(target).entries()) writeFileSync(join(corpus, String(index)), seed);
  const seed = Math.floor(Math.random() * 2 ** 31) + 1;
  console.log(`\n${target}: ${seconds} s, seed ${seed} (again: ${target} -seed=${seed})`);
  const options = [`-max_total_time=${seconds}`, `-seed=${seed}`, '-max_len=4096', '-print_final_stats=1'];
  const { status, stderr } = spawnSync(program, [corpus, ...options, `-artifact_prefix=${root}/`], {
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  });
  console.log(
    stderr
      .split('\n')
      .slice(status === 0 ? -8 : -60)
      .join('\n'),
  );
  return status === 0;
}

/** Every hexadecimal string in the known answers is a seed. */
function seedsFor(target) {
  const file = { term: 'terms', frame: 'frames', handshake: 'handshake' }[target];
  const text = readFileSync(join(root, `test/vectors/${file}.json`), 'utf8');
  return [...text.matchAll(/"((?:[0-9a-f]{2}){2,})"/g)].map(([, hex]) => Buffer.from(hex, 'hex'));
}

function tell(passed, failed, skipped) {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 ? 1 : 0;
}
