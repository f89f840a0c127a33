// Connects a command to a node: it joins the cluster as a hidden node, which other nodes do not list, dial or announce.
import { randomBytes } from 'node:crypto';
import { silentLogger } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import {
  type Introspection,
  jsonOf as jsonText,
  type NodeOverview,
  pidText as textOfPid,
} from '../introspect/index.ts';
import { type Node, optionsFrom, parseNodeName, startNode } from '../node/index.ts';
import { Pid, parsePid } from '../term/index.ts';
import { type Given, JSON_OPTION, type Option, UnreachableError, UsageError } from './command.ts';
import type { Terminal } from './terminal.ts';

const TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 600_000;

/** Options of every command that connects to a node. */
export const ASKING_OPTIONS = {
  node: {
    value: 'name',
    summary:
      'the node to query, name@host:port; with a discovery the part before the @ is enough. Default: SNOWMESH_NAME, else any node that is found',
  },
  'cookie-file': {
    value: 'file',
    summary:
      'the file with the cookie of the cluster. Default: SNOWMESH_COOKIE_FILE, else the cookie SNOWMESH_COOKIE',
  },
  discovery: {
    value: 'how',
    summary:
      'how nodes are found: list:…, dns:…, srv:…, file:… or portmap (docs/operate.md). Default: SNOWMESH_DISCOVERY',
  },
  timeout: {
    value: 'ms',
    summary: `the time limit for connecting and for each answer, in ms. Default: ${TIMEOUT_MS}`,
  },
  json: JSON_OPTION,
} as const satisfies Record<string, Option>;

/** A connection to the node of a command. */
export interface Asked {
  /** This process's hidden node. */
  readonly node: Node;
  /** The full name of the other node. */
  readonly name: string;
  readonly view: Introspection;
  readonly timeout: number;
}

/**
 * Connects, calls `use`, and leaves the cluster.
 *
 * @param named the node to connect to; default: the value of --node.
 * @throws UsageError, UnreachableError.
 */
export async function asking(
  given: Given,
  terminal: Terminal,
  use: (asked: Asked) => Promise<number>,
  named: string | undefined = given.text('node'),
): Promise<number> {
  const timeout = given.whole('timeout', TIMEOUT_MS, 1, MAX_TIMEOUT_MS);
  const wanted = named ?? (terminal.env['SNOWMESH_NAME'] || undefined);
  const environment = environmentOf(given, terminal);
  if (wanted === undefined && environment['SNOWMESH_DISCOVERY'] === undefined)
    throw new UsageError('name the node: give --node name@host:port, or a --discovery that finds it');
  if (wanted !== undefined && environment['SNOWMESH_DISCOVERY'] === undefined) checkName(wanted);
  const isAddress = wanted !== undefined && /@.*:[1-9]\d*$/.test(wanted);
  if (isAddress) delete environment['SNOWMESH_DISCOVERY'];
  const isDiscovering = environment['SNOWMESH_DISCOVERY'] !== undefined;
  const faults = new Map<string, string>();
  const node = await joined(environment, timeout, faults);
  try {
    const name = isDiscovering
      ? await discovered(node, wanted, timeout, faults)
      : await connected(node, parseNodeName(wanted).full);
    return await use({ node, name, view: node.introspect(name, { timeout }), timeout });
  } catch (error) {
    throw isUnanswered(error) ? new UnreachableError((error as Error).message, { cause: error }) : error;
  } finally {
    await node.stop({ timeout: 0 });
  }
}

