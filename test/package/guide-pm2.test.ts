// Runs docs/guides/pm2.md with PM2 itself and the installed package. The daemon has a folder of its own, and ends with the test.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasSignals, killChildren, watch } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';
import {
  answer,
  ask,
  gone,
  MS,
  type Ports,
  reservePorts,
  startWatcher,
  type Watcher,
  writeProgram,
} from './guide-apps.ts';
import { type Installed, packAndInstall } from './installed.ts';
import { installOtherSystems, type OtherSystems } from './other-systems.ts';

interface Instance {
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly NODE_APP_INSTANCE: number;
  };
}

let installed: Installed;
let systems: OtherSystems;
let ports: Ports;
let watcher: Watcher | undefined;
beforeAll(() => {
  installed = packAndInstall();
  systems = installOtherSystems('pm2', installed);
}, 600_000);
beforeEach(async (context) => {
  if (!hasSignals) context.skip('PM2 ends processes by signals, which this system does not have');
  if (systems.missing !== undefined) context.skip(systems.missing);
  ports = await reservePorts();
  writeProgram(systems.folder, 'pm2', 'pm2', 'app.mjs', ports);
  mkdirSync(home());
});
afterEach(async () => {
  await watcher?.node.stop();
  watcher = undefined;
  await Promise.all(killAll().map(gone));
  await killChildren();
  rmSync(home(), { recursive: true, force: true });
});
afterAll(() => {
  installed?.remove();
  systems?.remove();
});
process.once('exit', killAll);

const home = (): string => join(systems.folder, 'pm2-home');

/** Kills the daemon and what it started; gives their PIDs. */
function killAll(): number[] {
  if (systems === undefined || !existsSync(home())) return [];
  const files = readdirSync(home(), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.pid'),
  );
  const pids = files.map((name) => Number(readFileSync(join(home(), name), 'utf8')));
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  return pids;
}

