import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ENGINES, isEngine } from '../errors/index.ts';
import { type NodeName, optionsFrom, parseNodeName, startNode } from '../node/index.ts';
import { ASKING_OPTIONS, asking, overviewOf } from './asking.ts';
import { type Command, EXIT, type Given, UnreachableError } from './command.ts';
import { version } from './package-folder.ts';
import type { Terminal } from './terminal.ts';
import { age, printable } from './text.ts';

/** A clock that differs by more is reported. Unit: ms. */
const CLOCK_MS = 2000;
/** An event loop with a longer delay is reported. Unit: ms. */
const LATE_MS = 200;

const OTHER_NODE =
  'A node with another name answers there: the name, including the host, must be the one that the node was started with';

/** `snowmesh doctor`: checks everything that a node needs. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'check runtime, addon, name, DNS, port, cookie and discovery, and the connection to another node',
  notes: '  if a check fails, the exit code is 1',
  examples: ['snowmesh doctor --name desk@10.0.0.2:9000 --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    name: {
      value: 'name',
      summary: 'the name of the node that will run here, name@host:port. Default: SNOWMESH_NAME',
    },
    node: { value: 'name', summary: 'another node to connect to, name@host:port. Default: none' },
  },
  async run(given, terminal) {
    const results: Result[] = [];
    for (const check of CHECKS) {
      const { name } = check;
      const result = { check: name, ...(await check.look(given, terminal).catch(failed)) };
      results.push(result);
      if (!given.flag('json'))
        terminal.out(`${MARKS[result.state]} ${name.padEnd(10)} ${printable(result.detail)}\n`);
    }
    if (given.flag('json')) terminal.out(`${JSON.stringify(results)}\n`);
    return results.some(({ state }) => state === 'failed') ? EXIT.FAILED : EXIT.DONE;
  },
};

interface Finding {
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
}

interface Result extends Finding {
  readonly check: string;
}

const MARKS = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ', skipped: '-      ' } as const;

interface Check {
  readonly name: string;
  look(given: Given, terminal: Terminal): Promise<Finding>;
}

const ok = (detail: string): Finding => ({ state: 'ok', detail });
const warning = (detail: string): Finding => ({ state: 'warning', detail });
const skipped = (detail: string): Finding => ({ state: 'skipped', detail });
const failed = (error: unknown): Finding => ({ state: 'failed', detail: (error as Error).message });

const CHECKS: readonly Check[] = [
  { name: 'runtime', look: async () => runtime() },
  { name: 'addon', look: addon },
  {
    name: 'name',
    look: async (...given) => ok(ownName(...given)?.full ?? 'none: --name checks one'),
  },
  { name: 'dns', look: dns },
  { name: 'port', look: port },
  { name: 'cookie', look: async (given, { env }) => cookie(given, env) },
  { name: 'discovery', look: async (given, { env }) => discovery(given, env) },
  { name: 'peer', look: peer },
];

function runtime(): Finding {
  const detail = `snowmesh ${version()} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  if (isEngine(process.versions.node)) return ok(detail);
  throw new Error(`${detail}: it needs ${ENGINES}`);
}

/** Loads the addon, and starts a node with a random cookie. */
async function addon(): Promise<Finding> {
  const node = await startNode({
    name: 'doctor@127.0.0.1:0',
    cookie: randomBytes(32).toString('base64'),
    hidden: true,
    introspection: false,
  });
  await node.stop({ timeout: 0 });
  return ok('the native addon is loaded and listens');
}

function ownName(given: Given, { env }: Terminal): NodeName | undefined {
  const text = given.text('name') ?? env['SNOWMESH_NAME'];
  return text ? parseNodeName(text) : undefined;
}

async function dns(given: Given, terminal: Terminal): Promise<Finding> {
  const name = ownName(given, terminal);
  if (name === undefined) return skipped('no name');
  const found = (await lookup(name.host, { all: true })).map(({ address }) => address);
  const own = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address);
  const detail = `${name.host} is ${found.join(', ')}`;
  if (found.some((address) => own.includes(address))) return ok(detail);
  return warning(
    `${detail}: not an address of this machine. Peers connect to the host in the name, so that works only behind a port mapping`,
  );
}