function checkName(wanted: string): void {
  if (!wanted.includes('@'))
    throw new UsageError(`${wanted}: give name@host:port, or a --discovery that finds this node`);
  let port: number;
  try {
    ({ port } = parseNodeName(wanted));
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  if (port === 0)
    throw new UsageError(`${wanted}: give the port that it listens on, or a --discovery that finds it`);
}

/** The environment variables for the connection, overridden by the options of the command. */
function environmentOf(given: Given, { env }: Terminal): Record<string, string | undefined> {
  const { SNOWMESH_COOKIE, SNOWMESH_COOKIE_FILE, SNOWMESH_DISCOVERY } = env;
  const file = given.text('cookie-file');
  // A node may run a port mapper for others; a command that ends soon must not.
  const discovery = (given.text('discovery') ?? SNOWMESH_DISCOVERY)?.replace(/^portmap\+embed/, 'portmap');
  const cookie =
    file === undefined ? { SNOWMESH_COOKIE, SNOWMESH_COOKIE_FILE } : { SNOWMESH_COOKIE_FILE: file };
  if (!cookie.SNOWMESH_COOKIE_FILE && !('SNOWMESH_COOKIE' in cookie && cookie.SNOWMESH_COOKIE))
    throw new UsageError('no cookie: give --cookie-file, or set SNOWMESH_COOKIE_FILE or SNOWMESH_COOKIE');
  return { ...cookie, ...(discovery ? { SNOWMESH_DISCOVERY: discovery } : {}) };
}

/** `faults`: gets the failed look-ups of the discovery and the failed dials. */
async function joined(
  environment: Record<string, string | undefined>,
  timeout: number,
  faults: Map<string, string>,
): Promise<Node> {
  const warn = (facts: object): void => {
    const { event, err } = facts as { event?: unknown; err?: unknown };
    if (event === 'discovery_failed' && err instanceof Error) faults.set('', err.message);
  };
  const name = `snowmesh-${process.pid}-${randomBytes(4).toString('hex')}@127.0.0.1:0`;
  const own = { name, hidden: true, introspection: false, handshakeMs: timeout };
  try {
    const node = await startNode(optionsFrom(environment, { ...own, logger: { ...silentLogger, warn } }));
    node.on('unreachable', (peer, why) => {
      faults.set(peer, `no connection to ${peer}: ${node.connectFailure(peer)?.detail ?? why}`);
    });
    return node;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Connects to the node of that full name. */
async function connected(node: Node, full: string): Promise<string> {
  if (await node.connect(full)) return full;
  const failure = node.connectFailure(full);
  throw new UnreachableError(`no connection to ${full}: ${failure?.detail}`, { why: failure?.why });
}

/** Awaits the node that is named, or any node, among those that the discovery finds. */
async function discovered(
  node: Node,
  wanted: string | undefined,
  timeout: number,
  faults: ReadonlyMap<string, string>,
): Promise<string> {
  // A node that was started with port 0 has another port in its full name.
  const part = wanted?.replace(/:0$/, '');
  const isWanted = (name: string): boolean =>
    part === undefined || name === part || name.startsWith(part.includes('@') ? `${part}:` : `${part}@`);
  const name = await firstUp(node, isWanted, timeout);
  if (name !== undefined) return name;
  const others = node.nodes('all');
  const there = others.length === 0 ? [] : [`there are ${others.join(', ')}`];
  const what = `${wanted ?? 'a node'} was not found within ${timeout} ms`;
  const missed = part === undefined ? undefined : [...faults.keys()].find(isWanted);
  const why = missed && node.connectFailure(missed)?.why;
  throw new UnreachableError([what, ...there, ...faults.values()].join('; '), { why });
}

function firstUp(
  node: Node,
  isWanted: (name: string) => boolean,
  timeout: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const name = node.nodes('all').toSorted().find(isWanted);
      if (name !== undefined) end(name);
    };
    const end = (name: string | undefined): void => {
      clearTimeout(timer);
      node.off('nodeup', look);
      resolve(name);
    };
    const timer = setTimeout(() => end(undefined), timeout);
    node.on('nodeup', look);
    look();
  });
}

/** The figures of a node without the connection of this process. */
export async function overviewOf({ node }: Asked, view: Introspection): Promise<NodeOverview> {
  const overview = await view.overview();
  const stalledPeers = overview.stalledPeers.filter((peer) => peer !== node.name);
  return { ...overview, peers: Math.max(0, overview.peers - 1), stalledPeers };
}

/** Whether no answer came from the node. */
function isUnanswered(error: unknown): boolean {
  const reason =
    error instanceof SnowmeshError ? (error.details as { reason?: unknown } | undefined)?.reason : undefined;
  return reason === 'timeout' || reason === 'nodedown' || reason === 'off' || reason === 'stopped';
}

/** A PID as the other node prints it; PIDs of further nodes with their node's name. */
export function pidText({ node, name }: Asked, pid: Pid): string {
  return textOfPid(node, name, pid);
}

/** The PID that the other node prints as `text`. Undefined: `text` is not a PID, or that node has no actor. */
export async function pidOf({ view }: Asked, text: string): Promise<Pid | undefined> {
  const pid = parsePid(/^\d+$/.test(text) ? `<0.${text}>` : text);
  if (pid === undefined || !pid.isLocal) return undefined;
  const { items } = await view.processes({ limit: 1 });
  const [any] = items;
  return any && new Pid(any.pid.nc, pid.local);
}

/** JSON in one line, with PIDs in the form of `pidText`. */
export function jsonOf({ node, name }: Asked, value: unknown): string {
  return `${jsonText(node, name, value)}\n`;
}
