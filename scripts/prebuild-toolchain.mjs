// How the addon is built for a target on this machine: with plain cargo for this system, otherwise with zig as the linker and C compiler
// (it has the C libraries of all targets). Rust's standard library for the target comes from rustup or, if rustup cannot add it, is
// compiled from Debian's sources. Missing tools are fetched by pip, rustup and apt-get.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { hostTarget } from './prebuild-targets.mjs';
import { SetupError } from './setup.mjs';

/** The newest glibc that an addon for Linux may need. Node.js 20 needs it, too; RHEL 8, Debian 10 and Ubuntu 20.04 have it. */
export const GLIBC = '2.28';

/** The oldest macOS: the first one for Apple silicon. Node.js 20 needs 10.15. */
export const MACOS = '11.0';

/** Where fetched tools are kept. */
export const TOOLS =
  process.env.SNOWMESH_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'snowmesh');

const PYTHON_TOOLS = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1'];

/** Plain cargo, for the system it runs on. */
export const hostToolchain = {
  command: ['cargo', 'build'],
  triple: undefined,
  standardLibrary: 'of the toolchain',
  env: {},
};

/**
 * What `buildAddon` of build-native.mjs needs to build for `target`.
 *
 * @param {import('./prebuild-targets.mjs').Target} target
 * @returns {{ command: string[], triple: string | undefined, standardLibrary: string, env: Record<string, string>, strip?: string[] }}
 * @throws {SetupError} a sentence about what is missing.
 */
export function toolchainFor(target) {
  // On Linux the host's linker would make the addon need the host's glibc, which is newer than that of many users.
  if (target.name === hostTarget()?.name && target.libc !== 'glibc') return hostToolchain;
  const zig = zigTools();
  const std = standardLibrary(target.triple);
  const wanted = target.libc === 'glibc' ? `${target.triple}.${GLIBC}` : target.triple;
  // A compiler may name its sources by the real path of its folder.
  const folders = [...new Set([TOOLS, realpathSync(TOOLS)])];
  const flags = [
    ...folders.map((folder) => `--remap-path-prefix=${folder}=/tools`),
    // A module that Node.js loads must link the musl library dynamically.
    ...(target.libc === 'musl' ? ['-C target-feature=-crt-static'] : []),
    ...(target.platform === 'darwin' ? ['-C link-arg=-Wl,-dead_strip_dylibs'] : []),
  ];
  return {
    command: ['cargo-zigbuild', 'zigbuild', ...std.options, '--target', wanted],
    triple: target.triple,
    standardLibrary: std.origin,
    ...(target.platform === 'darwin' ? { strip: darwinStrip() } : {}),
    env: {
      ...std.env,
      ...(target.platform === 'darwin'
        ? { CARGO_PROFILE_RELEASE_STRIP: 'none', MACOSX_DEPLOYMENT_TARGET: MACOS }
        : {}),
      ...(target.platform === 'win32' ? { LIBNODE_PATH: emptyLibnode() } : {}),
      CARGO_ZIGBUILD_ZIG_PATH: zig.compiler,
      PATH: `${zig.folder}${delimiter}${process.env.PATH}`,
      RUSTFLAGS: flags.join(' '),
    },
  };
}

/**
 * A command that removes the local symbols of a macOS library and signs it again. zig cannot do it, and rustc only with a tool that not
 * every installation has.
 */
function darwinStrip() {
  const works = (command) => spawnSync(command[0], ['--version'], { stdio: 'ignore' }).status === 0;
  const { stdout: sysroot } = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' });
  const host = /^host: (.*)$/m.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout)?.[1];
  const objcopy = join(sysroot.trim(), 'lib/rustlib', String(host), 'bin/rust-objcopy');
  const found = [
    ['llvm-strip', '-x'],
    [objcopy, '--discard-all'],
  ].find(works);
  if (found !== undefined) return found;
  throw new SetupError('An addon for macOS needs llvm-strip: apt-get install llvm.');
}

/**
 * A folder with an empty import library. On GNU targets for Windows the build script of napi needs a libnode.dll to link with, but the
 * addon looks up all symbols in the program that loads it (napi's feature `dyn-symbols`).
 */
function emptyLibnode() {
  return fetchOnce('libnode', '2', (into) => {
    for (const name of ['libnode.dll', 'libnode.a']) writeFileSync(join(into, name), '!<arch>\n');
  });
}

