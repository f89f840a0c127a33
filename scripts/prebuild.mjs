// npm run prebuild [-- NAME… | --all] [--if-needed] [--local]: builds the addon that users get,
// prebuilds/<platform>-<arch>/snowmesh[.libc].node, for this machine, for the named targets (linux-arm64-musl, darwin-x64, …) or for all
// eight. prebuildify makes the layout that node-gyp-build expects, with cargo instead of node-gyp. Prints the size and the oldest
// system of each; fails if one is missing, too large, or needs a newer system than promised. With --local (for tests) the addon may
// need this machine's C library if zig is not available, and it replaces build/Release/snowmesh.node if that is outdated.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './build-native.mjs';
import { inspectPrebuild } from './prebuild-inspect.mjs';
import { hostTarget, targets } from './prebuild-targets.mjs';
import { hostToolchain, toolchainFor } from './prebuild-toolchain.mjs';
import { findCargo, isUpToDate, nativeSources, root, run, runMain, SetupError, setup } from './setup.mjs';

const NO_CARGO =
  'A prebuild is made by cargo, and no `cargo` was found: install Rust from https://rustup.rs.';

await runMain(() => {
  setup({ native: false, compile: false });
  const chosen = chosenTargets(process.argv.slice(2));
  const isIfNeeded = process.argv.includes('--if-needed');
  const isLocal = process.argv.includes('--local');
  const wanted = chosen.filter(
    ({ path }) => !isIfNeeded || !isUpToDate(join(root, path), ['native'], nativeSources),
  );
  if (wanted.length > 0 && !findCargo()) throw new SetupError(NO_CARGO);
  const problems = wanted.flatMap((target) => build(target, isLocal));
  if (isLocal && problems.length === 0) installForTests(chosen[0]);
  if (wanted.length === 0) return 0;
  for (const target of chosen.filter(({ path }) => existsSync(join(root, path)))) {
    const { megabytes, needs, faults } = inspectPrebuild(target);
    console.error(`${target.path.padEnd(46)} ${megabytes.toFixed(2)} MB  needs ${needs}`);
    if (!isLocal) problems.push(...faults.map((fault) => `${target.path}: ${fault}`));
  }
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
});

function chosenTargets(args) {
  if (args.includes('--all')) return targets;
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.filter((name) => targets.every((target) => target.name !== name));
  if (unknown.length > 0)
    throw new SetupError(
      `There is no target ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}.`,
    );
  if (names.length > 0) return targets.filter(({ name }) => names.includes(name));
  const host = hostTarget();
  if (host === undefined)
    throw new SetupError(
      `There is no prebuild for ${process.platform}-${process.arch}: npm run build:native.`,
    );
  return [host];
}

/** Builds one addon; returns what went wrong, as sentences. */
function build(target, isLocal) {
  rmSync(join(root, target.path), { force: true });
  const started = performance.now();
  let toolchain;
  try {
    toolchain = toolchainFor(target);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (!isLocal) return [`${target.path} was not built: ${error.message}`];
    console.error(`prebuild: for this machine only: ${error.message}`);
    toolchain = hostToolchain;
  }
  console.error(`prebuild: ${target.name}, standard library ${toolchain.standardLibrary}`);
  // prebuildify moves the file from build/Release of its working folder. It gets a folder of its own, so that build/Release of the
  // root, which the loader prefers, is not moved.
  const workFolder = join(root, 'build/prebuild');
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  const wrapper = `node "${join(root, 'scripts/prebuild-cargo.mjs')}"`;
  // --shell, because the "node-gyp" given here is a command line, not an executable file.
  const shell = process.platform === 'win32' ? [] : ['--shell', 'sh'];
  const names = [
    '--napi',
    '--name',
    'snowmesh',
    ...(target.libc === undefined ? [] : ['--tag-libc', target.libc]),
  ];
  const system = ['--platform', target.platform, '--arch', target.arch];
  const folders = ['--cwd', workFolder, '--out', root];
  const prebuildify = join(root, 'node_modules/prebuildify/bin.js');
  const status = run(
    process.execPath,
    [prebuildify, ...folders, ...names, ...system, ...shell, '--node-gyp', wrapper],
    { env: { ...process.env, SNOWMESH_TOOLCHAIN: JSON.stringify(toolchain) } },
  );
  if (status !== 0) return [`${target.path} was not built: see cargo above.`];
  console.error(`prebuild: ${target.name} took ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return [];
}

/** The tests load the same file that users get. */
function installForTests({ path }) {
  const local = join(root, 'build/Release/snowmesh.node');
  if (!isUpToDate(local, ['native'], nativeSources)) install(join(root, path), local);
}
