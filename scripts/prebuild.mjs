// npm run prebuild: the addon as users get it, prebuilds/<platform>-<arch>/snowmesh[.libc].node.
// prebuildify knows the layout that node-gyp-build looks for; cargo does the building in place of node-gyp.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findCargo, isUpToDate, nativeSources, root, run, runMain, SetupError, setup } from './setup.mjs';

const LARGEST_MB = 2.5;
const NO_CARGO =
  'A prebuild is made by cargo, and no `cargo` was found: install Rust from https://rustup.rs.';

await runMain(() => {
  setup({ native: false, compile: false });
  const made = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  if (process.argv.includes('--if-needed') && isMade(made)) return 0;
  if (!findCargo()) throw new SetupError(NO_CARGO);
  rmSync(made, { recursive: true, force: true });
  // prebuildify moves the file it finds in its working folder's build/Release. A folder of its own leaves the
  // developer's build/Release, which the loader prefers, where it is.
  const workFolder = join(root, 'build/prebuild');
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  const prebuildify = join(root, 'node_modules/prebuildify/bin.js');
  const wrapper = `node "${join(root, 'scripts/prebuild-cargo.mjs')}"`;
  // --shell: the "node-gyp" given here is a command line, not an executable file.
  const shell = process.platform === 'win32' ? [] : ['--shell', 'sh'];
  const names = ['--napi', '--tag-libc', '--name', 'snowmesh'];
  const status = run(process.execPath, [
    prebuildify,
    '--cwd',
    workFolder,
    '--out',
    root,
    ...names,
    ...shell,
    '--node-gyp',
    wrapper,
  ]);
  return status === 0 && isSmall(made) ? 0 : 1;
});

/** Prints the size of each addon; false when one is larger than users should have to download. */
function isSmall(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.node'));
  for (const name of files)
    console.error(
      `${join(folder, name)}: ${(statSync(join(folder, name)).size / 1e6).toFixed(2)} MB of ${LARGEST_MB}`,
    );
  return files.every((name) => statSync(join(folder, name)).size <= LARGEST_MB * 1e6);
}

function isMade(folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
  return files.length > 0 && files.every((name) => isUpToDate(join(folder, name), ['native'], nativeSources));
}