/** zig and cargo-zigbuild, which PyPI has for every system. */
export function zigTools() {
  const folder = fetchOnce('python', PYTHON_TOOLS.join(' '), (into) => {
    const python = ['python3', 'python', 'py'].find(
      (name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0,
    );
    if (python === undefined)
      throw new SetupError('Building for other systems needs Python with pip: it brings the zig compiler.');
    run(python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--target',
      into,
      ...PYTHON_TOOLS,
    ]);
  });
  return {
    folder: join(folder, 'bin'),
    compiler: join(folder, 'ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig'),
  };
}

/** Rust's standard library for a target: the options and variables that make cargo use it. */
function standardLibrary(triple) {
  if (hasStandardLibrary(triple) || addedByRustup(triple))
    return { origin: 'of the toolchain', options: [], env: {} };
  const debian = debianRust();
  const libraries = join(debian, 'usr/lib');
  return {
    origin: "compiled from Debian's sources",
    options: ['-Zbuild-std=std,panic_unwind'],
    env: {
      RUSTC: join(debian, 'usr/bin/rustc'),
      // Allows the unstable option above. It compiles the sources that belong to this compiler.
      RUSTC_BOOTSTRAP: '1',
      LD_LIBRARY_PATH: join(
        libraries,
        readdirSync(libraries).find((name) => name.endsWith('-linux-gnu')),
      ),
    },
  };
}

/** Has rustup add the target, unless RUSTUP_AUTO_INSTALL forbids installing; whether that worked. */
function addedByRustup(triple) {
  if (process.env.RUSTUP_AUTO_INSTALL === '0') return false;
  const { status } = spawnSync('rustup', ['target', 'add', triple], { stdio: 'ignore' });
  return status === 0 && hasStandardLibrary(triple);
}

function hasStandardLibrary(triple) {
  const { status, stdout } = spawnSync('rustc', ['--print', 'target-libdir', '--target', triple], {
    encoding: 'utf8',
  });
  return status === 0 && existsSync(stdout.trim());
}

/** Debian's newest Rust (for building browsers) and the sources of its standard library. They are unpacked, not installed. */
function debianRust() {
  const isDebian = ['apt-get', 'dpkg'].every(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
  );
  if (!isDebian)
    throw new SetupError(
      'Rust has no standard library for this target here: install rustup (https://rustup.rs) and run this again.',
    );
  const depends = debianDependencies() ?? (run('apt-get', ['update', '-qq']), debianDependencies());
  if (depends === undefined)
    throw new SetupError(
      'rustup could not add this target, and Debian offers no package rustc-web to build it with.',
    );
  return fetchOnce('rust', depends.join(' '), (into) => {
    for (const archive of downloadPackages(['rustc-web', 'rust-web-src', ...depends], into))
      run('dpkg', ['-x', archive, into]);
  });
}

/** The packages that rustc-web needs; undefined if apt has no rustc-web. */
function debianDependencies() {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (kind) => `--no-${kind}`,
  );
  const { stdout } = spawnSync('apt-cache', ['depends', '--recurse', ...only, 'rustc-web'], {
    encoding: 'utf8',
  });
  const names = stdout.match(/^(libllvm|libstd-rust)\S*$/gm);
  return names === null ? undefined : [...new Set(names)];
}

/** Downloads Debian packages; returns the paths of the files. */
export function downloadPackages(names, folder, options = []) {
  const archives = join(folder, 'archives');
  mkdirSync(archives, { recursive: true });
  execFileSync('apt-get', [...options, 'download', '-qq', ...names], {
    cwd: archives,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return readdirSync(archives).map((name) => join(archives, name));
}

/** A folder of TOOLS that `fetch` fills, once for each `version`. */
export function fetchOnce(name, version, fetch) {
  const folder = join(TOOLS, name);
  const stamp = join(folder, '.version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return folder;
  console.error(`prebuild: fetching ${name} (${version}) into ${folder}`);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  fetch(partial);
  rmSync(join(partial, 'archives'), { recursive: true, force: true });
  writeFileSync(join(partial, '.version'), version);
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
  return folder;
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 'inherit'] });
  if (status !== 0)
    throw new SetupError(
      `${program} ${args.slice(0, 3).join(' ')} … failed${error ? `: ${error.message}` : '; see above'}.`,
    );
}
