// A cluster whose nodes are replaced one by one: the packed previous version by this one, and back. Versions that speak the same wire
// version must be able to stand beside each other for as long as an upgrade takes.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { previousVersion } from '../../scripts/previous-version.mjs';
import { type Child, killChildren, startChild } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';

const COOKIE = 'of-a-cluster-of-two-versions';
const PROGRAM = 'upgrade-node.mjs';
const BUILD_MS = 900_000;

let current: Installed;
const folders: Record<string, string> = {};
beforeAll(() => {
  current = packAndInstall();
  const previous = previousVersion() as string | undefined;
  if (previous !== undefined) folders['previous'] = previous;
  folders['current'] = current.folder;
  for (const folder of Object.values(folders))
    cpSync(new URL(PROGRAM, import.meta.url), join(folder, PROGRAM));
}, BUILD_MS);
afterEach(killChildren);
afterAll(() => current?.remove());

interface Member {
  readonly child: Child;
  readonly name: string;
  /** Sends a command and gives the line that answers it. */
  ask(command: string, answer: string | RegExp): Promise<string>;
}

async function start(version: string, name: string, ...peers: string[]): Promise<Member> {
  const folder = String(folders[version]);
  const child = startChild(join(folder, PROGRAM), {
    cwd: folder,
    args: [name, COOKIE, ...peers],
    env: { PREBUILDS_ONLY: '1' },
  });
  const [, full = ''] = (await child.line(/^up /)).split(' ');
  return {
    child,
    name: full,
    ask(command, answer) {
      child.write(`${command}\n`);
      return child.line(answer);
    },
  };
}

describe.each([
  ['previous', 'current'],
  ['current', 'previous'],
])('a cluster of the %s version, replaced by the %s', (before, after) => {
  it('keeps calls, names, groups and monitors at each step', async (context) => {
    if (folders['previous'] === undefined)
      context.skip('the previous version cannot be built from this clone');
    const a = await start(before, 'a@127.0.0.1:0');
    const b = await start(before, 'b@127.0.0.1:0', a.name);
    expect(await a.ask('claim leader', /^claimed/)).toBe('claimed true');

    // The first is stopped in order and comes back as the other version, under its old name.
    await a.ask(`watch ${b.name}`, `watching ${b.name}`);
    b.child.write('stop\n');
    expect((await b.child.exit()).code).toBe(0);
    expect(await a.child.line(/^lost b@/)).toBe(`lost ${b.name} noconnection`);
    const newB = await start(after, b.name, a.name);
    expect(newB.name).toBe(b.name);

    // Both stand beside each other.
    expect(await a.ask(`check ${newB.name}`, /^(checked|failed)/)).toBe('checked 2');
    expect(await newB.ask(`check ${a.name}`, /^(checked|failed)/)).toBe('checked 2');
    expect(await newB.ask('find leader', /^found/)).toBe(`found ${a.name}`);
    expect(await newB.ask('claim leader', /^claimed/)).toBe('claimed false');
    expect(await newB.ask('broadcast from-b', /^sent/)).toBe('sent to 2');
    await a.child.line('got from-b');
    await a.ask('broadcast from-a', 'sent to 2');
    await newB.child.line('got from-a');

    // The second crashes; what it had is free, and it comes back as the other version, too.
    await newB.ask(`watch ${a.name}`, `watching ${a.name}`);
    a.child.kill('SIGKILL');
    expect(await newB.child.line(/^lost a@/)).toBe(`lost ${a.name} noconnection`);
    const newA = await start(after, a.name, newB.name);
    expect(await newA.ask('claim leader', /^claimed/)).toBe('claimed true');
    expect(await newA.ask(`check ${newB.name}`, /^(checked|failed)/)).toBe('checked 4');
  });
});
