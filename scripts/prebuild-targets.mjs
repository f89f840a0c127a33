// The systems for which the addon is prebuilt: where node-gyp-build looks for it, and the name of Rust's target.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * `name` is the NAME of `npm run prebuild -- NAME`; `path` is relative to the package. On Windows an addon does not need the C runtime
 * of Node.js, since Node-API is plain C; the gnullvm target links without Microsoft's tools.
 *
 * @typedef {{ name: string, platform: string, arch: string, libc: 'glibc' | 'musl' | undefined, triple: string, path: string }} Target
 * @type {Target[]}
 */
export const targets = [
  ['linux', 'x64', 'glibc', 'x86_64-unknown-linux-gnu'],
  ['linux', 'arm64', 'glibc', 'aarch64-unknown-linux-gnu'],
  ['linux', 'x64', 'musl', 'x86_64-unknown-linux-musl'],
  ['linux', 'arm64', 'musl', 'aarch64-unknown-linux-musl'],
  ['darwin', 'x64', undefined, 'x86_64-apple-darwin'],
  ['darwin', 'arm64', undefined, 'aarch64-apple-darwin'],
  ['win32', 'x64', undefined, 'x86_64-pc-windows-gnullvm'],
  ['win32', 'arm64', undefined, 'aarch64-pc-windows-gnullvm'],
].map(([platform, arch, libc, triple]) => {
  const name = [platform, arch, libc].filter(Boolean).join('-');
  const file = ['snowmesh', libc, 'node'].filter(Boolean).join('.');
  return { name, platform, arch, libc, triple, path: `prebuilds/${platform}-${arch}/${file}` };
});

/** The target that this Node.js runs on; undefined where none is built for it. */
export function hostTarget() {
  const libc = process.platform === 'linux' ? hostLibc() : undefined;
  return targets.find(
    ({ platform, arch, libc: wanted }) =>
      platform === process.platform && arch === process.arch && wanted === libc,
  );
}

/** The addons of a complete package that have not been built. */
export function missingPrebuilds() {
  return targets.map(({ path }) => path).filter((path) => !existsSync(join(root, path)));
}

function hostLibc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}
