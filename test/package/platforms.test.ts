// Each prebuilt addon that is there: it needs nothing that its users lack, and where its system can be run or imitated here
// (scripts/prebuild-runners.mjs), two nodes pass a message with it. `npm run prebuild -- --all` builds the others.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { inspectPrebuild } from '../../scripts/prebuild-inspect.mjs';
// @ts-expect-error A script of this repository, without types.
import { runnerFor } from '../../scripts/prebuild-runners.mjs';
// @ts-expect-error A script of this repository, without types.
import * as prebuilds from '../../scripts/prebuild-targets.mjs';
// @ts-expect-error A script of this repository, without types.
import { isUpToDate, nativeSources } from '../../scripts/setup.mjs';
import { root } from '../support/child.ts';

interface Target {
  readonly name: string;
  readonly libc: string | undefined;
  readonly path: string;
}
const targets = prebuilds.targets as Target[];
const host = prebuilds.hostTarget() as Target | undefined;

const PROGRAM = join(root, 'test/package/two-nodes.mjs');
const RUN_MS = 120_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-platforms-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program of two nodes; Wine gives Node.js no pipe that it can write to, hence a file. */
function passMessage(command: readonly string[], env: Record<string, string>): string {
  const output = join(folder, 'output');
  const file = openSync(output, 'w');
  const [program, ...args] = [...command, PROGRAM];
  spawnSync(String(program), args, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', PREBUILDS_ONLY: '1', ...env },
    stdio: ['ignore', file, file],
    timeout: RUN_MS,
  });
  closeSync(file);
  return readFileSync(output, 'utf8').replaceAll('\r\n', '\n');
}

describe.each(targets)('the addon for $name', (target) => {
  it('needs no more than every system of its kind has', (context) => {
    if (!existsSync(join(root, target.path))) context.skip(`${target.path} is not built here`);
    const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
    if (target.name === host?.name && !hasPip)
      context.skip('without pip it is linked to the C library of this machine');
    expect(inspectPrebuild(target).faults).toEqual([]);
  });

  it('passes a message between two nodes', { timeout: RUN_MS + 10_000 }, (context) => {
    if (!isUpToDate(join(root, target.path), ['native'], nativeSources))
      context.skip(`${target.path} is not built here, or older than its sources`);
    const { command, env, missing } = runnerFor(target);
    if (missing !== undefined) context.skip(missing);
    expect(passMessage(command, env)).toBe('received: a message\n');
  });
});

describe('the inspection of an addon', () => {
  const change = (search: string, replacement: string): readonly string[] => {
    if (host === undefined) throw new Error('no target');
    const file = join(folder, 'changed.node');
    const text = readFileSync(join(root, host.path), 'latin1');
    expect(text).toContain(search);
    writeFileSync(file, text.replaceAll(search, replacement), 'latin1');
    return inspectPrebuild(host, file).faults;
  };

  it('tells of a file that is too large, or names a folder of the machine that built it', () => {
    if (host === undefined) throw new Error('no target');
    const file = join(folder, 'longer.node');
    const addon = readFileSync(join(root, host.path));
    const faultsWith = (more: string | Buffer): string => {
      writeFileSync(file, Buffer.concat([addon, Buffer.from(more)]));
      return inspectPrebuild(host, file).faults.join();
    };
    expect(faultsWith(Buffer.alloc(2_500_000))).toContain('it is larger than 2.5 MB');
    expect(faultsWith(`panicked at ${root}native/core/src/lib.rs`)).toContain('names folders of the machine');
    expect(faultsWith(`panicked at ${homedir()}/.cargo/registry`)).toContain(`built on: ${homedir()}`);
    expect(faultsWith('')).not.toMatch(/larger|folders/);
  });

  it.runIf(host?.libc === 'glibc')('tells of a C library, a library and a folder that users lack', () => {
    expect(change('\0GLIBC_2.28\0', '\0GLIBC_2.39\0').join()).toContain('it needs glibc 2.39');
    expect(change('\0libc.so.6\0', '\0libz.so.6\0').join()).toContain('it needs libz.so.6');
    expect(change('napi_register_module_v1', 'napi_register_module_v0').join()).toContain(
      'not a Node-API module',
    );
  });
});
