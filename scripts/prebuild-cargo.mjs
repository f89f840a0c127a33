// prebuildify runs this instead of node-gyp (scripts/prebuild.mjs): it builds the addon with cargo as SNOWMESH_TOOLCHAIN says, and puts
// only the module into build/Release of the working folder.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAddon, install, libraryName } from './build-native.mjs';

try {
  const { strip, standardLibrary: _, ...toolchain } = JSON.parse(process.env.SNOWMESH_TOOLCHAIN);
  const library = join(buildAddon(toolchain), libraryName(process.env.PREBUILD_PLATFORM));
  const module = join(process.cwd(), 'build', 'Release', 'snowmesh.node');
  install(library, module);
  if (strip !== undefined) execFileSync(strip[0], [...strip.slice(1), module]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
