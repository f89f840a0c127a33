// Starts real nodes, each in an operating-system process of its own, and lets a test run code inside them.
//
// `run` sends a function as text: it may use nothing but its parameters, whose first is the node's workbench (see
// cluster-node.ts). Values travel by structured clone, so a Pid is turned into text or kept in `box`.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { TestRunner } from 'vitest';
import type { MeshMode } from '../../ts/index.ts';
import { type Child, childCommand, hasSignals, root, watch } from './child.ts';
import type { StartRequest, Workbench } from './cluster-node.ts';
import { DEADLINE_MS, within } from './deadline.ts';
import type { Host } from './hosts.ts';
import { reservePort } from './ports.ts';
import { Proxy } from './proxy.ts';
import { randomFrom, seed } from './seed.ts';

/** The secret of every test cluster; a test greps outputs for it. */
export const COOKIE = 'test-cookie-9f3c7b1e5d8a2460';

/** `SNOWMESH_READER=thread` runs every test with the other way of reading sockets. */
const READER = process.env['SNOWMESH_READER'] === 'thread' ? ({ reader: 'thread' } as const) : {};

/** The limit of silence between nodes of tests. Unit: ms. */
const PATIENT_MS = 120_000;

type Step<A extends unknown[], T> = (bench: Workbench, ...args: A) => T | Promise<T>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { name: string; message: string; code?: string; stack?: string };
}

/** One process. */
export class ClusterNode {
  /** Its name once started, with the real port. */
  name = '';
  readonly child: Child;
  #next = 1;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(child: Child) {
    this.child = child;
    child.process.on('message', (answer: Answer) => this.#answered(answer));
    child.process.once('close', () => this.#ended());
  }

  /** Runs `step` inside the process and gives its result; errors come back with their code. */
  run<A extends unknown[], T>(step: Step<A, T>, ...args: A): Promise<Awaited<T>> {
    return this.runFor(DEADLINE_MS * 2, step, ...args);
  }

  /** `run` with a deadline of its own, in ms. */
  runFor<A extends unknown[], T>(ms: number, step: Step<A, T>, ...args: A): Promise<Awaited<T>> {
    const id = this.#next++;
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.process.send({ id, source: step.toString(), args }, (error) => error && reject(error));
    });
    const what = `a step in ${this.name || 'a node'}: ${step.toString().slice(0, 200)}`;
    return within(what, promise as Promise<Awaited<T>>, ms).catch((error: Error) => {
      error.message += this.#story();
      throw error;
    });
  }

  /** SIGSTOP: the process does nothing any more, its sockets stay open. Where there is no such signal the test is skipped. */
  freeze(): void {
    if (!hasSignals) TestRunner.getCurrentTest()?.context.skip('processes cannot be stopped here');
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    if (hasSignals) this.child.kill('SIGCONT');
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child.exit();
  }

  /** Everything the process wrote. */
  output(): string {
    return this.child.stdout() + this.child.stderr();
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) return waiting?.resolve(answer.value);
    const { name, message, code, stack } = answer.error;
    const error = Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
    error.stack = `${error.stack ?? ''}\n--- in ${this.name}: ${stack ?? ''}`;
    waiting?.reject(error);
  }

  #ended(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`the process of ${this.name} ended before it answered${this.#story()}`));
    }
    this.#waiting.clear();
  }

  #story(): string {
    const text = this.output();
    return text === '' ? '' : `\n--- output of ${this.name}\n${text.slice(-4000)}`;
  }
}

/** All processes, proxies and clients of one test; `stop` (or `await using`) leaves none behind. */
export class Cluster implements AsyncDisposable {
  readonly random: () => number = randomFrom(seed());
  readonly #mesh: MeshMode;
  readonly #processes: ChildProcess[] = [];
  readonly #proxies: Proxy[] = [];
  readonly #clients: { close(): void }[] = [];

  /** Default `explicit`: most tests connect nodes themselves, and no lost node is to be dialled again. Users have `full`. */
  constructor(mesh: MeshMode = 'explicit') {
    this.#mesh = mesh;
  }

