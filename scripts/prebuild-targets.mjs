// The systems that get a prebuilt addon: where node-gyp-build looks for it, and Rust's name of the target.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const prebuilds = fileURLToPath(new URL('../prebuilds', import.meta.url));

/** @type {{ platform: string, arch: string, libc: string | undefined, triple: string }[]} */
export const targets = [
  ['linux', 'x64', 'glibc', 'x86_64-unknown-linux-gnu'],
  ['linux', 'arm64', 'glibc', 'aarch64-unknown-linux-gnu'],
  ['linux', 'x64', 'musl', 'x86_64-unknown-linux-musl'],
  ['linux', 'arm64', 'musl', 'aarch64-unknown-linux-musl'],
  ['darwin', 'x64', undefined, 'x86_64-apple-darwin'],
  ['darwin', 'arm64', undefined, 'aarch64-apple-darwin'],
  ['win32', 'x64', undefined, 'x86_64-pc-windows-msvc'],
  ['win32', 'arm64', undefined, 'aarch64-pc-windows-msvc'],
].map(([platform, arch, libc, triple]) => ({ platform, arch, libc, triple }));

/** The path of a target's addon below prebuilds/. */
export function prebuildPath({ platform, arch, libc }) {
  return join(`${platform}-${arch}`, libc === undefined ? 'snowmesh.node' : `snowmesh.${libc}.node`);
}

/** The addons that a published package must have and that are not there. */
export function missingPrebuilds() {
  return targets
    .map(prebuildPath)
    .filter((path) => !existsSync(join(prebuilds, path)))
    .map((path) => `prebuilds/${path}`);
}
