// What an actor's own code wants done at its end: its signal fires, and its exit callbacks run.
import type { ErrorCode } from '../errors/index.ts';
import { inCurrentStore, withoutStore } from '../scheduler/index.ts';
import type { Pid } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Logger } from './logger.ts';
import { promiseOf } from './promise.ts';

export type ExitCallback = (reason: ExitReason) => unknown;

/** A callback of other code, which runs before those of the actor. */
export type DeathCallback = (pid: Pid, reason: ExitReason) => void;

/** The abort signal and the exit callbacks of one actor. Made when the actor first asks for one of the two. */
export class ExitCallbacks {
  private controller: AbortController | null = null;
  private newest: Entry | null = null;

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    return this.controller.signal;
  }

  /** Fires the signal. */
  abort(reasonFor: () => ExitReason): void {
    this.controller?.abort(reasonFor());
  }

  /** Adds a callback. O(1). Returns the way to take it back, which is O(1), too. */
  add(callback: ExitCallback): () => void {
    const entry: Entry = { callback: inCurrentStore(callback), older: this.newest, newer: null };
    if (this.newest !== null) this.newest.newer = entry;
    this.newest = entry;
    return () => this.remove(entry);
  }

  /** Runs the callbacks, the newest first: one that another takes back meanwhile does not run. */
  runCallbacks(logger: Logger, pid: Pid, reasonFor: () => ExitReason): void {
    for (let entry = this.newest; entry !== null; entry = this.newest) {
      this.remove(entry);
      runExitCallback(logger, pid, entry.callback, reasonFor());
    }
  }

  /** Does nothing for one that is not in the list (any more). */
  private remove(entry: Entry): void {
    const { older, newer } = entry;
    if (newer !== null) newer.older = older;
    else if (this.newest === entry) this.newest = older;
    else return;
    if (older !== null) older.newer = newer;
    entry.older = entry.newer = null;
  }
}

/** The exit callbacks of a living actor; made if it has none. */
export function exitCallbacksOf(cell: { more(): { exitCallbacks: ExitCallbacks | null } }): ExitCallbacks {
  const more = cell.more();
  more.exitCallbacks ??= new ExitCallbacks();
  return more.exitCallbacks;
}

/** An item of the list that begins at `ExitCallbacks.newest`. */
interface Entry {
  readonly callback: ExitCallback;
  older: Entry | null;
  newer: Entry | null;
}

/** Runs one exit callback; logs what it throws, and what a promise that it gives rejects with. */
export function runExitCallback(logger: Logger, pid: Pid, callback: ExitCallback, reason: ExitReason): void {
  const failed = (err: unknown): void => {
    const code: ErrorCode = 'SNOW_ERR_EXIT_CALLBACK';
    const facts = { event: 'exit_callback_failed', actor: pid.toString(), code, err };
    logger.error(facts, 'a callback of onExit failed');
  };
  try {
    promiseOf(withoutStore(callback, reason))?.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
