// npm run prebuild: the addon as users get it, prebuilds/<platform>-<arch>/snowmesh[.libc].node.
// prebuildify knows the layout that node-gyp-build looks for; cargo does the building in place of node-gyp.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findCargo, isUpToDate, nativeSources, root, run, runMain, SetupError, setup } from './setup.mjs';

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
  return run(process.execPath, [
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
});

function isMade(folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
  return files.length > 0 && files.every((name) => isUpToDate(join(folder, name), ['native'], nativeSources));
}
