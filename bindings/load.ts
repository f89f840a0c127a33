/**
 * Finds and loads the one binary that fits. In this order:
 *
 * 1. the file that `SNOWMESH_NATIVE_PATH` names;
 * 2. `build/Release/` (a local build), then `prebuilds/` of the package, found by node-gyp-build;
 * 3. where this file has become part of a bundle: of the package that is installed above the bundle, else beside the bundle.
 *
 * Whatever goes wrong ends in one error that says what was looked for, what was found and what to do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What every build of the addon answers, whatever its version. */
export interface AddonExports {
  abi(): number;
}

/** The addon could not be used; `code` tells whether none was found, it may not be loaded, or a wrong one was. */
export class NativeLoadError extends Error {
  readonly code: 'SNOW_ERR_NATIVE_MISSING' | 'SNOW_ERR_NATIVE_DENIED' | 'SNOW_ERR_NATIVE_ABI';

  constructor(code: NativeLoadError['code'], message: string, cause?: unknown) {
    super(`snowmesh: ${message}`, cause === undefined ? undefined : { cause });
    this.name = 'NativeLoadError';
    this.code = code;
  }
}

/**
 * Loads the addon and compares its ABI stamp.
 *
 * @param abi the stamp the caller was written against.
 * @param root the folder that holds `build/` and `prebuilds/`; default: as above.
 * @throws NativeLoadError
 */
export function loadAddon(abi: number, root?: string): AddonExports {
  const { addon, place } = root === undefined ? find() : fromPackage(root);
  const found = typeof addon.abi === 'function' ? addon.abi() : undefined;
  if (found !== abi) {
    throw new NativeLoadError(
      'SNOW_ERR_NATIVE_ABI',
      `the native addon in ${place} has ABI stamp ${found ?? 'none'}, this version needs ${abi}. ` +
        'Run `npm run build:native`, or reinstall snowmesh if you did not build it yourself.',
    );
  }
  return addon;
}

interface Found {
  readonly addon: AddonExports;
  readonly place: string;
}

function find(): Found {
  const named = variable('SNOWMESH_NATIVE_PATH');
  if (named !== undefined && named !== '') return fromFile(named);
  const own = ownFolder();
  const root = packageAbove(own) ?? packageInstalledFor(own);
  return root === undefined ? fromBundle(own) : fromPackage(root);
}

/** A variable of the environment; Deno may not be allowed to read it. */
function variable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}

function fromFile(file: string): Found {
  try {
    return { addon: requireFrom(dirname(file))(file) as AddonExports, place: file };
  } catch (cause) {
    throw failure(file, `SNOWMESH_NATIVE_PATH is ${file}, which could not be loaded.`, cause);
  }
}

function fromPackage(root: string): Found {
  try {
    const own = packageAbove(ownFolder()) ?? root;
    const load = requireFrom(own)('node-gyp-build') as (folder: string) => AddonExports;
    return { addon: load(root), place: root };
  } catch (cause) {
    // node-gyp-build takes musl for the C library on Alpine only.
    const isMusl = platform.startsWith('linux') && libcs()[0] === 'musl';
    const file = join(root, 'prebuilds', platform, 'snowmesh.musl.node');
    if (isMusl && variable('LIBC') === undefined && existsSync(file)) {
      try {
        return { addon: requireFrom(root)(file) as AddonExports, place: file };
      } catch {
        // The first failure is the one to report: this is what its message lists, too.
      }
    }
    const text =
      `no native addon could be loaded for ${platform}${isMusl ? ' with musl' : ''} (Node.js ${process.version}). ` +
      `build/Release: ${listing(join(root, 'build', 'Release'))}; prebuilds: ${listing(join(root, 'prebuilds'))}. ` +
      'Run `npm run build:native` in the folder of snowmesh (needs Rust), or reinstall snowmesh on a supported platform.';
    throw failure(root, text, cause);
  }
}

