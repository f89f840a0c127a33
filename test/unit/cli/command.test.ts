import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const { signal } = new AbortController();
  const code = await runCommand(args, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    signal,
  });
  return { code, ...said };
}

it.each(['--version', '-v'])('%s says which snowmesh this is', async (option) => {
  expect(await run(option)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

it.each(['help', '--help', '-h'])('%s names every command', async (option) => {
  const { code, out, err } = await run(option);
  expect([code, err]).toEqual([0, '']);
  for (const command of ['portmap', 'help', '--version']) expect(out).toContain(command);
});
