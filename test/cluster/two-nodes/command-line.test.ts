// The commands that ask a running node of another process; some of them in a process of their own.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';
import { type Node, silentLogger, startNode } from '../../../ts/index.ts';
import {
  type Child,
  childCommand,
  hasSignals,
  killChildren,
  startChild,
  watch,
} from '../../support/child.ts';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

const MAIN = new URL('../../../ts/cli/main.ts', import.meta.url);
/** A program as users have it: its path, compiled or not. */
const APP = childCommand(new URL('./command-line-app.ts', import.meta.url)).at(-1) as string;
const OWN = childCommand(new URL('./command-line-own.ts', import.meta.url)).at(-1) as string;
/** None of snowmesh, not even those of the test run: `start` refuses a variable that it does not know. */
const NO_VARIABLES = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('SNOWMESH_'))
    .map((name) => [name, undefined]),
);

let folder = '';
let cookieFile = '';
let cluster: Cluster;
let [a, b]: ClusterNode[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-cli-'));
  cookieFile = join(folder, 'cookie');
  writeFileSync(cookieFile, COOKIE, { mode: 0o600 });
  cluster = new Cluster();
  [a, b] = await cluster.nodes({ name: 'shop' }, { name: 'store' });
  await a!.run(async ({ node, snow }, peer) => {
    await node.connect(peer);
    const worker = snow.defineHandler('clerk', () => ({ onMessage() {} }));
    await snow
      .defineSupervisor({ name: 'staff', children: [snow.childSpec('first', worker, { name: 'till' })] })
      .start(node);
    const heap = node.spawn(async function heap(self) {
      await self.receive((message) => message === 'never');
    });
    for (let left = 7; left > 0; left--) node.send(heap, ['order', left] as never);
  }, b!.name);
});
afterAll(async () => {
  await killChildren();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const start = (...args: string[]): Child => startChild(MAIN, { args, env: NO_VARIABLES });

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const run = (...args: string[]): Promise<Ended> => runIn({}, ...args);

async function runIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const said = { out: '', err: '' };
  const code = await runCommand(args, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    signal: new AbortController().signal,
    env,
  });
  return { code, ...said };
}

const ask = (command: string, ...args: string[]) =>
  run(command, ...args, '--node', a!.name, '--cookie-file', cookieFile);

