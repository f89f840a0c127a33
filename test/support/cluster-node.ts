// The program of a test node's process. It is told what to do over its IPC channel: each message carries the text of
// a function, which is called with the workbench below and the arguments that came with it.
import * as snow from '../../ts/index.ts';
import { DEADLINE_MS, deferred, turns, until, within } from './deadline.ts';

/** What a test may set for a node; the cookie of tests is the default. */
export type StartRequest = snow.NodeOptions & { name: string };

/** What an actor has received. */
export class Probe {
  readonly messages: unknown[] = [];
  readonly pid: snow.Pid<unknown>;
  /** The actor's own handle: set before `probe()` resolves. */
  readonly self: snow.Self<unknown>;
  #wake = deferred();

  constructor(self: snow.Self<unknown>) {
    this.self = self;
    this.pid = self.pid;
  }

  took(message: unknown): void {
    this.messages.push(message);
    this.#wake.resolve();
    this.#wake = deferred();
  }

  /** Resolves with all messages once there are `count`. */
  async count(count: number, ms = DEADLINE_MS): Promise<unknown[]> {
    const end = performance.now() + ms;
    while (this.messages.length < count) {
      const what = `message number ${count} (${this.messages.length} came)`;
      await within(what, this.#wake.promise, Math.max(1, end - performance.now()));
    }
    return this.messages;
  }

  /** Resolves with the first message that `matches`. */
  async first<T>(matches: (message: unknown) => T | undefined | false, ms = DEADLINE_MS): Promise<T> {
    const end = performance.now() + ms;
    for (let next = 0; ; next++) {
      while (next >= this.messages.length) {
        await within('a message that matches', this.#wake.promise, Math.max(1, end - performance.now()));
      }
      const found = matches(this.messages[next]);
      if (found !== undefined && found !== false) return found;
    }
  }
}

/** The tools a step has. */
export class Workbench {
  readonly snow = snow;
  readonly until = until;
  readonly within = within;
  readonly turns = turns;
  readonly deferred = deferred;
  /** Values that one step leaves for later ones. */
  // biome-ignore lint/suspicious/noExplicitAny: steps know what they left
  readonly box: Record<string, any> = {};
  readonly probes = new Map<string, Probe>();
  /** The events and log lines of the node, in order. */
  readonly events: unknown[][] = [];
  #node: snow.Node | undefined;

  /** The node of this process. */
  get node(): snow.Node {
    if (this.#node === undefined) throw new Error('no node was started in this process');
    return this.#node;
  }

  async start(options: StartRequest): Promise<string> {
    const record =
      (level: string) =>
      (fields: object, text?: string): void =>
        void this.events.push(['log', level, text, fields]);
    const logger = {
      error: record('error'),
      warn: record('warn'),
      info: record('info'),
      debug: record('debug'),
    };
    const node = await snow.startNode({ logger, ...options });
    for (const event of ['nodeup', 'nodedown', 'stalled', 'recovered', 'busy', 'drain', 'refused'] as const) {
      node.on(event, (...args: unknown[]) => void this.events.push([event, ...args]));
    }
    this.#node = node;
    return node.name;
  }

  /** Loads a module of the tests, named from this folder and without `.ts`: what a step is too small for. */
  load(path: string): Promise<never> {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    return import(new URL(path + extension, import.meta.url).href) as Promise<never>;
  }

  /** Events of one kind so far. */
  seen(event: string): unknown[][] {
    return this.events.filter(([kind]) => kind === event);
  }

  /** Waits for the `count`-th event of a kind and gives all of that kind. */
  async event(event: string, count = 1, ms = DEADLINE_MS): Promise<unknown[][]> {
    await until(`event ${event} number ${count}`, () => this.seen(event).length >= count, ms);
    return this.seen(event);
  }

  /** Starts a recording actor, registered when a name is given. */
  async probe(name?: string, trap = false): Promise<Probe> {
    const started = deferred<Probe>();
    this.node.spawn(async (self: snow.Self<unknown>) => {
      if (trap) self.trapExit(true);
      const probe = new Probe(self);
      if (name !== undefined) self.register(name);
      started.resolve(probe);
      for (;;) probe.took(await self.receive());
    });
    const probe = await started.promise;
    if (name !== undefined) this.probes.set(name, probe);
    return probe;
  }

  /** Starts an actor that answers `[from, x]` with `['echo', x]`, under a name. */
  echo(name = 'echo'): snow.Pid<unknown> {
    const pid = this.node.spawn(async (self: snow.Self<unknown>) => {
      for (;;) {
        const message = await self.receive();
        if (Array.isArray(message)) self.send(message[0] as snow.Pid<unknown>, ['echo', message[1]]);
      }
    });
    this.node.register(name, pid);
    return pid;
  }
}

interface Request {
  readonly id: number;
  readonly source: string;
  readonly args: unknown[];
}

const bench = new Workbench();

process.on('message', (request: Request) => void obey(request));
process.once('disconnect', () => process.exit(0));

async function obey({ id, source, args }: Request): Promise<void> {
  try {
    // Steps come from the test that started this process, over its own IPC channel.
    // oxlint-disable-next-line no-eval
    const step = (0, eval)(`(${source})`) as (bench: Workbench, ...args: unknown[]) => unknown;
    process.send?.({ id, value: await step(bench, ...args) });
  } catch (error) {
    const { name, message, stack, code } = error as Error & { code?: string };
    process.send?.({ id, error: { name, message: String(message ?? error), stack, code } });
  }
}
