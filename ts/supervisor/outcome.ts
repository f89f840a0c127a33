import type { Pid } from '../term/index.ts';
import type { Restart } from './child-spec.ts';

/**
 * What came of starting a child. `pid` is undefined when its init said `ignore`.
 *
 * Errors: `already_started` (the id is taken by a running child, `pid`), `already_present` (by one that does not run),
 * `start_failed` (with the reason), `bad_spec` (with what is wrong), `max_children`, `not_found`, `running`, `restarting`, `not_supported`.
 */
export type ChildResult =
  | { readonly ok: true; readonly pid: Pid | undefined }
  | { readonly ok: false; readonly error: 'already_started'; readonly pid: Pid }
  | { readonly ok: false; readonly error: 'start_failed'; readonly reason: unknown }
  | { readonly ok: false; readonly error: 'bad_spec'; readonly message: string }
  | {
      readonly ok: false;
      readonly error:
        | 'already_present'
        | 'max_children'
        | 'not_found'
        | 'running'
        | 'restarting'
        | 'not_supported';
    };

/** What came of terminating or deleting a child. */
export type StopResult = 'ok' | 'not_found' | 'running' | 'restarting' | 'not_supported';

/** One line of `whichChildren`. */
export interface ChildInfo {
  readonly id: string;
  /** `restarting` between two tries, undefined when the child does not run. */
  readonly pid: Pid | 'restarting' | undefined;
  readonly type: 'worker' | 'supervisor';
  readonly restart: Restart;
}

/** How many children there are. */
export interface ChildCounts {
  /** Children with a spec, running or not; for a dynamic supervisor, its children. */
  readonly specs: number;
  /** Those that run now. */
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}
