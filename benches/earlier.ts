// Builds an earlier revision of this repository as a contestant, once, in a folder that git ignores.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isLessBetter, type Result } from './harness.ts';
import { type Ratio, ratiosOf } from './report.ts';

/** A revision that is built. */
export interface Earlier {
  /** `snowmesh@1a2b3c4d5e6f`. */
  readonly suite: string;
  /** Its compiled benches/child.js. */
  readonly child: string;
}

/** Metrics that differ more between two runs of the same code than a change of the code makes them differ. */
const UNSTEADY = /^(p99|p999|max|rss|sender_cpu|receiver_cpu)/;

/**
 * Builds a revision with its own set-up script, unless that has been done.
 *
 * @param revision any name of a commit that git accepts.
 * @throws Error if there is no such commit, or it does not build; the output of the failed command is on standard error.
 */
export function buildEarlier(revision: string): Earlier {
  const commit = git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`);
  if (commit === '') throw new Error(`git knows no commit ${revision}`);
  const folder = resolve('benches/.revisions', commit.slice(0, 12));
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    unpack(commit, unfinished);
    shareDependencies(unfinished);
    console.error(`Building ${revision} (${commit.slice(0, 12)})`);
    const cargo = { CARGO_TARGET_DIR: resolve('benches/.revisions/target') };
    run(process.execPath, ['scripts/setup.mjs'], { cwd: unfinished, env: { ...process.env, ...cargo } });
    renameSync(unfinished, folder);
  }
  return { suite: `snowmesh@${commit.slice(0, 12)}`, child: join(folder, 'dist/benches/child.js') };
}

/**
 * The steady figures that are worse than those of an earlier revision.
 *
 * @param least the smallest share of the earlier figure that is not a regression, for example 0.95.
 */
export function regressionsOf(results: readonly Result[], { suite }: Earlier, least: number): Ratio[] {
  const units = new Map(results.map((result) => [`${result.case} ${result.metric}`, result.unit]));
  return ratiosOf(results).filter(({ case: name, metric, rival, ratio }) => {
    if (rival !== suite || UNSTEADY.test(metric)) return false;
    const share = isLessBetter(units.get(`${name} ${metric}`) ?? '') ? 1 / ratio : ratio;
    return share < least;
  });
}

function unpack(commit: string, folder: string): void {
  const archive = `${folder}.tar`;
  run('git', ['archive', '--output', archive, commit]);
  run('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
}

/** Shares our node_modules only if the lockfiles are equal: otherwise the set-up of that revision would install into ours. */
function shareDependencies(folder: string): void {
  const lock = 'package-lock.json';
  if (readFileSync(lock, 'utf8') !== readFileSync(join(folder, lock), 'utf8')) return;
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'dir');
}

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`);
}

function git(...args: string[]): string {
  return spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
}
