// The loader: one readable error whatever is wrong, and the addon's own word on whether it fits.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ABI, loadNative } from '../../bindings/index.ts';
import { loadAddon, NativeLoadError } from '../../bindings/load.ts';
import { root as project } from '../support/child.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'snowmesh-load-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function failure(abi = ABI): NativeLoadError {
  try {
    loadAddon(abi, root);
  } catch (error) {
    if (error instanceof NativeLoadError) return error;
    throw error;
  }
  throw new Error('it loaded');
}

describe('the loader', () => {
  it('gives the same object each time, and its ABI stamp fits', () => {
    expect(loadNative()).toBe(loadNative());
    expect(loadNative().abi()).toBe(ABI);
  });

  it('names platform, folders and remedy when there is no binary', () => {
    const error = failure();
    expect(error.code).toBe('SNOW_ERR_NATIVE_MISSING');
    expect(error.message).toContain(`${process.platform}-${process.arch}`);
    expect(error.message).toContain('build/Release: none; prebuilds: none');
    expect(error.message).toContain('npm run build:native');
  });

  it('names the prebuilds of other platforms that it found', () => {
    mkdirSync(join(root, 'prebuilds', 'beos-x64'), { recursive: true });
    writeFileSync(join(root, 'prebuilds', 'beos-x64', 'snowmesh.node'), '');
    expect(failure().message).toContain('prebuilds: beos-x64/snowmesh.node');
  });

  it.runIf(process.platform === 'linux')(
    'finds the binary for musl where node-gyp-build does not look',
    () => {
      const folder = join(root, 'prebuilds', `linux-${process.arch}`);
      const addon = join(folder, 'snowmesh.musl.node');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'snowmesh.glibc.node'), 'for another C library');
      writeFileSync(addon, 'damaged');
      expect(failure().message).toContain(`for linux-${process.arch} (Node.js`);
      const report = vi.spyOn(process.report, 'getReport').mockReturnValue({ header: {} });
      try {
        expect(failure().message).toContain(`for linux-${process.arch} with musl (Node.js`);
        // What this process can load, under the name for another C library.
        copyFileSync(join(project, 'build/Release/snowmesh.node'), addon);
        expect(loadAddon(ABI, root).abi()).toBe(ABI);
      } finally {
        report.mockRestore();
      }
    },
  );

  it('says what the system said about a damaged binary', () => {
    mkdirSync(join(root, 'build', 'Release'), { recursive: true });
    writeFileSync(join(root, 'build', 'Release', 'snowmesh.node'), 'this is no library');
    const error = failure();
    expect(error.code).toBe('SNOW_ERR_NATIVE_MISSING');
    expect(error.message).toContain('build/Release: snowmesh.node');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it.each([
    ['Requires ffi access to "/x/snowmesh.node", run again with the --allow-ffi flag', '--allow-ffi'],
    ['Requires read access to "/x", run again with the --allow-read flag', '--allow-read'],
  ])('tells what Deno does not allow from a missing binary: %s', (message, option) => {
    mkdirSync(join(root, 'build', 'Release'), { recursive: true });
    writeFileSync(join(root, 'build', 'Release', 'snowmesh.node'), '');
    // `require` looks its loaders up here.
    const { _extensions: loaders } = Module as unknown as { _extensions: Record<string, unknown> };
    const { '.node': load } = loaders;
    loaders['.node'] = () => {
      throw Object.assign(new Error(message), { name: 'NotCapable' });
    };
    try {
      const error = failure();
      expect(error.code).toBe('SNOW_ERR_NATIVE_DENIED');
      expect(error.message).toContain(`Deno may not load it: add ${option};`);
    } finally {
      loaders['.node'] = load;
    }
  });

  it('refuses a binary with another ABI stamp and names both', () => {
    mkdirSync(join(root, 'build', 'Release'), { recursive: true });
    const binary = join('build', 'Release', 'snowmesh.node');
    copyFileSync(join(project, binary), join(root, binary));
    const error = failure(ABI + 1);
    expect(error.code).toBe('SNOW_ERR_NATIVE_ABI');
    expect(error.message).toContain(`stamp ${ABI}, this version needs ${ABI + 1}`);
    expect(error.message).toContain('npm run build:native');
  });
});
