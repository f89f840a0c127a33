// The answers of this node. Long tables are read in parts, one part in each turn of the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Runtime } from '../actor/index.ts';
import type { Cell } from '../kernel/index.ts';
import { supervisorsOf } from '../supervisor/index.ts';
import { Pid } from '../term/index.ts';
import type {
  CrashInfo,
  GroupInfo,
  LoopDelay,
  NameInfo,
  NodeOverview,
  Page,
  PageOptions,
  ProcessInfo,
  ProcessSummary,
  RoomInfo,
  SupervisionTree,
  TopKey,
  TopOptions,
  Totals,
  TreeOptions,
} from './answers.ts';
import { type CrashLog, crashLogOf } from './crash-log.ts';
import { IdleTimes } from './idle-times.ts';
import { LoopDelayMeter } from './loop-delay.ts';
import { infoOf, livingCell, memoryOf, summaryOf } from './process-view.ts';
import { type Listing, type SessionCounters, type Sources, sourcesOf } from './sources.ts';
import { treeInTurns, treeOf } from './tree-view.ts';

/** The version of this package. */
export const VERSION = '0.1.0';

/** Most entries of a table that are read in one turn of the event loop. */
const ENTRIES_PER_TURN = 5000;
/** Places of one table in the numbers that `after` and `next` are. */
const PLACES = 2 ** 32;
const DEFAULT_PAGE = 100;
const DEFAULT_TOP = 20;

/** Facts that ts/node provides about the node. */
export interface NodeFacts {
  readonly name: string;
  readonly isHidden: boolean;
}

export class NodeView {
  readonly #runtime: Runtime;
  readonly #node: NodeFacts;
  readonly #sources: Sources;
  readonly #loopDelay = new LoopDelayMeter();
  readonly #idleTimes = new IdleTimes();
  readonly #crashes: CrashLog;
  readonly #startedAt = performance.now();

  constructor(runtime: Runtime, node: NodeFacts) {
    this.#runtime = runtime;
    this.#node = node;
    this.#sources = sourcesOf(runtime);
    this.#crashes = crashLogOf(runtime);
  }

  close(): void {
    this.#loopDelay.close();
  }

  overview(): NodeOverview {
    const runtime = this.#runtime;
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const sessions = this.#sources.sessions();
    return {
      node: this.#node.name,
      hidden: this.#node.isHidden,
      version: VERSION,
      platform: platform(),
      osPid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      clock: Date.now(),
      isStopping: runtime.isStopping,
      actors: runtime.size,
      supervisors: supervisorsOf(runtime).size,
      names: runtime.names.size,
      deadLetters: { ...runtime.deadLetters.counts },
      crashes: this.#crashes.count,
      loopDelay: this.loopDelay(),
      memory: { rss, heapUsed, heapTotal },
      cpuMs: Math.round((user + system) / 1000),
      peers: sessions.length,
      stalledPeers: sessions.filter(({ stalled }) => stalled).map(({ node }) => node),
    };
  }

  /** How late the event loop was. Undefined: nothing was measured yet; the first call starts the measurement. */
  loopDelay(): LoopDelay | undefined {
    return this.#loopDelay.read();
  }