  /** Starts a process without a node in it, on this machine or on an imitated host. */
  async process(
    env: Record<string, string> = {},
    nodeOptions: string[] = ['--expose-gc'],
    host?: Host,
  ): Promise<ClusterNode> {
    const file = new URL('./cluster-node.ts', import.meta.url);
    const command = [process.execPath, ...nodeOptions, ...childCommand(file)];
    const [program = '', ...words] =
      host === undefined ? command : ['ip', 'netns', 'exec', host.namespace, ...command];
    const child = spawn(program, words, {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#processes.push(child);
    const node = new ClusterNode(watch(child));
    await node.run(() => undefined);
    return node;
  }

  /** Starts a process and a node in it. */
  async node(options: StartRequest): Promise<ClusterNode> {
    const node = await this.process();
    await startIn(node, { mesh: this.#mesh, ...options });
    return node;
  }

  /** Starts a process on an imitated host, and a node of its address in it. */
  async nodeOn(host: Host, { name, ...options }: StartRequest): Promise<ClusterNode> {
    const node = await this.process(undefined, undefined, host);
    const [local, port = '4370'] = name.split(':');
    await startIn(node, { mesh: this.#mesh, ...options, name: `${local}@${host.address}:${port}` });
    return node;
  }

  /** Starts several, at the same time. */
  nodes(...each: StartRequest[]): Promise<ClusterNode[]> {
    return Promise.all(each.map((options) => this.node(options)));
  }

  /** Connects each node to the next one, and the last one to the first. */
  async ring(nodes: readonly ClusterNode[]): Promise<void> {
    for (const [at, node] of nodes.entries()) {
      const next = nodes[(at + 1) % nodes.length] as ClusterNode;
      await node.run((bench, name) => bench.node.connect(name), next.name);
    }
  }

  /** A proxy with no target yet. */
  async proxy(): Promise<Proxy> {
    const proxy = await Proxy.listen();
    this.#proxies.push(proxy);
    return proxy;
  }

  /** A node that peers reach through a proxy only: it is named after the proxy's port. */
  async behindProxy(options: StartRequest): Promise<{ node: ClusterNode; proxy: Proxy }> {
    const proxy = await this.proxy();
    const node = await this.process();
    await startBehind(node, proxy, { mesh: this.#mesh, ...options });
    return { node, proxy };
  }

  /** A client that is closed before the processes end. */
  client<T extends { close(): void }>(client: T): T {
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    const ends = this.#processes
      .filter((child) => child.exitCode === null && child.signalCode === null)
      .map((child) => {
        const end = once(child, 'close');
        child.kill('SIGKILL');
        return end;
      });
    await within('the end of a test cluster', Promise.all(ends));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    this.#processes.length = 0;
    this.#proxies.length = 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a node in a process; its name is known afterwards. Unless a test says otherwise no node is lost by the clock, however
 * long it is frozen or kept from its work; and one that is given port 0 has a port that it can be started on again.
 */
export async function startIn(node: ClusterNode, options: StartRequest): Promise<void> {
  const request = {
    cookie: COOKIE,
    mesh: 'explicit' as const,
    downMs: PATIENT_MS,
    ...READER,
    ...options,
    name: await fullName(options),
  };
  node.name = await node.run((bench, wanted) => bench.start(wanted), request);
}

/** Starts a node that is reached through `proxy`. */
export async function startBehind(node: ClusterNode, proxy: Proxy, options: StartRequest): Promise<void> {
  const [local] = options.name.split('@');
  await startIn(node, { ...options, name: `${local}@127.0.0.1:${proxy.port}`, listen: { port: 0 } });
  proxy.target(await node.run((bench) => bench.node.port));
}

async function fullName({ name, listen }: StartRequest): Promise<string> {
  const full = name.includes('@') ? name : `${name}@127.0.0.1:0`;
  return listen === undefined ? full.replace(/:0$/, `:${await reservePort()}`) : full;
}
