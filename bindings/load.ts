/**
 * Finds and loads the addon for this platform. In this order:
 *
 * 1. the file that `SNOWMESH_NATIVE_PATH` names;
 * 2. `build/Release/` (a local build), then `prebuilds/` of the package, found by node-gyp-build;
 * 3. if this file is part of a bundle: the package that is installed above the bundle, otherwise beside the bundle.
 *
 * Every failure is one error that says what was looked for, what was found and what to do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What every build of the addon exports, whatever its version. */
export interface AddonExports {
  abi(): number;
}

/** The addon could not be used: none was found, loading it is not allowed, or it is of another version. */
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
 * @param root the folder that holds `build/` and `prebuilds/`; default: the order above.
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

/** An environment variable; undefined if Deno does not allow reading it. */
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
    // node-gyp-build considers musl on Alpine only.
    const isMusl = platform.startsWith('linux') && libcs()[0] === 'musl';
    const file = join(root, 'prebuilds', platform, 'snowmesh.musl.node');
    if (isMusl && variable('LIBC') === undefined && existsSync(file)) {
      try {
        return { addon: requireFrom(root)(file) as AddonExports, place: file };
      } catch {
        // The first failure is reported; its message lists this file, too.
      }
    }
    const text =
      `no native addon could be loaded for ${platform}${isMusl ? ' with musl' : ''} (Node.js ${process.version}). ` +
      `build/Release: ${listing(join(root, 'build', 'Release'))}; prebuilds: ${listing(join(root, 'prebuilds'))}. ` +
      'Run `npm run build:native` in the folder of snowmesh (needs Rust), or reinstall snowmesh on a supported platform.';
    throw failure(root, text, cause);
  }
}

/** A bundle outside of node_modules has no node-gyp-build: tries the paths that it would find. */
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

/** The C libraries of Linux, that of this process first. The variable LIBC overrides, as it does for node-gyp-build. */
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

/** Not imported from `node:module`, because webpack replaces the functions that `createRequire` returns. */
const requireFrom = (folder: string): NodeJS.Require =>
  process.getBuiltinModule('node:module').createRequire(join(folder, 'package.json'));

/**
 * The folder of this file, or of the bundle that contains it. `import.meta` is a syntax error or empty where a bundler or jest
 * has converted this module to CommonJS; the stack trace of V8 has the file in every case.
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
    // The intrinsics are frozen: the folder of the main program is used.
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

/** If the runtime's permissions forbid loading: what is forbidden, and the option that allows it. */
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
