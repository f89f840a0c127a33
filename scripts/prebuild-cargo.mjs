// What prebuildify runs in place of node-gyp (scripts/prebuild.mjs): builds the addon with cargo for the target that
// the PREBUILD_ variables name and leaves only the module in build/Release of the folder it was started in.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAddon, install, libraryName } from './build-native.mjs';

const triples = {
  'darwin-arm64': 'aarch64-apple-darwin',
  'darwin-x64': 'x86_64-apple-darwin',
  'linux-arm64-glibc': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'linux-x64-glibc': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'win32-arm64': 'aarch64-pc-windows-msvc',
  'win32-x64': 'x86_64-pc-windows-msvc',
};

const platform = process.env.PREBUILD_PLATFORM ?? process.platform;
const arch = process.env.PREBUILD_ARCH ?? process.arch;
const libc = platform === 'linux' ? `-${process.env.PREBUILD_LIBC ?? 'glibc'}` : '';
const wanted = triples[`${platform}-${arch}${libc}`];

try {
  if (wanted === undefined) throw new Error(`There is no prebuild for ${platform}-${arch}${libc}.`);
  const host = /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1];
  // The host's own triple is not named, so that this build and the developer's share their artefacts.
  const triple = wanted === host ? undefined : wanted;
  // A module that Node.js loads must link the musl library dynamically.
  const env = libc === '-musl' ? { RUSTFLAGS: '-C target-feature=-crt-static' } : {};
  const folder = buildAddon({ triple, env });
  install(join(folder, libraryName(platform)), join(process.cwd(), 'build', 'Release', 'snowmesh.node'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
