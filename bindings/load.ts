/**
 * Finds and loads the one binary that fits: `build/Release/*.node` (a local build), then `prebuilds/`.
 * Whatever goes wrong ends in one error that says what was looked for, what was found and what to run.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What every build of the addon answers, whatever its version. */
export interface AddonExports {
  abi(): number;
}

/** The addon could not be used; `code` tells whether none was found or a wrong one. */
export class NativeLoadError extends Error {
  readonly code: 'SNOW_ERR_NATIVE_MISSING' | 'SNOW_ERR_NATIVE_ABI';

  constructor(code: NativeLoadError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NativeLoadError';
    this.code = code;
  }
}

/** The folder of package.json: the first one upwards, so that it holds for `bindings/` and for `dist/bindings/`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/**
 * Loads the addon and compares its ABI stamp.
 *
 * @param abi the stamp the caller was written against.
 * @param root the folder that holds `build/` and `prebuilds/`; default: the package's own.
 * @throws NativeLoadError
 */
export function loadAddon(abi: number, root: string = packageRoot()): AddonExports {
  const require = createRequire(import.meta.url);
  let addon: AddonExports;
  try {
    const find = require('node-gyp-build') as (folder: string) => AddonExports;
    addon = find(root);
  } catch (cause) {
    throw new NativeLoadError('SNOW_ERR_NATIVE_MISSING', missingText(root, cause), cause);
  }
  const found = typeof addon.abi === 'function' ? addon.abi() : undefined;
  if (found !== abi) {
    throw new NativeLoadError(
      'SNOW_ERR_NATIVE_ABI',
      `snowmesh: the native addon in ${root} has ABI stamp ${found ?? 'none'}, this version needs ${abi}. ` +
        'Run `npm run build:native`, or reinstall snowmesh if you did not build it yourself.',
    );
  }
  return addon;
}

function missingText(root: string, cause: unknown): string {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return (
    `snowmesh: no native addon could be loaded for ${process.platform}-${process.arch} (Node.js ${process.version}). ` +
    `build/Release: ${listing(join(root, 'build', 'Release'))}; prebuilds: ${listing(join(root, 'prebuilds'))}. ` +
    `Run \`npm run build:native\` (needs Rust), or reinstall snowmesh on a supported platform. Reason: ${why}`
  );
}

/** The addons below a folder, two levels deep, or "none". */
function listing(folder: string): string {
  const names: string[] = [];
  for (const entry of entries(folder)) {
    if (entry.endsWith('.node')) names.push(entry);
    else
      for (const inner of entries(join(folder, entry)))
        if (inner.endsWith('.node')) names.push(`${entry}/${inner}`);
  }
  return names.length === 0 ? 'none' : names.join(', ');
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
