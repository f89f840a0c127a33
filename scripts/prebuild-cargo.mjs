// What prebuildify runs in place of node-gyp (scripts/prebuild.mjs): builds the addon with cargo for the target that
// the PREBUILD_ variables name and leaves only the module in build/Release of the folder it was started in.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAddon, install, libraryName } from './build-native.mjs';
import { targets } from './prebuild-targets.mjs';

const platform = process.env.PREBUILD_PLATFORM ?? process.platform;
const arch = process.env.PREBUILD_ARCH ?? process.arch;
const libc = platform === 'linux' ? (process.env.PREBUILD_LIBC ?? 'glibc') : undefined;
const wanted = targets.find(
  (target) => target.platform === platform && target.arch === arch && target.libc === libc,
)?.triple;

try {
  if (wanted === undefined) throw new Error(`There is no prebuild for ${platform}-${arch} ${libc ?? ''}.`);
  const host = /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1];
  // The host's own triple is not named, so that this build and the developer's share their artefacts.
  const triple = wanted === host ? undefined : wanted;
  // A module that Node.js loads must link the musl library dynamically.
  const env = libc === 'musl' ? { RUSTFLAGS: '-C target-feature=-crt-static' } : {};
  const folder = buildAddon({ triple, env });
  install(join(folder, libraryName(platform)), join(process.cwd(), 'build', 'Release', 'snowmesh.node'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
