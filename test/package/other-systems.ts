// Installs systems that the guides speak of. Each set has a manifest and a lockfile of its own below test/package/other-systems.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Installed, npmEnvironment, npmProgram } from './installed.ts';

const LONGEST_INSTALL_MS = 240_000;
/** What npm says where its registry cannot be reached, or does not have a package. */
const NO_REGISTRY = /ENOTFOUND|ETIMEDOUT|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENOTCACHED|E40[134]|E5\d\d/;

type SetName = 'actors' | 'services' | 'socketio' | 'pm2' | 'next';

export interface OtherSystems {
  readonly folder: string;
  /** A package of the set, without its types. */
  load<T>(name: string): T;
  /** Why tests that need them are skipped; undefined: they are installed. */
  readonly missing: string | undefined;
  remove(): void;
}

/**
 * Installs one set with `npm ci`.
 *
 * @param installed the installed package, to be copied beside them with what it needs.
 */
export function installOtherSystems(set: SetName, installed?: Installed): OtherSystems {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `snowmesh-${set}-`)));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const load = createRequire(join(folder, 'package.json'));
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(new URL(`other-systems/${set}/${file}`, import.meta.url), join(folder, file));
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr, error } = spawnSync(process.execPath, [npmProgram(), 'ci', ...options], {
    cwd: folder,
    env: npmEnvironment(),
    encoding: 'utf8',
    timeout: LONGEST_INSTALL_MS,
  });
  if (status !== 0) {
    remove();
    if (error === undefined && !NO_REGISTRY.test(stderr)) throw new Error(stderr);
    return { folder, missing: `npm does not give ${set}: ${error?.message ?? stderr}`, load, remove };
  }
  for (const name of installed === undefined ? [] : ['snowmesh', 'node-gyp-build'])
    cpSync(join(installed?.folder ?? '', 'node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
    });
  return { folder, missing: undefined, load, remove };
}
