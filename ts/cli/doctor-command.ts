import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type NodeName, optionsFrom, parseNodeName, startNode } from '../node/index.ts';
import { ASKING_OPTIONS, asking } from './asking.ts';
import { type Command, EXIT, type Given, UnreachableError } from './command.ts';
import { version } from './package-folder.ts';
import type { Terminal } from './terminal.ts';
import { age, printable } from './text.ts';

/** The oldest Node.js: package.json `engines`. */
const NODE_VERSION = [20, 19] as const;
/** Clocks that differ by more are told of. Unit: ms. */
const CLOCK_MS = 2000;
/** An event loop that is late by more is told of. Unit: ms. */
const LATE_MS = 200;

const OTHER_NODE =
  'Another node answers there: compare its name, also the host, with what it was started with';

/** `snowmesh doctor`: checks what a node needs, one thing after the other. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary:
    'check what a node needs: runtime, addon, name, DNS, port, cookie; and, of another node, what it says',
  notes: '  ends with 1 when a check failed',
  options: {
    ...ASKING_OPTIONS,
    name: { value: 'name', summary: 'the name of the node that is to run here; default SNOWMESH_NAME' },
    node: { value: 'name', summary: 'another node to connect to' },
  },
  async run(given, terminal) {
    const results: Result[] = [];
    for (const check of CHECKS) {
      const { name } = check;
      const result = { check: name, ...(await check.look(given, terminal).catch(failed)) };
      results.push(result);
      if (!given.flag('json'))
        terminal.out(`${MARKS[result.state]} ${name.padEnd(10)} ${printable(result.says)}\n`);
    }
    if (given.flag('json')) terminal.out(`${JSON.stringify(results)}\n`);
    return results.some(({ state }) => state === 'failed') ? EXIT.FAILED : EXIT.DONE;
  },
};

interface Finding {
  readonly state: 'good' | 'doubtful' | 'failed' | 'skipped';
  readonly says: string;
}

interface Result extends Finding {
  readonly check: string;
}

const MARKS = { good: 'ok     ', doubtful: 'WARNING', failed: 'FAILED ', skipped: '-      ' } as const;

interface Check {
  readonly name: string;
  look(given: Given, terminal: Terminal): Promise<Finding>;
}

const good = (says: string): Finding => ({ state: 'good', says });
const doubtful = (says: string): Finding => ({ state: 'doubtful', says });
const skipped = (says: string): Finding => ({ state: 'skipped', says });
const failed = (error: unknown): Finding => ({ state: 'failed', says: (error as Error).message });

const CHECKS: readonly Check[] = [
  { name: 'runtime', look: async () => runtime() },
  { name: 'addon', look: addon },
  {
    name: 'name',
    look: async (...given) => good(ownName(...given)?.full ?? 'none: nothing to check (--name)'),
  },
  { name: 'dns', look: dns },
  { name: 'port', look: port },
  { name: 'cookie', look: async (given, { env }) => cookie(given, env) },
  { name: 'discovery', look: async (given, { env }) => discovery(given, env) },
  { name: 'peer', look: peer },
];

function runtime(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const says = `snowmesh ${version()} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  if (major > NODE_VERSION[0] || (major === NODE_VERSION[0] && minor >= NODE_VERSION[1])) return good(says);
  throw new Error(`${says}: it needs Node.js ${NODE_VERSION.join('.')} or later`);
}

/** Loads the addon, and starts a node that nobody can reach. */
async function addon(): Promise<Finding> {
  const node = await startNode({
    name: 'doctor@127.0.0.1:0',
    cookie: randomBytes(32).toString('base64'),
    hidden: true,
    introspection: false,
  });
  await node.stop({ timeout: 0 });
  return good('the native core is loaded, and listens');
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
  const says = `${name.host} is ${found.join(', ')}`;
  if (found.some((address) => own.includes(address))) return good(says);
  return doubtful(
    `${says}: no address of this machine. Peers connect to the host in the name; that is right behind a port mapping only`,
  );
}

