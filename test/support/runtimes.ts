// Deno and Bun, from the packages of npm that carry their programs. The program is taken from the package of this platform, so it
// is there also where npm runs no install scripts. Bun's script moves it into the package `bun`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Child, type ChildOptions, childCommand, root, watch } from './child.ts';

export type RuntimeName = 'deno' | 'bun';

const PLATFORM = `${process.platform} ${process.arch}${isMusl() ? ' musl' : ''}`;

/** The package with the program, and the program's path in it. */
const PROGRAMS: Readonly<Record<RuntimeName, Readonly<Record<string, readonly [string, string]>>>> = {
  deno: {
    'linux x64': ['@deno/linux-x64-glibc', 'deno'],
    'linux arm64': ['@deno/linux-arm64-glibc', 'deno'],
    'darwin x64': ['@deno/darwin-x64', 'deno'],
    'darwin arm64': ['@deno/darwin-arm64', 'deno'],
    'win32 x64': ['@deno/win32-x64', 'deno.exe'],
    'win32 arm64': ['@deno/win32-arm64', 'deno.exe'],
  },
  bun: {
    'linux x64': ['@oven/bun-linux-x64', 'bin/bun'],
    'linux arm64': ['@oven/bun-linux-aarch64', 'bin/bun'],
    'linux x64 musl': ['@oven/bun-linux-x64-musl', 'bin/bun'],
    'linux arm64 musl': ['@oven/bun-linux-aarch64-musl', 'bin/bun'],
    'darwin x64': ['@oven/bun-darwin-x64', 'bin/bun'],
    'darwin arm64': ['@oven/bun-darwin-aarch64', 'bin/bun'],
    'win32 x64': ['@oven/bun-windows-x64', 'bin/bun.exe'],
    'win32 arm64': ['@oven/bun-windows-aarch64', 'bin/bun.exe'],
  },
};

/** The runtimes that exist for this platform. One that exists and is not installed fails its tests. */
export const RUNTIMES = (Object.keys(PROGRAMS) as RuntimeName[]).filter((name) => PLATFORM in PROGRAMS[name]);

const FLAGS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ['run', '--no-lock', '--no-prompt', '--allow-ffi', '--allow-read', '--allow-env'],
  bun: ['run'],
};

interface RuntimeOptions extends Pick<ChildOptions, 'args' | 'cwd'> {
  /** Whether the program may open sockets by means of the runtime: the addon needs no leave for its own. */
  readonly sockets?: boolean;
}

/** Starts `file` in Deno or Bun: the TypeScript itself, or what the full test run has compiled. */
export function startInRuntime(
  name: RuntimeName,
  file: URL | string,
  { args = [], cwd = root, sockets = false }: RuntimeOptions = {},
): Child {
  const flags = sockets && name === 'deno' ? [...FLAGS.deno, '--allow-net'] : FLAGS[name];
  const path = childCommand(file).at(-1) ?? '';
  const env = { ...process.env, NODE_OPTIONS: undefined, DENO_NO_UPDATE_CHECK: '1' };
  return watch(spawn(programOf(name), [...flags, path, ...args], { cwd, env, stdio: 'pipe' }));
}

function programOf(name: RuntimeName): string {
  const [packageName, path] = PROGRAMS[name][PLATFORM] ?? ['', ''];
  const main = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const program = join(dirname(createRequire(main).resolve(`${packageName}/package.json`)), path);
  return existsSync(program) ? program : join(dirname(main), 'bin/bun.exe');
}

/** Whether the C library of this Linux is not glibc. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header: Record<string, unknown> };
  return header['glibcVersionRuntime'] === undefined;
}
