import { cellOf, type Kernel } from '../kernel/index.ts';
import type { OutboundSpawns } from '../spawn/index.ts';
import type { Pid } from '../term/index.ts';

/** What ties an actor to others, counted: Erlang's `links`, `monitors` and `monitored_by` of `process_info`. */
export interface Ties {
  /** Actors it is linked to, on any node. */
  readonly links: number;
  /** Its own monitors that have not fired. */
  readonly monitors: number;
  /** Monitors of it, by actors of any node. */
  readonly monitoredBy: number;
  /** Its spawns and starts on other nodes whose reply has not come. */
  readonly spawns: number;
}

/** Undefined: no living actor of this runtime. O(ties, and pending spawns of the whole runtime). */
export function tiesOf(kernel: Kernel, pendingSpawns: OutboundSpawns, pid: Pid): Ties | undefined {
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