/** node-gyp-build is no part of a bundle that was moved away from node_modules: the names it would find are tried here. */
function fromBundle(own: string): Found {
  const suffixes = platform.startsWith('linux') ? libcs().map((libc) => `.${libc}`) : [''];
  const names = [
    'snowmesh.node',
    ...suffixes.map((suffix) => join('prebuilds', platform, `snowmesh${suffix}.node`)),
    'build/Release/snowmesh.node',
  ];
  const files = [own, dirname(process.execPath)].flatMap((folder) => names.map((name) => join(folder, name)));
  const text =
    `it runs from a bundle in ${own}, and no native addon is there. Leave snowmesh out of the bundle (the setting ` +
    "`external`), or copy the package's folder prebuilds/ beside the bundle, or name the .node file in " +
    `SNOWMESH_NATIVE_PATH: see docs/guides/bundling.md. Looked at: ${files.join(', ')}.`;
  let reason: unknown;
  for (const file of files.filter((each) => existsSync(each))) {
    try {
      return { addon: requireFrom(own)(file) as AddonExports, place: file };
    } catch (cause) {
      reason ??= cause;
    }
  }
  throw failure(own, text, reason);
}

/** The C libraries of Linux, that of this process first; LIBC decides, as for node-gyp-build. */
function libcs(): readonly ('glibc' | 'musl')[] {
  const order = (isMusl: boolean) => (isMusl ? (['musl', 'glibc'] as const) : (['glibc', 'musl'] as const));
  const named = variable('LIBC');
  if (named !== undefined) return order(named === 'musl');
  if (existsSync('/etc/alpine-release')) return order(true);
  try {
    const { header } = process.report.getReport() as { header: Readonly<Record<string, unknown>> };
    return order(header['glibcVersionRuntime'] === undefined);
  } catch {
    return order(false);
  }
}

const platform = `${process.platform}-${process.arch}`;

/** Not imported from `node:module`: webpack would put functions of its own in place of what `createRequire` makes. */
const requireFrom = (folder: string): NodeJS.Require =>
  process.getBuiltinModule('node:module').createRequire(join(folder, 'package.json'));

/**
 * The folder of this file, or of the bundle it became part of. `import.meta` would be a syntax error or empty where a
 * bundler or jest has made CommonJS of this module; V8 knows the file in every case.
 */
function ownFolder(): string {
  const before: Readonly<Record<string, unknown>> = { ...Error };
  let file: unknown;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName();
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder);
    file = holder.stack;
    Object.assign(Error, { prepareStackTrace: undefined }, before);
  } catch {
    // Frozen intrinsics: the started program is the next best.
  }
  if (typeof file === 'string' && file.startsWith('file:')) file = fileURLToPath(file);
  if (typeof file === 'string' && isAbsolute(file)) return dirname(file);
  return process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1]);
}

/** The folder of our package.json above `folder`; undefined in a bundle. */
function packageAbove(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { name } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { name?: unknown };
      return name === 'snowmesh' ? at : undefined;
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}

/** The package that programs in `folder` would import. */
function packageInstalledFor(folder: string): string | undefined {
  try {
    return dirname(requireFrom(folder).resolve('snowmesh/package.json'));
  } catch {
    return undefined;
  }
}

function failure(place: string, text: string, cause?: unknown): NativeLoadError {
  const why = cause instanceof Error ? cause.message.split('\n')[0] : cause;
  const reason = why === undefined ? '' : ` Reason: ${why}`;
  const denial = denialOf(place, cause);
  if (denial !== undefined) return new NativeLoadError('SNOW_ERR_NATIVE_DENIED', `${denial}${reason}`, cause);
  return new NativeLoadError('SNOW_ERR_NATIVE_MISSING', `${text}${reason}`, cause);
}

/** What Node.js was told not to allow, and the option that allows it. */
function denialOf(place: string, cause: unknown): string | undefined {
  if ((cause as { code?: unknown } | undefined)?.code === 'ERR_DLOPEN_DISABLED')
    return 'Node.js was started so that it loads no addons: add --allow-addons, or remove --no-addons.';
  // Deno has a permission for native code, and one for each file and variable.
  const { name, message } = (cause ?? {}) as { name?: unknown; message?: unknown };
  if (name === 'NotCapable' || name === 'PermissionDenied' || String(message).includes('--allow-ffi')) {
    const [option = '--allow-ffi'] = /--allow-[a-z]+/.exec(String(message)) ?? [];
    return `Deno may not load it: add ${option}; the native core needs --allow-ffi, --allow-read and --allow-env.`;
  }
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } };
  if (permission !== undefined && !permission.has('fs.read', place))
    return `Node.js may not read ${place}: add --allow-fs-read=${place} and --allow-addons.`;
  return undefined;
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
