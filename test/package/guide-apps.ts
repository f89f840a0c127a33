// What the tests of guides with several processes need: programs of the guides as files, requests to them, and a node that sees theirs come
// and go.
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { portmapDiscovery } from '../../ts/discovery/index.ts';
import { type Node, startNode } from '../../ts/node/index.ts';
import { root } from '../support/child.ts';
import { until, within } from '../support/deadline.ts';
import { reservePort } from '../support/ports.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';

export const MS = 60_000;
export const COOKIE = 'the nodes of this test know it: 5f0e2c';
process.env['COOKIE'] = COOKIE; // where the programs of the guides take it from

export interface Ports {
  readonly http: number;
  readonly portmap: number;
}

export const reservePorts = async (): Promise<Ports> => ({
  http: await reservePort(),
  portmap: await reservePort(),
});

/** A program with ports that are free, and two processes. */
export function adapted(text: string, { http, portmap }: Ports): string {
  return text
    .replace('4370', String(portmap))
    .replace('3000', String(http))
    .replace('availableParallelism()', '2');
}

/** Writes a program of a guide to a file, adapted; gives its text. */
export function writeProgram(
  folder: string,
  guide: string,
  name: string,
  file: string,
  ports: Ports,
): string {
  const text = adapted(programsOf(guide).get(name) ?? '', ports);
  writeFileSync(join(folder, file), text);
  return text;
}

/** Puts packages of this repository beside the installed one. */
export function addPackages(folder: string, ...names: string[]): void {
  for (const name of names)
    cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
}

/** The whole body; undefined where nobody accepts the connection, or the answer is cut off. */
export function ask(port: number, path = '/'): Promise<string | undefined> {
  const answered = new Promise<string | undefined>((resolve) => {
    const request = get({ port, host: '127.0.0.1', path, agent: false });
    request.once('error', () => resolve(undefined));
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => (body += text));
      response.once('close', () => resolve(response.complete ? body : undefined));
    });
  });
  return within(`an answer from port ${port}`, answered, MS);
}

/** Whether a connection to the port is accepted. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Asks until the answer is as wanted. */
export async function answer(what: string, port: number, wanted: (text: string) => boolean): Promise<string> {
  let found = '';
  await until(
    what,
    async () => {
      found = (await ask(port)) ?? '';
      return found !== '' && wanted(found);
    },
    MS,
  );
  return found;
}

/** Resolves once the process has ended, whether or not its parent has taken notice. */
export const gone = (pid: number): Promise<unknown> =>
  until(`the end of process ${pid}`, () => hasEnded(pid), MS);

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** A node of this process that joins the nodes of a program. */
export interface Watcher {
  readonly node: Node;
  /** `up NAME` and `down NAME CAUSE`, oldest first. Names are without host and port. */
  readonly seen: string[];
  /** Resolves once `seen` has this many lines that match. */
  sees(pattern: RegExp, count?: number): Promise<unknown>;
}

let watchers = 0;

export async function startWatcher(ports: Ports): Promise<Watcher> {
  const node = await startNode({
    name: `watcher${++watchers}@127.0.0.1:0`,
    cookie: COOKIE,
    discovery: portmapDiscovery({ port: ports.portmap, intervalMs: 50 }),
    logger: silent,
  });
  const seen: string[] = [];
  const short = (name: string): string => name.replace(/@.*/, '');
  node.on('nodeup', (name) => void seen.push(`up ${short(name)}`));
  node.on('nodedown', (name, cause) => void seen.push(`down ${short(name)} ${cause}`));
  const sees = (pattern: RegExp, count = 1): Promise<unknown> =>
    until(`${count} of ${pattern}`, () => seen.filter((line) => pattern.test(line)).length >= count, MS);
  return { node, seen, sees };
}

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