async function asked<T>(command: string, ...args: string[]): Promise<T> {
  const { code, out, err } = await ask(command, ...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

describe('commands that ask a node', () => {
  it('ping measures how soon it answers', async () => {
    const child = start('ping', a!.name, '--count', '2', '--cookie-file', cookieFile);
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    const out = child.stdout();
    expect(out.trim().split('\n')).toHaveLength(2);
    expect(out).toMatch(new RegExp(`^answer of ${a!.name}: [\\d.]+ ms \\(snowmesh `));
  });

  it('nodes asks every node, and stays hidden itself', async () => {
    const lines = await asked<{ node: string; overview: { actors: number } }[]>('nodes');
    expect(lines.map(({ node }) => node)).toEqual([a!.name, b!.name]);
    expect(lines[0]?.overview.actors).toBeGreaterThan(2);
    const text = (await ask('nodes')).out;
    expect(text).toMatch(/^NODE +STATE +ACTORS/);
    expect(text).toContain(b!.name);
    expect((await ask('nodes', '--names')).out).toBe(`${a!.name}\n${b!.name}\n`);
  });

  it('inspect shows the node, and an actor by name and by the PID that it prints', async () => {
    const node = await asked<{ node: string; sessions: { node: string }[] }>('inspect');
    expect(node.node).toBe(a!.name);
    expect(node.sessions.map((each) => each.node)).toContain(b!.name);
    const byName = await asked<{ pid: string; label: string }>('inspect', 'till');
    expect(byName).toMatchObject({ label: 'clerk', names: ['till'], state: 'idle' });
    expect(byName.pid).toMatch(/^<0\.\d+>$/);
    expect(await asked('inspect', byName.pid)).toMatchObject({ pid: byName.pid, label: 'clerk' });
    expect((await ask('inspect', byName.pid)).out).toContain('named till');
    expect((await ask('inspect')).out).toContain('lost messages  none');
  });

  it('inspect shows the last crashes of the node', async () => {
    await a!.run(async (bench) => {
      for (let left = 3; left > 0; left--)
        bench.node.spawn(async function cook() {
          throw new RangeError('burnt\u001B[2J');
        });
      await bench.until(
        'three crashes',
        async () => (await bench.node.introspect().overview()).crashes === 3,
      );
    });
    expect(await asked('inspect')).toMatchObject({
      crashes: 3,
      lastCrashes: [{ label: 'cook', times: 3, reason: 'RangeError: burnt\u001B[2J' }],
    });
    const { out } = await ask('inspect');
    expect(out).toMatch(/^crashes +3$/m);
    expect(out).toMatch(/ago +3 +cook +RangeError: burnt\?\[2J at .*\n/);
  });

  it('inspect of what is not there ends with 1', async () => {
    const { code, err } = await ask('inspect', '<0.99999>');
    expect([code, err]).toEqual([1, `snowmesh inspect: ${a!.name} has no actor <0.99999>\n`]);
  });

  it('a pipe that its reader closes ends a command in order', async () => {
    const child = start('top', '--json', '--every', '100', '--node', a!.name, '--cookie-file', cookieFile);
    await child.line(/^\{/);
    child.process.stdout?.destroy();
    expect([await child.exit(), child.stderr()]).toEqual([{ code: 0, signal: null }, '']);
  });

  it.runIf(existsSync('/dev/full'))('output that cannot be written ends a command with 1', async () => {
    const full = openSync('/dev/full', 'w');
    const child = watch(
      spawn(process.execPath, [...childCommand(MAIN), 'help'], { stdio: ['ignore', full, 'pipe'] }),
    );
    closeSync(full);
    expect([await child.exit(), child.stderr()]).toEqual([
      { code: 1, signal: null },
      expect.stringMatching(/^snowmesh: standard output cannot be written: ENOSPC.*\n$/),
    ]);
  });

  it('tree draws supervisors', async () => {
    const { out } = await ask('tree');
    expect(out).toMatch(/^staff {2}<0\.\d+>\n└─ first {2}<0\.\d+> {2}clerk\n$/);
    const [, root = ''] = /staff {2}<0\.(\d+)>/.exec(out) ?? [];
    expect((await ask('tree', '--root', root)).out).toBe(out);
  });

  it('top prints the longest mailbox first', async () => {
    const { out } = await ask('top', '--once', '--limit', '3');
    expect(out).toContain(`${a!.name}  snowmesh`);
    const [, , , heads, first] = out.split('\n');
    expect(heads).toMatch(/PID +MAILBOX/);
    expect(first).toMatch(/<0\.\d+> +7 .* receiving +heap$/);
  });

  it('top --json prints one line a look, with rates from the second on', async () => {
    const child = start('top', '--json', '--every', '100', '--node', a!.name, '--cookie-file', cookieFile);
    const line = await child.line(/"rate":\d/);
    expect(JSON.parse(line)).toMatchObject({ overview: { node: a!.name }, actors: [{ mailbox: 7 }, {}, {}] });
    child.kill('SIGTERM');
    if (hasSignals) expect(await child.exit()).toEqual({ code: 0, signal: null });
  });

  it('is a hidden node: others neither list nor dial it, and it answers no queries', async () => {
    const [one, two, late] = (await Promise.all(
      ['one', 'two', 'late'].map((name) =>
        startNode({ name: `${name}@127.0.0.1:0`, cookie: COOKIE, logger: silentLogger }),
      ),
    )) as [Node, Node, Node];
    await one.connect(two.name);
    const named = ['--json', '--node', one.name, '--cookie-file', cookieFile];
    const lines = JSON.parse((await run('nodes', ...named)).out) as { overview: { peers: number } }[];
    expect(lines.map(({ overview }) => overview.peers)).toEqual([1, 1]);
    await until('the command has left', () => one.nodes('hidden').length === 0);
    const node = JSON.parse((await run('inspect', ...named)).out) as { sessions: { node: string }[] };
    expect(node).toMatchObject({ peers: 1, sessions: [{ node: two.name }] });
    await until('that one has left, too', () => one.nodes('hidden').length === 0);
    const child = start('top', '--json', '--node', one.name, '--cookie-file', cookieFile);
    expect(JSON.parse(await child.line(/^\{/))).toMatchObject({ overview: { peers: 1 } });
    const [command = ''] = one.nodes('hidden');
    expect(command).toMatch(/^snowmesh-\d+-[\da-f]+@127\.0\.0\.1:[1-9]\d*$/);
    expect(one.nodes()).toEqual([two.name]);
    await expect(one.introspect(command).overview()).rejects.toMatchObject({ details: { reason: 'off' } });
    // Who comes now is told of all visible nodes at once, and dials them.
    await late.connect(one.name);
    await late.ready({ peers: [one.name, two.name] });
    await two.ready({ peers: [one.name, late.name] });
    expect([...two.nodes('all'), ...late.nodes('all')]).not.toContain(command);
    child.kill('SIGTERM');
    await child.exit();
    for (const node of [one, two, late]) await node.stop();
  });

  it('top without a terminal says so', async () => {
    const { code, err } = await ask('top');
    expect(code).toBe(2);
    expect(err).toContain('use --once or --json');
  });

  it('observe serves the page, and shows nodes that it is not asked for by name', async () => {
    const args = ['observe', '--json', '--node', a!.name, '--cookie-file', cookieFile];
    const child = start(...args);
    const { url } = JSON.parse(await child.line(/^\{/)) as { url: string };
    const [cookie = ''] = (await fetch(url, { redirect: 'manual' })).headers.getSetCookie();
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    const events = await fetch(new URL('/events', url), { headers });
    // The first events may lack a node: one that is not connected yet, or has not answered within a second.
    let text = '';
    let isShown = false;
    for await (const bytes of events.body!) {
      text += Buffer.from(bytes).toString();
      const [, data] = [...text.matchAll(/event: cluster\ndata: (.*)\n\n/g)].at(-1) ?? [];
      const { nodes } = JSON.parse(data ?? '{"nodes":[]}') as { nodes: { node: string; state: string }[] };
      isShown = isDeepStrictEqual(
        nodes.map(({ node, state }) => [node, state]),
        [a!, b!].map(({ name }) => [name, 'up']),
      );
      if (isShown) break;
    }
    expect(isShown, text).toBe(true);
    child.kill('SIGTERM');
    if (hasSignals) expect(await child.exit()).toEqual({ code: 0, signal: null });
  });

  it('finds a node by the part before the @, through a discovery', async () => {
    const list = ['--discovery', `list:${a!.name},${b!.name}`, '--cookie-file', cookieFile];
    const { out } = await run('ping', 'store', '--count', '1', ...list);
    expect(out).toContain(`answer of ${b!.name}`);
    const missing = await run('ping', 'stork', '--timeout', '500', ...list);
    expect(missing.code).toBe(3);
    expect(missing.err).toContain('stork was not found');
    const shut = ['--discovery', 'list:stork@127.0.0.1:1', '--cookie-file', cookieFile];
    const refused = await run('ping', 'stork', '--timeout', '500', ...shut);
    expect(refused.err).toContain('no connection to stork@127.0.0.1:1: nothing listens at its address');
    const lost = ['--discovery', `file:${join(folder, 'nowhere')}`, '--cookie-file', cookieFile];
    expect((await run('ping', 'stork', '--timeout', '500', ...lost)).err).toContain('nowhere');
  });

  it('needs no options in the environment of a node', async () => {
    const own = { SNOWMESH_NAME: a!.name, SNOWMESH_COOKIE_FILE: cookieFile };
    expect(await runIn(own, 'ping', '--count', '1')).toMatchObject({ code: 0, err: '' });
    const { SNOWMESH_COOKIE_FILE: _, ...named } = own;
    expect((await runIn({ ...named, SNOWMESH_COOKIE: COOKIE }, 'nodes', '--names')).out).toContain(b!.name);
    // The name that a node was started with, which took any free port.
    const anyPort = { ...own, SNOWMESH_NAME: 'shop@127.0.0.1:0' };
    const found = await runIn({ ...anyPort, SNOWMESH_DISCOVERY: `list:${a!.name}` }, 'ping', '--count', '1');
    expect([found.err, found.code]).toEqual(['', 0]);
    expect(await runIn(anyPort, 'ping')).toMatchObject({
      code: 2,
      err: expect.stringContaining('give the port that it listens on, or a --discovery that finds it'),
    });
  });

  it('a node that answers no queries ends them with 3; a ping only tells so', async () => {
    const mute = await cluster.node({ name: 'mute', introspection: false });
    const how = ['--node', mute.name, '--cookie-file', cookieFile];
    for (const command of ['nodes', 'inspect', 'rooms', 'tree']) {
      const { code, out, err } = await run(command, ...how, '--json');
      expect([command, code, out]).toEqual([command, 3, '']);
      expect(JSON.parse(err)).toEqual({
        error: { code: 'SNOW_ERR_INTROSPECTION', message: expect.stringContaining(mute.name) },
      });
    }
    const ping = await run('ping', ...how);
    expect([ping.code, ping.out]).toEqual([0, expect.stringContaining('introspection: false')]);
    // Among others it is one that did not answer.
    const seer = await cluster.node({ name: 'seer' });
    await seer.run((bench, peer) => bench.node.connect(peer), mute.name);
    const { code, out } = await run('nodes', '--node', seer.name, '--cookie-file', cookieFile);
    expect([code, out.split('\n')]).toEqual([
      1,
      expect.arrayContaining([
        expect.stringMatching(`^${seer.name} +up `),
        expect.stringMatching(`^${mute.name} +no answer +-`),
        expect.stringMatching(`^${mute.name} .*introspection: false`),
      ]),
    ]);
  });

  it('doctor says what a peer says', async () => {
    const { code, out } = await ask('doctor', '--name', 'here@127.0.0.1:0');
    expect(out).toMatch(/ok +addon/);
    expect(out).toMatch(/ok +dns +127\.0\.0\.1 is 127\.0\.0\.1/);
    expect(out).toMatch(/ok +cookie/);
    expect(out).toMatch(/(ok|WARNING) +peer +shop@.* answers: snowmesh/);
    expect(code).toBe(0);
  });

  it('doctor tells of a clock that differs', async () => {
    const late = await cluster.node({ name: 'late' });
    await late.run(() => {
      const now = Date.now;
      Date.now = () => now() - 600_000;
    });
    const { code, out } = await run('doctor', '--node', late.name, '--cookie-file', cookieFile);
    expect(out).toMatch(/WARNING peer +late@.* answers: snowmesh .*its clock differs by (9|10) min/);
    expect(code).toBe(0);
  });

  it('doctor tells of a peer whose event loop is blocked', async () => {
    const ticks = { tickMs: 400, downMs: 60_000 };
    const [watcher, stuck] = await cluster.nodes({ name: 'watcher', ...ticks }, { name: 'stuck', ...ticks });
    await watcher!.run((bench, peer) => bench.node.connect(peer), stuck!.name);
    const go = join(folder, 'go');
    const blocked = stuck!.runFor(
      60_000,
      (_bench, file) => {
        const { existsSync } = process.getBuiltinModule('node:fs');
        const nothing = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(file)) Atomics.wait(nothing, 0, 0, 20);
      },
      go,
    );
    await watcher!.run((bench) => bench.event('stalled'));
    const { code, out } = await run('doctor', '--node', watcher!.name, '--cookie-file', cookieFile);
    const short = ['--timeout', '2000', '--cookie-file', cookieFile];
    const ping = await run('ping', stuck!.name, ...short);
    const nodes = await run('nodes', '--node', watcher!.name, ...short);
    writeFileSync(go, '');
    await blocked;
    expect(out).toMatch(/WARNING peer +watcher@.* answers: snowmesh .*its peer stuck@\S+ is stalled/);
    expect(code).toBe(0);
    expect(nodes.code).toBe(1);
    expect(nodes.out).toMatch(
      new RegExp(`^${stuck!.name} +no answer .*^its event loop is blocked: ${stuck!.name}`, 'ms'),
    );
    // It is connected, and does not answer.
    expect(ping).toMatchObject({ code: 3, out: '', err: expect.stringContaining(stuck!.name) });
  });

  it('a wrong cookie, a wrong name and a closed port each end with 3, and doctor tells them apart', async () => {
    const other = join(folder, 'other');
    expect((await run('cookie', other)).code).toBe(0);
    const port = a!.name.split(':').at(-1);
    const cases = [
      [a!.name, other, 'cookie', 'it has another cookie'],
      [`shopp@127.0.0.1:${port}`, cookieFile, 'wrong_name', 'A node with another name answers there'],
      ['shop@127.0.0.1:1', cookieFile, 'refused', 'Nothing listens on port 1'],
    ] as const;
    for (const [name, file, why, words] of cases) {
      const { code, err } = await run('ping', name, '--cookie-file', file, '--json');
      expect(code).toBe(3);
      const message = expect.stringContaining(`no connection to ${name}: `);
      expect(JSON.parse(err)).toEqual({ error: { why, message } });
      const doctor = await run('doctor', '--node', name, '--cookie-file', file);
      expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining(words)]);
    }
  });

  it.runIf(hasSignals)('a frozen node ends with 3', async () => {
    const frozen = await cluster.node({ name: 'frozen' });
    frozen.freeze();
    const { code } = await run('ping', frozen.name, '--cookie-file', cookieFile, '--timeout', '500');
    frozen.thaw();
    expect(code).toBe(3);
  });

  it('rooms lists those with the most members first', async () => {
    expect((await ask('rooms')).out).toBe(`${a!.name} has no rooms\n`);
    const join = async (bench: Workbench, members: Record<string, number>): Promise<void> => {
      const { serveRooms } = (await bench.load(
        './room-server',
      )) as typeof import('../../support/room-server.ts');
      const { rooms } = await serveRooms(bench.node, {});
      for (const [room, count] of Object.entries(members))
        for (let left = count; left > 0; left--)
          await rooms.accept({ send() {}, close() {}, on() {} }).join(room);
    };
    await b!.run(join, { lobby: 2, far: 1 });
    await a!.run(join, { small: 1, lobby: 1 });
    const { rooms, total } = await asked<{ rooms: unknown[]; total: number }>('rooms', '--limit', '1');
    expect([rooms, total]).toEqual([[{ room: 'lobby', members: 3, localMembers: 1, kept: 0 }], 3]);
    const { out } = await ask('rooms', '--limit', '2');
    expect(out).toMatch(/^ROOM +MEMBERS +ON THIS NODE +KEPT\nlobby +3 +1 +0\n/);
    expect(out).toMatch(/\n… 1 more\n$/);
  });
});

describe('snowmesh start', () => {
  it.runIf(hasSignals)('runs a program with its node, and ends it in order', async () => {
    const args = ['start', '--name', 'app@127.0.0.1:0', '--cookie-file', cookieFile, APP, '--', 'one'];
    const child = startChild(MAIN, { args, env: NO_VARIABLES });
    expect(await child.line(/^app@/)).toMatch(/^app@127\.0\.0\.1:[1-9]\d* one$/);
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toContain('terminated');
  });

  it.runIf(hasSignals)(
    'gives a program that starts its node itself the options by its environment',
    async () => {
      const options = ['--name', 'own@127.0.0.1:0', '--cookie-file', cookieFile, '--hidden'];
      const child = startChild(MAIN, { args: ['start', ...options, OWN, 'one', 'two'], env: NO_VARIABLES });
      expect(await child.line(/^own@/)).toMatch(/^own@127\.0\.0\.1:[1-9]\d* hidden one two$/);
      child.kill('SIGTERM');
      expect(await child.exit()).toEqual({ code: 0, signal: null });
    },
  );

  it.each([
    [
      'throws',
      'export default () => {\n  throw new RangeError("on purpose");\n};',
      /RangeError: on purpose\n.*:2:9\)/,
    ],
    ['cannot be loaded', 'export default () => {};\nnot JavaScript;', /:2\nnot JavaScript;\n[^]*SyntaxError/],
  ])('shows where a program %s', async (_what, text, where) => {
    const file = join(folder, 'broken.mjs');
    writeFileSync(file, text);
    const child = startChild(MAIN, { args: ['start', file], env: NO_VARIABLES });
    expect(await child.exit()).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toMatch(where);
  });

  it('refuses a program that is not there, a name that is none, and a node without a cookie', async () => {
    expect(await run('start', 'nowhere.js')).toMatchObject({ code: 2 });
    const child = start('start', '--name', 'app', APP);
    expect(await child.exit()).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toContain('it has no @');
    const open = start('start', '--name', 'app@127.0.0.1:0', APP);
    expect(await open.exit()).toEqual({ code: 1, signal: null });
    expect(open.stderr()).toContain('cookie');
  });
});
