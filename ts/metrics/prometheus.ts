import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import type { DiagnosticEvents } from '../diagnostics/index.ts';
import { checkHost, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { Node } from '../node/index.ts';
import { FIGURES, type Figure, type Moment } from './figures.ts';

/** The registry and the names of the metrics. */
export interface MetricsOptions {
  /** A `Registry` of prom-client. Default: the global one. */
  readonly register?: object | undefined;
  /** The beginning of every metric's name. Default `snowmesh_`. */
  readonly prefix?: string | undefined;
}

const OPTIONS: OptionNames<MetricsOptions> = { register: true, prefix: true };

/** The used part of prom-client. */
interface Metric {
  reset(): void;
  inc(labels: Readonly<Record<string, string>>, value: number): void;
}
interface Registry {
  getSingleMetric(name: string): Metric | undefined;
  removeSingleMetric(name: string): void;
}
type MetricClass = new (configuration: object) => Metric;
interface PromClient {
  readonly register: Registry;
  readonly Counter: MetricClass;
  readonly Gauge: MetricClass;
}

/**
 * Registers the metrics of a node with the package `prom-client`. docs/operate.md lists them. Events - spawns, exits, crashes, restarts,
 * calls without an answer - are counted from this call on. A scrape costs O(actors), spread over turns of the event loop.
 *
 * @param node The node, as `startNode` returned it.
 * @returns A function that removes the metrics.
 * @throws SNOW_ERR_NO_PROMETHEUS when `prom-client` is not installed; SNOW_ERR_BAD_OPTION, also for a second node with the same registry
 * and prefix.
 * @example
 * collectMetrics(node);
 * createServer(async (_, response) => response.end(await register.metrics())).listen(9464);
 */
export function collectMetrics(node: Node, options: MetricsOptions = {}): () => void {
  checkHost('collectMetrics', node);
  checkOptionNames('collectMetrics', options, OPTIONS);
  const { prefix = 'snowmesh_' } = options;
  if (typeof prefix !== 'string' || !/^[a-zA-Z_:][\w:]*$/.test(prefix))
    throw bad('prefix', 'must be the beginning of a metric name: letters, digits, _ and :, no digit first');
  const client = loadPromClient();
  const register = (options.register ?? client.register) as Registry;
  if (typeof register.getSingleMetric !== 'function')
    throw bad('register', 'must be a Registry of prom-client');
  const names = FIGURES.map(({ name }) => prefix + name);
  if (names.some((name) => register.getSingleMetric(name) !== undefined))
    throw bad(
      'register',
      `has metrics ${prefix}… already: give each node of a process its own registry or prefix`,
    );
  const collector = new Collector(node);
  for (const figure of FIGURES) {
    const kind = figure.kind === 'counter' ? client.Counter : client.Gauge;
    const metric: Metric = new kind({
      name: prefix + figure.name,
      help: figure.help,
      labelNames: figure.labels ?? [],
      registers: [register],
      collect: async () => fill(metric, figure, await collector.moment()),
    });
  }
  return () => {
    collector.close();
    for (const name of names) register.removeSingleMetric(name);
  };
}

function fill(metric: Metric, figure: Figure, moment: Moment): void {
  metric.reset();
  for (const [labels, value] of figure.read(moment)) metric.inc(labels, value);
}

/** Counts events, and reads the figures of a node once for all metrics of a scrape. */
class Collector {
  readonly #node: Node;
  readonly #counts = {
    spawns: 0,
    exits: 0,
    crashes: 0,
    restarts: 0,
    callTimeouts: 0,
    refusals: 0,
    failedDials: 0,
  };
  /** Turns of actors that have ended. */
  #turnsOfEnded = 0;
  #pending: Promise<Moment> | undefined;
  readonly #subscriptions: [string, (message: unknown) => void][] = [];

  constructor(node: Node) {
    this.#node = node;
    const counts = this.#counts;
    this.#count('snowmesh:actor:spawn', () => counts.spawns++);
    this.#count('snowmesh:actor:exit', ({ turns }) => {
      counts.exits++;
      this.#turnsOfEnded += turns;
    });
    this.#count('snowmesh:actor:crash', () => counts.crashes++);
    this.#count('snowmesh:child:restart', () => counts.restarts++);
    this.#count('snowmesh:call:timeout', () => counts.callTimeouts++);
    this.#count('snowmesh:peer:refuse', () => counts.refusals++);
    this.#count('snowmesh:peer:unreachable', () => counts.failedDials++);
    node.introspector.view.loopDelay(); // starts the measurement
  }

  /** The figures now. Calls during a read share its result. */
  moment(): Promise<Moment> {
    this.#pending ??= this.#look().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  close(): void {
    for (const [name, listener] of this.#subscriptions) unsubscribe(name, listener);
  }

  async #look(): Promise<Moment> {
    const { view } = this.#node.introspector;
    const { mailbox, turns } = await view.totals();
    return {
      overview: view.overview(),
      sessions: view.sessions(),
      native: this.#node.stats().native,
      mailbox,
      turns: turns + this.#turnsOfEnded,
      events: this.#counts,
    };
  }

  #count<K extends keyof DiagnosticEvents>(name: K, counted: (message: DiagnosticEvents[K]) => void): void {
    const listener = (message: unknown): void => {
      if ((message as DiagnosticEvents[K]).runtime === this.#node) counted(message as DiagnosticEvents[K]);
    };
    subscribe(name, listener);
    this.#subscriptions.push([name, listener]);
  }
}

function bad(option: string, why: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', `collectMetrics: option ${option} ${why}`);
}

function loadPromClient(): PromClient {
  try {
    return createRequire(import.meta.url)('prom-client') as PromClient;
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_NO_PROMETHEUS', undefined, { cause });
  }
}