async function port(given: Given, terminal: Terminal): Promise<Finding> {
  const name = ownName(given, terminal);
  if (name === undefined) return skipped('no name');
  if (name.port === 0) return ok('0, a free one: peers need a port mapper to find it');
  const { listen } = optionsFrom({ SNOWMESH_LISTEN: terminal.env['SNOWMESH_LISTEN'] }, {});
  const server = createServer();
  try {
    server.listen(listen?.port ?? name.port, listen?.host ?? '0.0.0.0');
    await once(server, 'listening');
    return ok(`${listen?.port ?? name.port} is free`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return warning(`${name.port} is in use, by the running node or by another program`);
  } finally {
    server.close();
  }
}

/** Starts a node with the cookie: that checks it. */
async function cookie(given: Given, env: Terminal['env']): Promise<Finding> {
  const file = given.text('cookie-file') ?? (env['SNOWMESH_COOKIE_FILE'] || undefined);
  const text = file === undefined ? env['SNOWMESH_COOKIE'] || undefined : undefined;
  if (file === undefined && text === undefined)
    return skipped('none: give --cookie-file, SNOWMESH_COOKIE_FILE or SNOWMESH_COOKIE');
  const options = optionsFrom(
    { SNOWMESH_COOKIE_FILE: file, SNOWMESH_COOKIE: text },
    { name: 'doctor@127.0.0.1:0', hidden: true },
  );
  await (await startNode(options)).stop({ timeout: 0 });
  if (file !== undefined) return ok(`the cookie in ${file} is long enough`);
  return warning(
    'the cookie in SNOWMESH_COOKIE is long enough, but other users may be able to read the environment: prefer a file',
  );
}

function discovery(given: Given, env: Terminal['env']): Finding {
  const text = given.text('discovery') ?? (env['SNOWMESH_DISCOVERY'] || undefined);
  if (text === undefined) return skipped('none');
  optionsFrom({ SNOWMESH_DISCOVERY: text }, {});
  return ok(text);
}

async function peer(given: Given, terminal: Terminal): Promise<Finding> {
  const text = given.text('node');
  if (text === undefined) return skipped('none: --node name@host:port checks another node');
  let finding = ok('');
  try {
    await asking(given, terminal, async (asked) => {
      const { name, view } = asked;
      await view.overview(); // begins to measure the event loop
      await new Promise((resolve) => setTimeout(resolve, 100));
      const overview = await overviewOf(asked, view);
      const detail = `${name} answers: snowmesh ${overview.version}, ${overview.platform}, up ${age(overview.uptimeMs)}`;
      const doubts: string[] = [];
      const offset = overview.clock - Date.now();
      if (Math.abs(offset) > CLOCK_MS) doubts.push(`its clock differs by ${age(Math.abs(offset))}`);
      if (overview.version !== version()) doubts.push(`this is snowmesh ${version()}`);
      if ((overview.loopDelay?.max ?? 0) > LATE_MS)
        doubts.push(`its event loop was late by ${overview.loopDelay?.max} ms`);
      if (overview.isStopping) doubts.push('it is stopping');
      for (const each of overview.stalledPeers) doubts.push(`its peer ${each} is stalled`);
      finding = doubts.length === 0 ? ok(detail) : warning(`${detail}; ${doubts.join('; ')}`);
      return EXIT.DONE;
    });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new Error(`${error.message}${await advice(text, error)}`, { cause: error });
  }
  return finding;
}

/** What the error does not say about a node that does not connect. */
async function advice(text: string, { why, message }: UnreachableError): Promise<string> {
  if (why === 'cookie' || why === 'incompatible') return '';
  if (/introspection: false/.test(message)) return '. It is running';
  return `. ${await whatIsThere(text, why === 'wrong_name')}`;
}

async function whatIsThere(text: string, isOther: boolean): Promise<string> {
  if (!text.includes('@')) return isOther ? OTHER_NODE : 'Check that the discovery lists it';
  const { host, port } = parseNodeName(text);
  try {
    await lookup(host);
  } catch {
    return `DNS has no address for ${host}`;
  }
  if (isOther) return OTHER_NODE;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(3000) });
    return `Something listens on port ${port} of ${host}: check that it is this node, and that its event loop is not blocked`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED'
      ? `Nothing listens on port ${port} of ${host}`
      : `Port ${port} of ${host} does not answer: a firewall drops packets, or the host is down`;
  } finally {
    socket.destroy();
  }
}
