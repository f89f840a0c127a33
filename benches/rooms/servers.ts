// The server processes of a case: ours, which connect to each other, or a rival's, which share a Redis.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dialect } from './clients.ts';
import { OURS, PLAIN, SOCKET_IO } from './dialects.ts';

/** What a server process says when it is up. */
export interface Up {
  readonly port: number;
  /** Under which our node is found. */
  readonly node?: string;
  readonly suite?: string;
}

/** What it says when it is asked. */
export interface Load {
  /** User and system time so far. Unit: seconds. */
  readonly cpu: number;
  /** Unit: bytes. */
  readonly rss: number;
  readonly heap: number;
}

export interface Fleet {
  readonly suite: string;
  readonly dialect: Dialect;
  readonly ports: readonly number[];
  /** Lets the first server broadcast so many messages at once. */
  broadcast(count: number): void;
  /** @param of memory: after a collection. */
  loads(of: 'cpu' | 'memory'): Promise<readonly Load[]>;
  /** CPU of what else the servers need. Unit: seconds. */
  otherCpu(): number;
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly servers: number;
  /** Bytes of a message. */
  readonly bytes: number;
  readonly compress?: boolean;
}

const RIVALS = resolve('benches/peers/rooms');

/** Starts servers of ours, or of a rival. */
export async function startFleet(rival: string | undefined, options: FleetOptions): Promise<Fleet> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const own = rival === undefined ? 'server' : rival === 'bare-sockets' ? 'bare-server' : undefined;
  const redis = own === undefined ? await startRedis() : undefined;
  const cookie = randomBytes(32).toString('base64url');
  const servers: ServerProcess[] = [];
  try {
    for (let number = 0; number < options.servers; number++) {
      const seed = servers[0]?.up.node ?? '';
      servers.push(
        own !== undefined
          ? await ServerProcess.start(fileURLToPath(new URL(`./${own}${extension}`, import.meta.url)), {
              number,
              cookie,
              seed,
              ...options,
            })
          : await ServerProcess.start(join(RIVALS, 'server.mjs'), { rival, port: redis?.port, ...options }),
      );
    }
  } catch (error) {
    for (const server of servers) server.kill();
    redis?.stop();
    throw error;
  }
  const [first] = servers as [ServerProcess];
  return {
    suite: first.up.suite ?? 'snowmesh',
    dialect: rival === undefined ? OURS : rival.startsWith('socket.io') ? SOCKET_IO : PLAIN,
    ports: servers.map(({ up }) => up.port),
    broadcast: (count) => first.send({ broadcast: count }),
    loads: (of) => Promise.all(servers.map((server) => server.load(of))),
    otherCpu: () => (redis === undefined ? 0 : cpuOf(redis.pid)),
    stop: async () => {
      await Promise.all(servers.map((server) => server.end()));
      redis?.stop();
    },
  };
}

class ServerProcess {
  readonly up: Up;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, up: Up) {
    this.#child = child;
    this.up = up;
  }

  static async start(program: string, order: object): Promise<ServerProcess> {
    const profile = process.env['SNOWMESH_BENCH_PROFILE'];
    const child = fork(program, [JSON.stringify(order)], {
      execArgv: [
        ...process.execArgv, // what loads TypeScript, if that is what runs
        '--expose-gc',
        ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
      ],
    });
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const up = await new Promise<Up>((done, failed) => {
      child.once('message', (message) => done(message as Up));
      child.once('exit', (code) => failed(new Error(`a server ended with ${code} before it was up`)));
    });
    return new ServerProcess(child, up);
  }

  send(order: object): void {
    this.#child.send(order);
  }

  async load(of: 'cpu' | 'memory'): Promise<Load> {
    const ended = new AbortController();
    const end = (): void => ended.abort(new Error('a server ended'));
    this.#child.once('exit', end);
    this.#child.send({ load: of });
    const [load] = await once(this.#child, 'message', { signal: ended.signal });
    this.#child.off('exit', end);
    return load as Load;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  end(): Promise<unknown> {
    const gone = new Promise((done) => this.#child.once('exit', done));
    this.#child.disconnect();
    return gone;
  }
}

/** Whether the rivals' broker is there. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

interface Redis {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

async function startRedis(): Promise<Redis> {
  if (!hasRedis()) throw new Error('redis-server is not on the PATH (Debian: redis-server)');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'snowmesh-redis-'));
  const options = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const { pid } = child;
  if (pid === undefined) throw new Error('redis-server did not start');
  return {
    port,
    pid,
    stop: () => {
      child.kill();
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** User and system time of another process, where there is /proc. Unit: seconds, in steps of 10 ms. */
function cpuOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
