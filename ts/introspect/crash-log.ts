// The recent crashes of a node's actors.
import { subscribe } from 'node:diagnostics_channel';
import type { Runtime } from '../actor/index.ts';
import type { DiagnosticEvents } from '../diagnostics/index.ts';
import { briefReason } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { CrashInfo, Page, PageOptions } from './answers.ts';
import { short } from './process-view.ts';

/** Most different crashes that are kept. The one that happened longest ago is dropped first. */
export const MAX_CRASHES = 50;
/** Most characters of a reason, and of a stack. */
export const MAX_REASON = 300;
export const MAX_STACK = 1000;

/** A crash that may come again. */
type Entry = { -readonly [Field in keyof CrashInfo]: CrashInfo[Field] };

/** The different crashes of one node, the most recent one last. A crash that repeats is counted, and its stack is read once. */
export class CrashLog {
  /** By label and reason, the most recent one last. */
  readonly #kept = new Map<string, Entry>();
  /** The last one of {@link #kept}. */
  #latest: Entry | undefined = undefined;
  #count = 0;

  /** How many crashes there were since the start of the node. */
  get count(): number {
    return this.#count;
  }

  /** Adds a crash. O(MAX_REASON); for a new one O(MAX_STACK). */
  note(pid: Pid, label: string, reason: unknown, at: number): void {
    const text = short(briefReason(reason), MAX_REASON);
    const name = short(label);
    const latest = this.#latest;
    // Most crashes are those of one child again and again: they are recognized without a search.
    const crash =
      latest?.label === name && latest.reason === text ? latest : this.#toEnd(pid, name, text, reason);
    crash.id = ++this.#count;
    crash.at = at;
    crash.pid = pid;
    crash.times++;
  }

  /** The entry of a crash that is not the latest, moved to the end or made. */
  #toEnd(pid: Pid, label: string, text: string, reason: unknown): Entry {
    const key = `${label}\n${text}`;
    const entry = this.#kept.get(key) ?? {
      id: 0,
      at: 0,
      pid,
      label,
      reason: text,
      stack: stackOf(reason),
      times: 0,
    };
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    this.#latest = entry;
    if (this.#kept.size > MAX_CRASHES) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest as string);
    }
    return entry;
  }

  /** The crashes that happened after the one with the id `after`. */
  page({ after = 0, limit = MAX_CRASHES }: PageOptions): Page<CrashInfo> {
    const later = [...this.#kept.values()].filter(({ id }) => id > after);
    const items = later.slice(0, limit).map((entry) => ({ ...entry }));
    return {
      items,
      total: this.#kept.size,
      next: items.length < later.length ? items.at(-1)?.id : undefined,
    };
  }
}

/** By runtime. Weak, so that a node that was never stopped can be garbage-collected. */
const logs = new WeakMap<object, CrashLog>();
let isListening = false;

/** The crash log of one runtime. It records crashes from the first call on. */
export function crashLogOf(runtime: Runtime): CrashLog {
  let log = logs.get(runtime);
  if (log === undefined) logs.set(runtime, (log = new CrashLog()));
  if (!isListening) subscribe('snowmesh:actor:crash', crashed);
  isListening = true;
  return log;
}

function crashed(message: unknown): void {
  const { runtime, pid, label, reason } = message as DiagnosticEvents['snowmesh:actor:crash'];
  logs.get(runtime)?.note(pid as Pid, label, reason, Date.now());
}

/** The lines of a stack that name a position in code. */
function stackOf(reason: unknown): string {
  const { stack } = (typeof reason === 'object' && reason !== null ? reason : {}) as { stack?: unknown };
  if (typeof stack !== 'string') return '';
  const from = stack.slice(0, 4 * MAX_STACK).split('\n');
  return short(
    from
      .filter((line) => line.startsWith('    at '))
      .map((line) => line.trim())
      .join('\n'),
    MAX_STACK,
  );
}