  /** Actors in the order of their start. O(limit + actors / 256). */
  processes({ after = 0, limit = DEFAULT_PAGE }: PageOptions): Page<ProcessSummary> {
    const items: ProcessSummary[] = [];
    let last = 0;
    for (const cell of this.#runtime.table.after(after)) {
      if (items.length === limit) return { items, total: this.#runtime.size, next: last };
      items.push(summaryOf(cell));
      last = cell.pid.local;
    }
    return { items, total: this.#runtime.size, next: undefined };
  }

  /** One actor, by its PID or local name. */
  process(which: Pid | string): ProcessInfo | undefined {
    const pid = which instanceof Pid ? which : this.#runtime.names.whereis(which);
    const cell = pid && livingCell(this.#runtime, pid);
    if (cell === undefined) return undefined;
    const { local } = cell.pid;
    return {
      ...infoOf(cell),
      idleMs: this.#idleTimes.look(local, cell.turns, Math.round(performance.now())),
    };
  }

  /** The actors with the greatest value of one figure. It reads all actors, ENTRIES_PER_TURN in each turn of the event loop. */
  async top({ by = 'mailbox', limit = DEFAULT_TOP }: TopOptions): Promise<ProcessSummary[]> {
    const best = new Best(limit);
    let looked = 0;
    let last = 0;
    for (let isDone = false; !isDone; ) {
      isDone = true;
      for (const cell of this.#runtime.table.after(last)) {
        best.offer(cell, MEASURES[by](cell));
        last = cell.pid.local;
        if (++looked % ENTRIES_PER_TURN !== 0) continue;
        isDone = false;
        break;
      }
      if (!isDone) await nextTurn();
    }
    return best.cells().map(summaryOf);
  }

  /** Sums over all living actors. It reads ENTRIES_PER_TURN of them in each turn of the event loop. */
  async totals(): Promise<Totals> {
    let [mailbox, turns, looked, last] = [0, 0, 0, 0];
    for (;;) {
      const before = looked;
      for (const cell of this.#runtime.table.after(last)) {
        mailbox += cell.mailbox?.size ?? 0;
        turns += cell.turns;
        last = cell.pid.local;
        if (++looked - before === ENTRIES_PER_TURN) break;
      }
      if (looked - before < ENTRIES_PER_TURN) return { mailbox, turns };
      await nextTurn();
    }
  }

  /** The supervision tree, read in parts, one in each turn of the event loop. */
  tree(options: TreeOptions): Promise<SupervisionTree> {
    return treeInTurns(this.#runtime, options);
  }

  /** The supervision tree at this moment. O(limit), and O(supervisors · depth) to find the roots. */
  treeAtOnce(options: TreeOptions): SupervisionTree {
    return treeOf(this.#runtime, options);
  }

  /** The recent crashes of its actors that are later than the one with the id `after`. O(MAX_CRASHES). */
  crashes(options: PageOptions): Page<CrashInfo> {
    return this.#crashes.page(options);
  }

  sessions(): SessionCounters[] {
    return [...this.#sources.sessions()];
  }

  names(options: PageOptions): Promise<Page<NameInfo>> {
    const { names } = this.#runtime;
    const describe = (name: string): NameInfo | undefined => named(name, names.whereis(name));
    return pageOf([{ size: names.size, keys: () => names.keys(), describe }], options);
  }

  globalNames(options: PageOptions): Promise<Page<NameInfo>> {
    return pageOf(listed(this.#sources.globalNames), options);
  }

  /** The groups of all scopes, one scope after the other. */
  groups(options: PageOptions): Promise<Page<GroupInfo>> {
    return pageOf([...this.#sources.groups.values()], options);
  }

  rooms(options: PageOptions): Promise<Page<RoomInfo>> {
    return pageOf(listed(this.#sources.rooms), options);
  }
}

/** A name and its actor; undefined: no actor has the name. */
export function named(name: string, pid: Pid | undefined): NameInfo | undefined {
  return pid && { name, pid };
}

const MEASURES: Readonly<Record<TopKey, (cell: Cell) => number>> = {
  mailbox: ({ mailbox }) => (mailbox === null ? 0 : mailbox.size),
  turns: ({ turns }) => turns,
  memory: memoryOf,
};

/** Keeps the cells with the greatest measures, greatest first. */
class Best {
  readonly #most: number;
  readonly #found: { readonly cell: Cell; readonly measure: number }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** O(log most); O(most) for a cell that is kept. */
  offer(cell: Cell, measure: number): void {
    const found = this.#found;
    if (found.length === this.#most && measure <= (found.at(-1)?.measure ?? 0)) return;
    let [low, high] = [0, found.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((found[middle]?.measure ?? 0) >= measure) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, { cell, measure });
    if (found.length > this.#most) found.pop();
  }

  /** The kept cells that still live. */
  cells(): Cell[] {
    return this.#found.filter(({ cell }) => !cell.isDead).map(({ cell }) => cell);
  }
}

/**
 * A page of some tables, one after the other. It looks at ENTRIES_PER_TURN keys in a turn of the event loop, those that are skipped or
 * have no entry any more included. `next` counts the places of each table on its own, so that a table which grows moves no other.
 */
async function pageOf<T>(
  listings: readonly Listing<T>[],
  { after = 0, limit = DEFAULT_PAGE }: PageOptions,
): Promise<Page<T>> {
  const items: T[] = [];
  const first = Math.floor(after / PLACES);
  let looked = 0;
  let next: number | undefined;
  for (let table = first; table < listings.length && next === undefined; table++) {
    const listing = listings[table] as Listing<T>;
    const from = table === first ? after % PLACES : 0;
    let place = 0;
    for (const key of listing.keys()) {
      if (++looked % ENTRIES_PER_TURN === 0) await nextTurn();
      if (place++ < from) continue;
      if (items.length === limit) {
        next = table * PLACES + place - 1;
        break;
      }
      const item = listing.describe(key);
      if (item !== undefined) items.push(item);
    }
  }
  return { items, total: listings.reduce((sum, { size }) => sum + size, 0), next };
}

function listed<T>(listing: Listing<T> | undefined): readonly Listing<T>[] {
  return listing === undefined ? [] : [listing];
}

function platform(): string {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${process.version}` : `deno ${deno}`;
}
