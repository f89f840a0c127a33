import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { ProcessInfo, ProcessSummary, TopKey } from '../introspect/index.ts';
import type { Pid } from '../term/index.ts';
import { ASKING_OPTIONS, type Asked, asking, jsonOf, overviewOf, pidText } from './asking.ts';
import { type Command, EXIT, type Given, UsageError } from './command.ts';
import type { OpenScreen, Screen, Terminal } from './terminal.ts';
import { type TopLook, type TopRow, type TopState, topScreen } from './top-screen.ts';

/** `snowmesh top`: the busiest actors of a node, live. */
export const topCommand: Command = {
  name: 'top',
  summary: 'show live which actors have the longest mailboxes, the most turns or the most memory',
  notes:
    '  keys: m mailbox, t turns, e memory, up and down select, enter shows the actor, space pauses, q quits',
  examples: ['snowmesh top --by memory --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    by: {
      value: 'what',
      summary: 'the order: mailbox, turns or memory. Default: mailbox',
      choices: ['mailbox', 'turns', 'memory'],
    },
    limit: { value: 'n', summary: 'the most actors to show, from 1 to 100. Default: 40' },
    every: { value: 'ms', summary: 'the time between two updates, in ms, from 100. Default: 1000' },
    once: { summary: 'print one table, and end' },
  },
  async run(given, terminal) {
    const top = optionsOf(given);
    const { screen } = terminal;
    const isLive = !given.flag('once') && !given.flag('json');
    if (isLive && screen === undefined)
      throw new UsageError('there is no terminal that can be drawn on: use --once or --json');
    return asking(given, terminal, async (asked) => {
      const samples = new Samples(asked, top);
      if (isLive && screen !== undefined)
        await new LiveTop(asked, samples, screen, terminal, top.every).run();
      else if (given.flag('json'))
        await printLines(samples, asked, terminal, given.flag('once') ? undefined : top.every);
      else terminal.out(`${topScreen(await samples.next(), tableOf(top)).join('\n')}\n`);
      return EXIT.DONE;
    });
  },
};

interface TopSettings {
  by: TopKey;
  readonly limit: number;
  readonly every: number;
}

function tableOf({ limit }: TopSettings): TopLook {
  return { columns: 200, rows: limit + 5, isLive: false, hasColors: false };
}

function optionsOf(given: Given): TopSettings {
  return {
    by: (given.text('by') ?? 'mailbox') as TopKey,
    limit: given.whole('limit', 40, 1, 100),
    every: given.whole('every', 1000, 100, 3_600_000),
  };
}

/** Queries repeatedly, and computes rates between two answers. */
class Samples {
  readonly #asked: Asked;
  readonly settings: TopSettings;
  #before:
    | { readonly at: number; readonly cpuMs: number; readonly turns: ReadonlyMap<string, number> }
    | undefined;

  constructor(asked: Asked, settings: TopSettings) {
    this.#asked = asked;
    this.settings = settings;
  }

  async next(): Promise<TopState> {
    const { view } = this.#asked;
    const { by, limit } = this.settings;
    const [overview, actors] = await Promise.all([overviewOf(this.#asked, view), view.top({ by, limit })]);
    const at = performance.now();
    const before = this.#before;
    const seconds = before === undefined ? 0 : (at - before.at) / 1000;
    const rows = actors.map((actor) => this.#row(actor, seconds));
    this.#before = {
      at,
      cpuMs: overview.cpuMs,
      turns: new Map(actors.map(({ pid, turns }) => [pid.key, turns])),
    };
    const cpu = before === undefined ? undefined : (overview.cpuMs - before.cpuMs) / 1000 / seconds;
    return { overview, rows, by, isPaused: false, cursor: 0, cpu };
  }

  #row(actor: ProcessSummary, seconds: number): TopRow {
    const turns = this.#before?.turns.get(actor.pid.key);
    const rate = turns === undefined ? undefined : Math.max(0, (actor.turns - turns) / seconds);
    return { ...actor, text: pidText(this.#asked, actor.pid), rate };
  }
}

async function printLines(
  samples: Samples,
  asked: Asked,
  terminal: Terminal,
  every: number | undefined,
): Promise<void> {
  for (;;) {
    const { overview, rows } = await samples.next();
    terminal.out(jsonOf(asked, { overview, actors: rows }));
    if (every === undefined || terminal.signal.aborted) return;
    await pause(every, terminal.signal);
    if (terminal.signal.aborted) return;
  }
}

/** The screen with its keys. */
class LiveTop {
  readonly #asked: Asked;
  readonly #samples: Samples;
  readonly #screen: Screen;
  readonly #terminal: Terminal;
  readonly #every: number;
  readonly #quit = new AbortController();
  #state: TopState | undefined;
  #cursor = 0;
  #isPaused = false;
  #info: ProcessInfo | undefined;
  #looksAt: Pid | undefined;
  #open: OpenScreen | undefined;
  #wake: () => void = () => {};

  constructor(asked: Asked, samples: Samples, screen: Screen, terminal: Terminal, every: number) {
    this.#asked = asked;
    this.#samples = samples;
    this.#screen = screen;
    this.#terminal = terminal;
    this.#every = every;
  }

  async run(): Promise<void> {
    const { signal } = this.#terminal;
    signal.addEventListener('abort', () => this.#quit.abort(), { once: true });
    this.#quit.signal.addEventListener('abort', () => this.#wake(), { once: true });
    const open = this.#screen.open(
      (key) => this.#pressed(key),
      () => this.#draw(),
    );
    this.#open = open;
    try {
      while (!this.#quit.signal.aborted && !signal.aborted) {
        if (!this.#isPaused) await this.#look();
        this.#draw();
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, this.#every);
          this.#wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      open.close();
    }
  }

  async #look(): Promise<void> {
    try {
      this.#state = await this.#samples.next();
      const pid = this.#looksAt;
      this.#info = pid && (await this.#asked.view.processInfo(pid as Pid<never>));
    } catch (error) {
      if (this.#state === undefined) throw error;
      this.#state = { ...this.#state, problem: (error as Error).message };
    }
  }

  #pressed(key: string): void {
    const rows = this.#state?.rows ?? [];
    const by = KEYS[key];
    if (key === 'q' || key === 'escape') return this.#quit.abort();
    if (by !== undefined) this.#samples.settings.by = by;
    else if (key === 'down') this.#cursor = Math.min(rows.length - 1, this.#cursor + 1);
    else if (key === 'up') this.#cursor = Math.max(0, this.#cursor - 1);
    else if (key === 'space') this.#isPaused = !this.#isPaused;
    else if (key === 'return')
      this.#looksAt = this.#looksAt === undefined ? rows[this.#cursor]?.pid : undefined;
    else return;
    if (this.#looksAt === undefined) this.#info = undefined;
    this.#draw();
    if (by !== undefined || key === 'return' || key === 'space') this.#wake();
  }

  #draw(): void {
    if (this.#state === undefined || this.#open === undefined) return;
    const { hasColors } = this.#open;
    const cursor = Math.max(0, Math.min(this.#cursor, this.#state.rows.length - 1));
    const state = { ...this.#state, cursor, isPaused: this.#isPaused, info: this.#info };
    this.#open.draw(topScreen(state, { ...this.#open.size(), isLive: true, hasColors }));
  }
}

const KEYS: Readonly<Record<string, TopKey>> = { m: 'mailbox', t: 'turns', e: 'memory' };

/** Resolves after `ms`, or at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeoutPromise(ms, undefined, { signal }).catch(() => {});
}
