// What prebuildify runs in place of node-gyp (scripts/prebuild.mjs): builds the addon with cargo as SNOWMESH_TOOLCHAIN says, and
// leaves only the module in build/Release of the folder it was started in.
import { join } from 'node:path';
import { buildAddon, install, libraryName } from './build-native.mjs';

try {
  const folder = buildAddon(JSON.parse(process.env.SNOWMESH_TOOLCHAIN));
  const library = join(folder, libraryName(process.env.PREBUILD_PLATFORM));
  install(library, join(process.cwd(), 'build', 'Release', 'snowmesh.node'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
