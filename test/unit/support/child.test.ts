import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';
import { turns, until, within } from '../../support/deadline.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snowmesh-child-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(killChildren);

function script(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('the process launcher', () => {
  it('gives lines, output and the exit of a process', async () => {
    const child = startChild(
      script('talk.mjs', 'console.log("one"); console.error("oops"); process.exitCode = 3;'),
    );
    expect(await child.line('one')).toBe('one');
    expect(await child.exit()).toEqual({ code: 3, signal: null });
    expect(child.stderr()).toContain('oops');
  });

  it('says what the process printed when the line never came', async () => {
    const child = startChild(script('mute.mjs', 'console.error("because of this");'));
    await expect(child.line('ready')).rejects.toThrow(/without the line ready[\s\S]*because of this/);
  });

  it('leaves no process behind', async () => {
    const child = startChild(script('stay.mjs', 'console.log("up"); setInterval(() => {}, 1000);'));
    await child.line('up');
    await killChildren();
    expect((await child.exit()).signal).toBe('SIGKILL');
  });
});

describe('deadlines', () => {
  it('name what did not happen', async () => {
    await expect(within('the impossible', new Promise(() => {}), 5)).rejects.toThrow(
      'within 5 ms: the impossible',
    );
    await expect(until('the impossible', () => false, 5)).rejects.toThrow('within 5 ms: the impossible');
    await turns();
  });
});
