// The supervision tree as introspection shows it, read from the supervisors' tables without a message.
import type { Runtime } from '../actor/index.ts';
import { cellOf } from '../kernel/index.ts';
import { type ChildInfo, type Listed, supervisorsOf } from '../supervisor/index.ts';
import { livingCell, short } from './process-view.ts';
import type { SupervisionTree, TreeNode, TreeOptions } from './shape.ts';

const DEFAULT_LIMIT = 500;
/** Levels below a root. A tree of messages must not be nested deeper than 128. */
const MAX_DEPTH = 24;

type Growing = { -readonly [K in keyof TreeNode]: TreeNode[K] } & { readonly children: TreeNode[] };

/** An entry whose children are to be listed. */
interface Open {
  readonly entry: Growing;
  readonly listed: Listed;
  readonly depth: number;
}

/** Breadth first, so that what is left out is what is deepest. O(limit), and O(supervisors · depth) to find the roots. */
export function treeOf(runtime: Runtime, options: TreeOptions): SupervisionTree {
  const { root, after = 0, limit = DEFAULT_LIMIT } = options;
  const roots = root === undefined ? rootsOf(runtime) : [supervisorsOf(runtime).get(root.local)];
  const tops: TreeNode[] = [];
  const open: Open[] = [];
  let room = limit;
  for (const listed of roots) {
    if (listed === undefined || (root !== undefined && !listed.pid.equals(root)) || room === 0) continue;
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
    const shown = list(runtime, each, skipped, Math.min(room, most), open);
    room -= shown;
    if (at === 0 && root !== undefined && each.entry.omitted > 0) next = after + shown;
  }
  return { roots: tops, omitted: root === undefined ? roots.length - tops.length : 0, next };
}

/** Lists children of one supervisor. Gives how many. */
function list(
  runtime: Runtime,
  { entry, listed, depth }: Open,
  skip: number,
  most: number,
  open: Open[],
): number {
  const { children } = listed;
  let place = 0;
  let shown = 0;
  for (const line of children.lines()) {
    if (place++ < skip) continue;
    if (shown === most || depth === MAX_DEPTH) break;
    shown++;
    const child = childEntry(runtime, line);
    entry.children.push(child);
    const below = child.pid?.isLocal === true ? supervisorsOf(runtime).get(child.pid.local) : undefined;
    if (below !== undefined) open.push({ entry: child, listed: below, depth: depth + 1 });
  }
  entry.omitted = Math.max(0, children.countChildren().specs - skip - shown);
  return shown;
}

function childEntry(runtime: Runtime, { id, pid, type, restart }: ChildInfo): Growing {
  const entry = entryOf(runtime, id, pid === 'restarting' ? undefined : pid, type);
  entry.restart = restart;
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
    state: pid === undefined ? 'stopped' : 'running',
    node: pid === undefined || pid.isLocal ? undefined : runtime.nodeOf(pid),
    mailbox: cell?.mailbox?.size ?? 0,
    children: [],
    omitted: 0,
  };
}

/** Supervisors with no supervisor among their ancestors on this node. */
function rootsOf(runtime: Runtime): Listed[] {
  const all = supervisorsOf(runtime);
  return [...all.values()].filter(({ pid }) => {
    const own = cellOf(pid);
    for (let above = own && cellOf(own.parent); above !== undefined; above = cellOf(above.parent))
      if (all.has(above.pid.local)) return false;
    return true;
  });
}
