import { cellOf, type Kernel } from '../kernel/index.ts';
import type { OutboundSpawns } from '../spawn/index.ts';
import type { Pid } from '../term/index.ts';

/** How many links and monitors an actor has. As `links`, `monitors` and `monitored_by` of Erlang's `process_info`. */
export interface LinkCounts {
  /** How many actors it is linked to, on any node. */
  readonly links: number;
  /** How many monitors it made that have not fired. */
  readonly monitors: number;
  /** How many monitors there are of it, by actors of any node. */
  readonly monitoredBy: number;
  /** How many of its spawns and starts on other nodes have no reply yet. */
  readonly spawns: number;
}

/** The counts of an actor; undefined: no living actor of this runtime. O(links, monitors, and pending spawns of the whole runtime). */
export function linkCountsOf(
  kernel: Kernel,
  pendingSpawns: OutboundSpawns,
  pid: Pid,
): LinkCounts | undefined {
  const cell = cellOf(pid);
  if (cell?.kernel !== kernel) return undefined;
  const { extra } = cell;
  return {
    links: count(extra?.links, (link) => link.isActive && !link.isLost),
    monitors: count(extra?.watches, (monitor) => !monitor.isOver),
    monitoredBy: extra?.watchers?.size ?? 0,
    spawns: pendingSpawns.countOf(cell),
  };
}

function count<T>(items: Iterable<T> | null | undefined, counts: (item: T) => boolean): number {
  let sum = 0;
  for (const item of items ?? []) if (counts(item)) sum++;
  return sum;
}
