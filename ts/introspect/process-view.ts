// What introspection shows of an actor. It reads control blocks: no actor is interrupted, and no user code runs.
import { type NodeAddress, type Runtime, SystemMessage } from '../actor/index.ts';
import { ancestorsOf, BUSY, type Cell, cellOf, Envelope, QUEUED, TERMINATING } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { ProcessInfo, ProcessState, ProcessSummary } from './answers.ts';
import { mailboxMemory } from './mailbox-memory.ts';

/** Most entries of each list about one actor. */
export const MAX_LIST = 100;
/** Most characters of a label or tag. */
export const MAX_LABEL = 128;
/** Most pending calls of an actor that are counted. */
const MAX_CALLS = 1000;
/** Bytes of an idle handler actor, and of an idle function actor: docs/semantics.md. */
const HANDLER_BYTES = 230;
const FUNCTION_BYTES = 1000;

/** The main figures of an actor. O(1). */
export function summaryOf(cell: Cell): ProcessSummary {
  const { pid, label, parent, kernel, mailbox, turns } = cell;
  const [name] = kernel.names.namesOf(pid);
  return {
    pid,
    label: short(label),
    name,
    parent,
    state: stateOf(cell),
    mailbox: mailbox === null ? 0 : mailbox.size,
    turns,
    memory: memoryOf(cell),
  };
}

/** Everything about an actor but its idle time. O(1), because lists end at MAX_LIST. */
export function infoOf(cell: Cell): Omit<ProcessInfo, 'idleMs'> {
  const { extra } = cell;
  const watchers: Pid[] = [];
  for (let monitor = extra?.watchers?.first ?? null; monitor !== null; monitor = monitor.after) {
    if (watchers.push(monitor.owner) === MAX_LIST) break;
  }
  return {
    ...summaryOf(cell),
    kind: isHandler(cell) ? 'handler' : 'function',
    names: first(cell.kernel.names.namesOf(cell.pid), MAX_LIST, (name) => name),
    trapsExits: cell.isTrapping,
    links: first(extra?.links, MAX_LIST, (link) =>
      link.isActive && !link.isLost ? link.partner : undefined,
    ),
    linkCount: extra?.links?.size ?? 0,
    monitors: first(extra?.watches, MAX_LIST, ({ isOver, target }): Pid | NodeAddress | undefined =>
      isOver ? undefined : target,
    ),
    monitorCount: extra?.watches?.size ?? 0,
    monitoredBy: watchers,
    monitoredByCount: extra?.watchers?.size ?? 0,
    mailboxLimit: extra?.gate?.max,
    lastTag: lastTagOf(cell),
    calls: ownCalls(cell),
    timers: extra?.timers?.size ?? 0,
    ancestors: ancestorsOf(cell),
  };
}

/** The control block of a living actor of this runtime. */
export function livingCell(runtime: Runtime, pid: Pid): Cell | undefined {
  // A PID that was parsed from text has no pointer to its control block.
  const cell = pid.nc === 0 ? (cellOf(pid) ?? cellOf(runtime.pidOf(pid.local))) : undefined;
  return cell?.kernel === runtime ? cell : undefined;
}

/** Bytes of an actor, estimated. O(1). */
export function memoryOf(cell: Cell): number {
  const { mailbox } = cell;
  const waiting =
    mailbox === null
      ? 0
      : mailboxMemory(mailbox, (each) => each instanceof Envelope || each instanceof SystemMessage);
  return waiting + (isHandler(cell) ? HANDLER_BYTES : FUNCTION_BYTES);
}

/** A text, cut to `most` characters. */
export function short(text: string, most: number = MAX_LABEL): string {
  return text.length <= most ? text.toWellFormed() : `${text.slice(0, most - 1).toWellFormed()}…`;
}

function stateOf(cell: Cell): ProcessState {
  if ((cell.flags & TERMINATING) !== 0) return 'ending';
  if (cell.birth !== null || (cell.extra !== null && cell.extra.starter !== null)) return 'starting';
  if (cell.body === null && (cell.flags & BUSY) !== 0) return 'starting'; // the init of a handler
  if ((cell.flags & BUSY) !== 0) return 'busy';
  if ((cell.flags & QUEUED) !== 0) return 'runnable';
  if (cell.body !== null) return 'idle';
  return cell.wait === null ? 'busy' : 'receiving';
}

/** Whether it is a handler actor. */
function isHandler({ body, birth, flags }: Cell): boolean {
  if (body !== null) return true;
  if (birth === null) return (flags & BUSY) !== 0; // its init runs
  return birth.isHandler || (typeof birth.what !== 'function' && birth.what.kind === 'handler');
}

function lastTagOf(cell: Cell): string | undefined {
  const { handling, lastTag } = cell;
  if (handling !== null) return short(handling.tag);
  if (lastTag === undefined) return undefined;
  return short(typeof lastTag === 'string' ? lastTag : lastTag.name);
}

function ownCalls(cell: Cell): number {
  let count = 0;
  for (let call = cell.extra?.calls ?? null; call !== null && count < MAX_CALLS; call = call.after) count++;
  return count;
}

/** The first `most` values that are not undefined. Looks at no more than ten times as many items. */
function first<T, V>(
  items: Iterable<T> | null | undefined,
  most: number,
  valueOf: (item: T) => V | undefined,
): V[] {
  const values: V[] = [];
  let left = 10 * most;
  for (const item of items ?? []) {
    const value = valueOf(item);
    if (value !== undefined && values.push(value) === most) break;
    if (--left === 0) break;
  }
  return values;
}
