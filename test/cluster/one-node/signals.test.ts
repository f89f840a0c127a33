// What a process does that stops on signals, seen from outside.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, hasSignals, root, startChild } from '../../support/child.ts';

const stopper = new URL('./stopper.ts', import.meta.url);

async function ready(mode: string, ...more: string[]): Promise<Child> {
  const child = startChild(stopper, { args: [mode, ...more] });
  await child.line('ready');
  return child;
}

describe.skipIf(!hasSignals)('stopOnSignals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s stops the node in order and ends the process with 0',
    async (signal) => {
      const child = await ready('orderly', 'named');
      child.kill(signal);
      expect(await child.exit()).toEqual({ code: 0, signal: null });
      expect(child.stdout()).toMatch(
        /warn a signal: the process ends in order[^]*before\nterminating\nterminated\n/,
      );
      expect(child.stderr()).toBe('');
    },
  );

  it('goes on when what was to run before fails, or hangs', async () => {
    const fails = await ready('before fails');
    fails.kill('SIGTERM');
    expect((await fails.exit()).code).toBe(0);
    expect(fails.stdout()).toMatch(/error `before` of stopOnSignals failed; the stop goes on[^]*terminated/);
    const hangs = await ready('before hangs');
    hangs.kill('SIGTERM');
    expect((await hangs.exit()).code).toBe(0);
  });

  it('a timeout that no timer can have is none', async () => {
    const child = await ready('before takes a while');
    child.kill('SIGTERM');
    expect((await child.exit()).code).toBe(0);
    expect(child.stdout()).toMatch(/before\n.*over\nterminating\nterminated\n$/s);
  });

  it('ends after the timeout although a server does not', async () => {
    const child = await ready('slow');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toContain('terminating');
    expect(child.stdout()).not.toContain('terminated');
  });

  it('ends the process when the grace is over, too', async () => {
    const child = await ready('stop hangs');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: 143, signal: null });
    // On a busy machine the native thread may be first, a second later.
    expect(child.stdout() + child.stderr()).toMatch(
      /did not end in order in time, and ends now|the process ends now/,
    );
  });

  it('ends with the exit code that the process has set', async () => {
    const child = await ready('exit code');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: 7, signal: null });
    expect(child.stdout()).toContain('terminated');
  });

  it('a signal that comes while the node leaves its cluster does not cut that short', async () => {
    const child = await ready('leaving', 'named');
    child.kill('SIGTERM');
    await child.line('warn a signal: the process ends in order');
    child.write('go on\n');
    expect(await child.exit()).toEqual({ code: 0, signal: null });
  });

  it('stops several nodes of a process', async () => {
    const child = await ready('two nodes');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toMatch(/^before$/m);
    expect(child.stdout()).toMatch(/^before the other$/m);
    expect(child.stdout().match(/^terminated$/gm)).toHaveLength(2);
  });

  it('a second signal ends the process at once', async () => {
    const child = await ready('patient');
    child.kill('SIGTERM');
    await child.line('before');
    child.kill('SIGINT');
    expect(await child.exit()).toEqual({ code: 130, signal: null });
    expect(child.stdout()).toContain('warn a second signal: the process ends at once');
  });

  it.each(['busy', 'stuck in terminate'])(
    'a native thread ends the process when JavaScript is %s',
    async (mode) => {
      const child = await ready(mode);
      child.kill('SIGTERM');
      expect(await child.exit()).toEqual({ code: 143, signal: null });
      expect(child.stderr()).toMatch(
        /^snowmesh: SIGTERM was received \d+\.\d s ago and the event loop is blocked: the process ends now, without an orderly stop \(exit code 143\)\n$/,
      );
    },
  );

  it('a second signal ends a process whose JavaScript is busy, long before the timeout', async () => {
    const child = await ready('busy and patient');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    // Which of two signals that wait comes first is not said.
    expect([130, 143]).toContain((await child.exit()).code);
  });

  it.each(['taken back', 'stopped'])('leaves a signal to others once it is %s', async (mode) => {
    const child = await ready(mode, 'named');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

describe.skipIf(!hasSignals)('two copies of the addon in one process', () => {
  let folder: string;
  let copies: string[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snowmesh-'));
    copies = ['first.node', 'second.node'].map((name) => join(folder, name));
    for (const copy of copies) copyFileSync(join(root, 'build/Release/snowmesh.node'), copy);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function signalled(mode: string) {
    const child = startChild(new URL('./watchdogs.ts', import.meta.url), { args: [mode, ...copies] });
    await child.line('ready');
    child.kill('SIGTERM');
    const exit = await child.exit();
    return { exit, received: child.stdout().match(/received/g)?.length ?? 0, said: child.stderr() };
  }

  it.each(['idle', 'disarmed', 'blocked for a while'])(
    'JavaScript gets a signal once, whatever was installed over what: %s',
    async (mode) => {
      expect(await signalled(mode)).toEqual({ exit: { code: 0, signal: null }, received: 1, said: '' });
    },
  );

  it.each(['blocked for good', 'installed anew'])(
    'a native thread ends a blocked process: %s',
    async (mode) => {
      const { exit, said } = await signalled(mode);
      expect(exit).toEqual({ code: 143, signal: null });
      expect(said).toContain('SIGTERM was received');
    },
  );
});
