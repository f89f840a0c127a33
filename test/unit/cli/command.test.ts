import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Command, parse } from '../../../ts/cli/command.ts';
import { COMMANDS } from '../../../ts/cli/commands.ts';
import { runCommand } from '../../../ts/cli/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const NAMES = COMMANDS.map(({ name }) => name);
const optionsOf = (name: string): Command['options'] => COMMANDS.find((each) => each.name === name)!.options;

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const { signal } = new AbortController();
  const code = await runCommand(args, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    signal,
    env: {},
  });
  return { code, ...said };
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snowmesh-cli-'));
  folders.push(folder);
  return folder;
}

it.each(['--version', '-v'])('%s says which snowmesh this is', async (option) => {
  expect(await run(option)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

it.each(['help', '--help', '-h'])('%s names every command', async (option) => {
  const { code, out, err } = await run(option);
  expect([code, err]).toEqual([0, '']);
  for (const command of [...NAMES, 'help', '--version']) expect(out).toContain(`\n  ${command}`);
});

it.each([
  [['tpo'], 'snowmesh: there is no command tpo; did you mean top?\n'],
  [['colours'], 'snowmesh: there is no command colours\n'],
  [['top', '--nod', 'x'], "snowmesh top: Unknown option '--nod'; did you mean --node?\n"],
  [['top', '--cookiefile=x'], "snowmesh top: Unknown option '--cookiefile'; did you mean --cookie-file?\n"],
])('%j says what was probably meant', async (line, text) => {
  const { code, err } = await run(...line);
  expect(code).toBe(2);
  expect(err.startsWith(text), err).toBe(true);
});

describe.each(NAMES)('%s', (name) => {
  it.each([
    [name, '--help'],
    [name, '-h'],
    ['help', name],
  ])('%s %s lists its options', async (...line) => {
    const { code, out, err } = await run(...line);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: snowmesh ${name} `));
    for (const option of [...Object.keys(optionsOf(name)), 'help']) expect(out).toContain(`\n  --${option} `);
  });

  it('shows examples that are valid command lines', async () => {
    const command = COMMANDS.find((each) => each.name === name)!;
    expect(command.examples.length).toBeGreaterThan(0);
    const { out } = await run(name, '--help');
    for (const example of command.examples) {
      expect(out).toContain(`\n  ${example}\n`);
      const [, words = ''] = /\bsnowmesh ([^)]*)/.exec(example) ?? [];
      const [called, ...line] = words.split(' ');
      expect(called).toBe(name);
      expect(() => parse(command, line)).not.toThrow();
    }
  });

  it('names the default or the range of each option with a number', () => {
    for (const [option, { value, summary }] of Object.entries(optionsOf(name)))
      if (value === 'n' || value === 'ms') expect(summary, option).toMatch(/Default: /);
  });

  it('refuses an unknown option, and says where help is', async () => {
    const { code, out, err } = await run(name, '--colour');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--colour');
    expect(err).toContain(`snowmesh ${name} --help`);
  });
});

describe('options', () => {
  it.each([
    [
      ['ping', '--node', 'a@b:1', '--cookie-file', 'x', '--timeout', '1e9'],
      '--timeout 1e9: it must be a whole number',
    ],
    [['ping', 'a@b:1'], 'no cookie: give --cookie-file, or set SNOWMESH_COOKIE_FILE or SNOWMESH_COOKIE'],
    [['ping'], 'no cookie'],
    [['ping', '--cookie-file', 'nowhere'], 'name the node'],
    [['ping', 'shop', '--cookie-file', 'nowhere'], 'name@host:port'],
    [['ping', 'shop@a b:1', '--cookie-file', 'nowhere'], 'white space'],
    [['ping', 'a@b:1', '--cookie-file', 'nowhere'], 'nowhere cannot be read'],
    [['top', '--by', 'age', '--once'], '--by age: it must be one of mailbox, turns, memory'],
    [['tree', 'extra'], 'unexpected argument: extra'],
    [['completion', 'fish'], 'bash or zsh'],
    [['start'], 'name the file of the program'],
  ])('%j explains itself and ends with 2', async (line, words) => {
    const { code, out, err } = await run(...line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  it('--json makes JSON of errors, too', async () => {
    const { err } = await run('inspect', '--json');
    expect(JSON.parse(err)).toEqual({ error: { message: expect.stringContaining('no cookie') } });
  });

  it('--json has the code of the error behind a wrong option, too', async () => {
    const line = ['ping', 'a@b:1', '--cookie-file', join(newFolder(), 'nowhere'), '--json'];
    const { code, err } = await run(...line);
    expect([code, JSON.parse(err)]).toMatchObject([2, { error: { code: 'SNOW_ERR_COOKIE_FILE' } }]);
  });
});

describe('cookie', () => {
  it('makes another one each time, long enough', async () => {
    const [one, other] = [await run('cookie'), await run('cookie', '--json')];
    expect(one.out).toMatch(/^[\w+/]{43}=\n$/);
    expect((JSON.parse(other.out) as { cookie: string }).cookie).not.toBe(one.out.trim());
  });

  it('writes a file that only its owner reads, and overwrites none', async () => {
    const file = join(newFolder(), 'cookie');
    expect(await run('cookie', file)).toEqual({ code: 0, out: `wrote ${file}\n`, err: '' });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^[\w+/]{43}=\n$/);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await run('cookie', file);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('exists')]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('doctor', () => {
  it('tells what is wrong with a name', async () => {
    const { code, out } = await run('doctor', '--name', 'shop', '--json');
    expect(code).toBe(1);
    const checks = JSON.parse(out) as { check: string; state: string; detail: string }[];
    expect(checks.find(({ check }) => check === 'runtime')?.state).toBe('ok');
    expect(checks.find(({ check }) => check === 'name')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('it has no @'),
    });
  });

  it('tells of a discovery that makes no sense', async () => {
    const { code, out } = await run('doctor', '--discovery', 'carrier-pigeon:');
    expect([code, out]).toEqual([1, expect.stringMatching(/FAILED +discovery/)]);
  });
});

const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).error === undefined;

describe('completion', () => {
  it.runIf(hasShell('bash'))('bash completes commands, options, and the values of options', async () => {
    const { out } = await run('completion', 'bash');
    const complete = (...words: string[]): string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _snowmesh; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          ...words,
        ],
        { encoding: 'utf8' },
      )
        .trim()
        .split('\n');
    expect(complete('snowmesh', 'p')).toEqual(['ping', 'portmap']);
    expect(complete('snowmesh', 'top', '--o')).toEqual(['--once']);
    expect(complete('snowmesh', 'top', '--by', 'm')).toEqual(['mailbox', 'memory']);
    expect(complete('snowmesh', 'help', 'ins')).toEqual(['inspect']);
  });

  it('zsh knows every command and option', async () => {
    const { out } = await run('completion', 'zsh');
    for (const { name, options } of COMMANDS) {
      expect(out).toContain(`'${name}:`);
      for (const option of Object.keys(options)) expect(out).toContain(`'--${option}[`);
    }
    if (hasShell('zsh')) execFileSync('zsh', ['-n', '-c', out]);
  });
});