async function pm2(...args: string[]): Promise<string> {
  const child = watch(
    spawn(process.execPath, [join(systems.folder, 'node_modules/pm2/bin/pm2'), ...args], {
      cwd: systems.folder,
      env: {
        ...process.env,
        NODE_OPTIONS: undefined,
        COOKIE: args[0] === 'start' ? process.env['COOKIE'] : undefined, // PM2 keeps the environment of the start
        PM2_HOME: home(),
        PM2_DISABLE_VERSION_CHECK: 'true',
        PREBUILDS_ONLY: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const { code } = await child.exit(MS);
  expect(code, child.stdout() + child.stderr()).toBe(0);
  return child.stdout();
}

const instances = async (): Promise<Instance[]> => {
  const [list = '[]'] = /^\[.*\]$/m.exec(await pm2('jlist')) ?? [];
  return JSON.parse(list) as Instance[];
};

/** The log of the daemon, once it tells of so many ends of instances: it may write of one later than its process is gone. */
const logOf = (ends: number): Promise<string> =>
  until(`${ends} ends are in the log`, () => {
    const log = readFileSync(join(home(), 'pm2.log'), 'utf8');
    return log.match(/exited with code \[\d+\] via signal/g)?.length === ends ? log : undefined;
  });

/** What the instances have written. */
const written = (): string =>
  readdirSync(join(home(), 'logs'))
    .map((file) => `${file}:\n${readFileSync(join(home(), 'logs', file), 'utf8')}`)
    .join('\n');

/** Starts PM2 with the page's ecosystem file, with two instances. */
async function start(change = (text: string): string => text): Promise<Watcher> {
  const text = (programsOf('pm2').get('ecosystem') ?? '').replace("'max'", '2');
  writeFileSync(join(systems.folder, 'ecosystem.config.cjs'), change(text));
  await pm2('start', 'ecosystem.config.cjs');
  watcher = await startWatcher(ports);
  await watcher.sees(/^up shop-\d+$/, 2);
  return watcher;
}

describe('PM2', () => {
  it('starts the instances: each is a node, and all answer on one port; stop ends them in order, with exit code 0', async () => {
    const { seen, sees } = await start();
    const names = new Set<string>();
    await answer('both answer', ports.http, (text) => names.add(text).size === 2);
    const list = await instances();
    expect(list.map(({ pm2_env }) => pm2_env.status)).toEqual(['online', 'online']);
    const wanted = list.map(({ pid }) => `shop-${pid}`).sort();
    expect([...names].map((name) => name.replace(/@.*/, '')).sort()).toEqual(wanted);
    expect(seen.map((line) => line.slice('up '.length)).sort()).toEqual(wanted);
    await pm2('stop', 'shop');
    await sees(/^down shop-\d+ goodbye$/, 2);
    await Promise.all(list.map(({ pid }) => gone(pid)));
    const log = await logOf(2);
    expect(log.match(/exited with code \[0\] via signal \[SIGINT\]/g), log + written()).toHaveLength(2);
    expect(log).not.toContain('[SIGKILL]');
  });

  it('does not end an instance that runs on after it has disconnected, as PM2 does with its metrics', async () => {
    const file = join(systems.folder, 'app.mjs');
    const text = readFileSync(file, 'utf8');
    // PM2's metrics are sent each second.
    const slow = text.replace(
      'before: leave',
      'before: () => leave().then(() => new Promise((done) => setTimeout(done, 2000)))',
    );
    expect(slow).not.toBe(text);
    writeFileSync(file, slow);
    const { sees } = await start();
    await pm2('stop', 'shop');
    const log = await logOf(2);
    expect(log.match(/exited with code \[0\] via signal \[SIGINT\]/g), log + written()).toHaveLength(2);
    await sees(/^down shop-\d+ goodbye$/, 2);
  });

  it('reload refuses no request; the old instances leave in order, after the new ones have joined', async () => {
    const { seen, sees } = await start();
    const before = await instances();
    let isOver = false;
    const refused: number[] = [];
    const load = (async () => {
      for (let count = 0; !isOver; count++) if ((await ask(ports.http)) === undefined) refused.push(count);
    })();
    await pm2('reload', 'shop');
    isOver = true;
    await load;
    expect(refused).toEqual([]);
    await sees(/^down shop-\d+ goodbye$/, 2);
    const after = await instances();
    const pids = (list: readonly Instance[]): number[] => list.map(({ pid }) => pid).sort();
    expect(seen.filter((line) => line.startsWith('down')).sort()).toEqual(
      pids(before).map((pid) => `down shop-${pid} goodbye`),
    );
    // Each new instance has the number of the one that it replaces, and listens before that one is told to end.
    const numbers = (list: readonly Instance[]): number[] =>
      list.map(({ pm2_env }) => pm2_env.NODE_APP_INSTANCE).sort();
    expect(numbers(after)).toEqual(numbers(before));
    expect(pids(after).filter((pid) => pids(before).includes(pid))).toEqual([]);
    const log = await logOf(2);
    const order = [...log.matchAll(/New worker listening|exited with code \[\d+\]/g)].map(([text]) => text);
    expect(order).toHaveLength(4);
    expect(order[0]).toBe('New worker listening');
    expect(
      order.filter((text) => text === 'exited with code [0]'),
      log + written(),
    ).toHaveLength(2);
    // Whichever had the port mapper has ended: a newcomer finds the new instances through another one's.
    const newcomer = await startWatcher(ports);
    try {
      await Promise.all(after.map(({ pid }) => newcomer.sees(new RegExp(`^up shop-${pid}$`))));
    } finally {
      await newcomer.node.stop();
    }
  });

  it('an instance that is killed is started again, as a new node', async () => {
    const { sees } = await start();
    const [{ pid = 0 } = {}] = await instances();
    process.kill(pid, 'SIGKILL');
    await sees(new RegExp(`^down shop-${pid} closed$`));
    await sees(/^up shop-\d+$/, 3);
    const list = await instances();
    expect(list.map(({ pm2_env }) => [pm2_env.status, pm2_env.restart_time]).sort()).toEqual([
      ['online', 0],
      ['online', 1],
    ]);
    expect(list.some((each) => each.pid === pid)).toBe(false);
  });

  it('kills an instance that is not done when `kill_timeout` is over', async () => {
    const file = join(systems.folder, 'app.mjs');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/cluster\.worker\.once.*disconnect\(\)/, 'void done'));
    expect(readFileSync(file, 'utf8')).not.toBe(text);
    const { sees } = await start((given) => given.replace('16_000', '500'));
    await pm2('stop', 'shop');
    await sees(/^down shop-\d+ closed$/, 2);
    const log = await logOf(2);
    expect(log.match(/via signal \[SIGKILL\]/g)).toHaveLength(2);
    // What the page says of PM2's defaults.
    expect(log).toMatch(/SIGTERM timeout *: 1600$/m);
    expect(log).toMatch(/Concurrent actions *: 2$/m);
  });

  it('goes on after `listen_timeout` with an instance that does not send `ready`', async () => {
    const file = join(systems.folder, 'app.mjs');
    writeFileSync(file, readFileSync(file, 'utf8').replace("process.send?.('ready')", 'undefined'));
    await start((given) => given.replace('10_000', '500'));
    await until('both are online', async () =>
      (await instances()).every(({ pm2_env }) => pm2_env.status === 'online'),
    );
  });

  it('stops the old instance first in fork mode, so the number of an instance can be its name', async () => {
    const file = join(systems.folder, 'app.mjs');
    const named = readFileSync(file, 'utf8')
      .replace('process.pid', 'process.env.NODE_APP_INSTANCE')
      .replace(/cluster\.worker\.once.*disconnect\(\)/, 'server.close(done)')
      .replace(`listen(${ports.http}`, 'listen(0');
    writeFileSync(file, named);
    const { seen, sees } = await start((given) => given.replace("'cluster'", "'fork'"));
    await pm2('reload', 'shop');
    await sees(/^up shop-0$/, 2);
    await sees(/^up shop-1$/, 2);
    for (const name of ['shop-0', 'shop-1']) {
      const lines = seen.filter((line) => line.split(' ')[1] === name);
      expect(lines).toEqual([`up ${name}`, `down ${name} goodbye`, `up ${name}`]);
    }
  });
});

describe('the ecosystem file', () => {
  it('gives a stop the time that it may take', () => {
    const module = { exports: {} as { apps?: Record<string, unknown>[] } };
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    new Function('module', programsOf('pm2').get('ecosystem') ?? '')(module);
    const timeout = Number(
      /timeout: ([\d_]+)/.exec(programsOf('pm2').get('pm2') ?? '')?.[1]?.replace('_', ''),
    );
    expect(module.exports.apps).toMatchObject([
      { script: 'app.mjs', exec_mode: 'cluster', wait_ready: true },
    ]);
    expect(module.exports.apps?.[0]?.['kill_timeout']).toBeGreaterThan(timeout + 5000);
  });
});
