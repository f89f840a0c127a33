// `snowmesh top` on a real terminal: the pseudo-terminal that `script` of util-linux makes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, childCommand, watch } from '../../support/child.ts';
import { Cluster, COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';
import { Emulator } from '../../support/emulator.ts';

const MAIN = new URL('../../../ts/cli/main.ts', import.meta.url);
const KEYS = { suspend: '\u001A', interrupt: '\u0003' };
/** Crashes the process on SIGUSR2. */
const CRASH = `data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('out of paper')})`;
const isUtilLinux = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;
const hasBash = spawnSync('bash', ['-c', 'exit 0']).status === 0;

describe.skipIf(!isUtilLinux || !hasBash)('top on a terminal', () => {
  let cluster: Cluster;
  let top = '';
  let folder = '';
  let pidFile = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snowmesh-top-'));
    pidFile = join(folder, 'pid');
    const cookie = join(folder, 'cookie');
    writeFileSync(cookie, COOKIE, { mode: 0o600 });
    cluster = new Cluster();
    const [shop] = await cluster.nodes({ name: 'shop' });
    await shop!.run(async ({ node }) => {
      node.spawn(async function clerk(self) {
        await self.receive((message) => message === 'never');
      });
    });
    // Its process replaces a shell, whose PID it keeps.
    const words = [process.execPath, '--import', CRASH, ...childCommand(MAIN), 'top'].concat(
      ...['--node', shop!.name, '--cookie-file', cookie, '--every', '200'],
    );
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    top = `bash -c 'echo $$ > ${pidFile}; exec "$@"' top ${quoted}`;
  });
  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script of a shell with job control on a terminal of 100 columns and 20 rows. */
  function run(script: string, term = 'xterm'): { child: Child; emulator: Emulator } {
    const file = join(folder, 'script');
    writeFileSync(file, `stty cols 100 rows 20\n${script}\n`);
    const env = { ...process.env, NODE_OPTIONS: undefined, TERM: term };
    const args = ['-qefc', `bash -m ${file}`, '/dev/null'];
    const child = watch(spawn('script', args, { env, stdio: 'pipe' }));
    const emulator = new Emulator(100, 20);
    child.process.stdout!.on('data', (text: string) => emulator.write(text));
    return { child, emulator };
  }

  const shown = (emulator: Emulator): Promise<unknown> =>
    until('a picture', () => emulator.isTaken && emulator.picture().includes('clerk'));
  /** What the terminal shows when the program has ended; its mode is that of before. */
  const after = async ({ child, emulator }: ReturnType<typeof run>): Promise<string> => {
    await child.exit();
    await until('the end', () => emulator.picture().includes('over '));
    expect([emulator.isTaken, emulator.showsCursor]).toEqual([false, true]);
    expect(emulator.picture()).toContain('the same mode');
    return emulator.picture();
  };
  const MODE = 'mode=$(stty -g)';
  const OVER = 'over=$?; [ "$mode" = "$(stty -g)" ] && echo the same mode; echo over $over';
  const kill = (signal: NodeJS.Signals): boolean =>
    process.kill(Number(readFileSync(pidFile, 'utf8')), signal);

  it.each([
    ['q', 0, ({ write }: Child) => write('q')],
    ['Ctrl-C', 0, ({ write }: Child) => write(KEYS.interrupt)],
    ['SIGTERM', 0, () => kill('SIGTERM')],
    ['SIGHUP', 0, () => kill('SIGHUP')],
    ['a crash', 1, () => kill('SIGUSR2')],
  ])('gives it back after %s', async (what, code, end) => {
    const program = run(`${MODE}; echo before; ${top}; ${OVER}`);
    await shown(program.emulator);
    end(program.child);
    const picture = await after(program);
    expect(picture).toMatch(new RegExp(`^before\n[^]*over ${code}`));
    expect(picture.includes('out of paper')).toBe(what === 'a crash');
    expect(picture).not.toContain('MAILBOX');
  });

  it('is suspended by Ctrl-Z, and goes on in the foreground', async () => {
    const program = run(`${MODE}; ${top}; echo suspended; read; fg; ${OVER}`);
    const { child, emulator } = program;
    await shown(emulator);
    child.write(KEYS.suspend);
    await until('the shell', () => emulator.picture().includes('suspended'));
    expect([emulator.isTaken, emulator.showsCursor]).toEqual([false, true]);
    child.write('\r');
    await shown(emulator);
    child.write('t'); // raw mode again: without a line break
    await until('the key', () => emulator.picture().includes('TURNS▼'));
    child.write('q');
    expect(await after(program)).toContain('over 0');
  });

  it.each([
    ['NO_COLOR', false],
    ['NODE_DISABLE_COLORS', false],
    ['NO_VARIABLE', true],
  ])('uses colours and styles unless a variable forbids them: %s', async (variable, isStyled) => {
    const unset = 'unset FORCE_COLOR NO_COLOR NODE_DISABLE_COLORS CI'; // Node.js uses no colours where CI is set
    const program = run(`${unset}; export ${variable}=1; ${MODE}; ${top}; ${OVER}`);
    await shown(program.emulator);
    program.child.write('q');
    expect(await after(program)).toContain('over 0');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(/\u001B\[[\d;]*m/.test(program.emulator.text)).toBe(isStyled);
  });

  it('is refused by a terminal that cannot place its cursor', async () => {
    const program = run(`${MODE}; ${top}; ${OVER}`, 'dumb');
    expect(await after(program)).toMatch(/use --once or --json[^]*over 2/);
    expect(program.emulator.text).not.toContain('\u001B');
  });
});