async function port(given: Given, terminal: Terminal): Promise<Finding> {
  const name = ownName(given, terminal);
  if (name === undefined) return skipped('no name');
  if (name.port === 0) return good('any free one (0): peers need a port mapper to find it');
  const { listen } = optionsFrom({ SNOWMESH_LISTEN: terminal.env['SNOWMESH_LISTEN'] }, {});
  const server = createServer();
  try {
    server.listen(listen?.port ?? name.port, listen?.host ?? '0.0.0.0');
    await once(server, 'listening');
    return good(`${listen?.port ?? name.port} is free`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return doubtful(`${name.port} is in use: the node runs already, or something else has its port`);
  } finally {
    server.close();
  }
}

/** Starts a node with it, since that checks it. */
async function cookie(given: Given, env: Terminal['env']): Promise<Finding> {
  const file = given.text('cookie-file') ?? (env['SNOWMESH_COOKIE_FILE'] || undefined);
  const text = file === undefined ? env['SNOWMESH_COOKIE'] || undefined : undefined;
  if (file === undefined && text === undefined)
    return skipped('none: --cookie-file, SNOWMESH_COOKIE_FILE or SNOWMESH_COOKIE');
  const options = optionsFrom(
    { SNOWMESH_COOKIE_FILE: file, SNOWMESH_COOKIE: text },
    { name: 'doctor@127.0.0.1:0', hidden: true },
  );
  await (await startNode(options)).stop({ timeout: 0 });
  if (file !== undefined) return good(`${file} has one, long enough`);
  return doubtful('SNOWMESH_COOKIE has one, long enough; other users may be able to read it: prefer a file');
}

function discovery(given: Given, env: Terminal['env']): Finding {
  const text = given.text('discovery') ?? (env['SNOWMESH_DISCOVERY'] || undefined);
  if (text === undefined) return skipped('none');
  optionsFrom({ SNOWMESH_DISCOVERY: text }, {});
  return good(text);
}

async function peer(given: Given, terminal: Terminal): Promise<Finding> {
  const text = given.text('node');
  if (text === undefined) return skipped('none: --node name@host:port checks another node');
  let finding = good('');
  try {
    await asking(given, terminal, async ({ node, name, view }) => {
      await view.overview(); // begins to measure the event loop
      await new Promise((resolve) => setTimeout(resolve, 100));
      const overview = await view.overview();
      const says = `${name} answers: snowmesh ${overview.version}, ${overview.platform}, up ${age(overview.uptimeMs)}`;
      const doubts: string[] = [];
      const offset = overview.clock - Date.now();
      if (Math.abs(offset) > CLOCK_MS) doubts.push(`its clock differs by ${age(Math.abs(offset))}`);
      if (overview.version !== version()) doubts.push(`this is snowmesh ${version()}`);
      if ((overview.loopDelay?.max ?? 0) > LATE_MS)
        doubts.push(`its event loop was late by ${overview.loopDelay?.max} ms`);
      if (overview.isStopping) doubts.push('it is stopping');
      for (const each of overview.stalledPeers.filter((stalled) => stalled !== node.name))
        doubts.push(`its peer ${each} is stalled`);
      finding = doubts.length === 0 ? good(says) : doubtful(`${says}; ${doubts.join('; ')}`);
      return EXIT.DONE;
    });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new Error(`${error.message}. ${await whyUnreachable(text, error.message)}`, { cause: error });
  }
  return finding;
}

/** What can be told from outside about a node that does not connect. */
async function whyUnreachable(text: string, message: string): Promise<string> {
  if (/\(cookie/.test(message)) return 'It has another cookie';
  if (/\(incompatible/.test(message))
    return 'It runs a version of snowmesh that this one does not understand';
  if (/introspection: false/.test(message)) return 'It is up';
  const isOther = /\(wrong_name/.test(message);
  if (!text.includes('@')) return isOther ? OTHER_NODE : 'Does the discovery name it?';
  const { host, port } = parseNodeName(text);
  try {
    await lookup(host);
  } catch {
    return `DNS does not know ${host}`;
  }
  if (isOther) return OTHER_NODE;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(3000) });
    return `Something listens on port ${port} of ${host}: is it this node, and does its event loop turn?`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED'
      ? `Nothing listens on port ${port} of ${host}`
      : `Port ${port} of ${host} does not answer: a firewall, or the host is down`;
  } finally {
    socket.destroy();
  }
}
