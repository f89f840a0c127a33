// The supervision tree, read from the supervisors' tables without sending a message.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Runtime } from '../actor/index.ts';
import { cellOf } from '../kernel/index.ts';
import { type ChildLine, type Listed, supervisorsOf } from '../supervisor/index.ts';
import type { SupervisionTree, TreeNode, TreeOptions } from './answers.ts';
import { livingCell, short } from './process-view.ts';

const DEFAULT_LIMIT = 500;
/** Most levels below a root: a message must not be nested deeper than 128. */
const MAX_DEPTH = 24;
/** Most table entries that are read in one turn of the event loop. */
const STEPS_PER_TURN = 5000;

type Growing = { -readonly [K in keyof TreeNode]: TreeNode[K] } & { readonly children: TreeNode[] };

/** An entry whose children are not listed yet. */
interface Open {
  readonly entry: Growing;
  readonly listed: Listed;
  readonly depth: number;
}

/** The tree at this moment, breadth first: the deepest entries are left out. O(limit), and O(supervisors · depth) to find the roots. */
export function treeOf(runtime: Runtime, options: TreeOptions): SupervisionTree {
  const walk = new Walk(runtime).tree(options);
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

/** {@link treeOf}, STEPS_PER_TURN entries in each turn of the event loop. A change meanwhile may be shown or not. */
export async function treeInTurns(runtime: Runtime, options: TreeOptions): Promise<SupervisionTree> {
  const walk = new Walk(runtime).tree(options);
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}

/** Yields after every STEPS_PER_TURN entries. */
type Steps<T> = Generator<undefined, T>;

class Walk {
  readonly #runtime: Runtime;
  #left = STEPS_PER_TURN;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  *tree({ root, after = 0, limit = DEFAULT_LIMIT }: TreeOptions): Steps<SupervisionTree> {
    const runtime = this.#runtime;
    const roots = root === undefined ? yield* this.#roots() : [supervisorsOf(runtime).get(root.local)];
    const tops: TreeNode[] = [];
    const open: Open[] = [];
    let room = limit;
    for (const listed of roots) {
      if (room === 0) break;
      if (listed === undefined || (root !== undefined && !listed.pid.equals(root))) continue;
      const entry = entryOf(runtime, listed.pid.toString(), listed.pid, 'supervisor');
      entry.id = entry.label ?? entry.id;
      tops.push(entry);
      open.push({ entry, listed, depth: 0 });
      room--;
    }
    const most = root === undefined ? Math.max(1, Math.floor(limit / 4)) : limit;
    let next: number | undefined;
    for (let at = 0; at < open.length; at++) {
      const each = open[at] as Open;
      const skipped = at === 0 && root !== undefined ? after : 0;
      const shown = yield* this.#list(each, skipped, Math.min(room, most), open);
      room -= shown;
      if (at === 0 && root !== undefined && each.entry.omitted > 0) next = after + shown;
    }
    return { roots: tops, omitted: root === undefined ? roots.length - tops.length : 0, next };
  }

  /** The supervisors that have no supervisor among their ancestors on this node. */
  *#roots(): Steps<Listed[]> {
    const all = supervisorsOf(this.#runtime);
    const roots: Listed[] = [];
    for (const listed of all.values()) {
      if (this.#isDue()) yield;
      const own = cellOf(listed.pid);
      let above = own && cellOf(own.parent);
      while (above !== undefined && !all.has(above.pid.local)) {
        above = cellOf(above.parent);
        if (this.#isDue()) yield;
      }
      if (above === undefined) roots.push(listed);
    }
    return roots;
  }

  /** Lists children of one supervisor. Returns how many. */
  *#list({ entry, listed, depth }: Open, skip: number, most: number, open: Open[]): Steps<number> {
    const runtime = this.#runtime;
    const { children } = listed;
    let place = 0;
    let shown = 0;
    for (const line of children.lines()) {
      if (this.#isDue()) yield;
      if (place++ < skip) continue;
      if (shown === most || depth === MAX_DEPTH) break;
      shown++;
      const child = childEntry(runtime, line);
      entry.children.push(child);
      const below = child.pid?.isLocal === true ? supervisorsOf(runtime).get(child.pid.local) : undefined;
      if (below !== undefined) open.push({ entry: child, listed: below, depth: depth + 1 });
    }
    const { supervisors, workers } = children.countChildren();
    const all = supervisors + workers;
    if (this.#isDue(all)) yield;
    entry.omitted = Math.max(0, all - skip - shown);
    return shown;
  }

  /** Counts `entries`; true when the event loop must run. */
  #isDue(entries = 1): boolean {
    this.#left -= entries;
    if (this.#left > 0) return false;
    this.#left = STEPS_PER_TURN;
    return true;
  }
}

function childEntry(runtime: Runtime, { id, pid, type, restart, restarts }: ChildLine): Growing {
  const entry = entryOf(runtime, id, pid === 'restarting' ? undefined : pid, type);
  entry.restart = restart;
  entry.restarts = restarts;
  if (pid === 'restarting') entry.state = 'restarting';
  return entry;
}

function entryOf(runtime: Runtime, id: string, pid: TreeNode['pid'], type: TreeNode['type']): Growing {
  const cell = pid === undefined ? undefined : livingCell(runtime, pid);
  return {
    id: short(id),
    pid,
    label: cell === undefined ? undefined : short(cell.label),
    type,
    restart: undefined,
    restarts: undefined,
    state: pid === undefined ? 'stopped' : 'running',
    node: pid === undefined || pid.isLocal ? undefined : runtime.nodeOf(pid),
    mailbox: cell?.mailbox?.size ?? 0,
    children: [],
    omitted: 0,
  };
}
