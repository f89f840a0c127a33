import type { Pid } from '../term/index.ts';
import type { Restart } from './child-spec.ts';

/**
 * The result of starting a child, whose PID has the type `P`. `pid` is undefined when its init returned `ignore()`.
 *
 * Errors: `already_started` (a running child, `pid`, has the id), `already_present` (a stopped child has it), `start_failed` (with the
 * reason), `bad_spec` (with the fault), `max_children`, `not_found`, `running`, `restarting`, `not_supported`.
 */
export type ChildResult<P extends Pid = Pid> =
  | { readonly ok: true; readonly pid: P | undefined }
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

/** The result of terminating or deleting a child. */
export type StopResult = 'ok' | 'not_found' | 'running' | 'restarting' | 'not_supported';

/** One line of `whichChildren`. */
export interface ChildInfo {
  readonly id: string;
  /** `restarting` between two attempts to restart it; undefined when the child is stopped. */
  readonly pid: Pid | 'restarting' | undefined;
  readonly type: 'worker' | 'supervisor';
  readonly restart: Restart;
}

/** What a supervisor knows of a child. */
export interface ChildLine extends ChildInfo {
  /** How often it was to be started again because it had ended, or had not started. */
  readonly restarts: number;
}

/** What users are told of a child. */
export function infoOf({ id, pid, type, restart }: ChildLine): ChildInfo {
  return { id, pid, type, restart };
}

/** The number of children of each kind. */
export interface ChildCounts {
  /**
   * Children with a spec, running or not. Of a dynamic supervisor: 1 if it has `child`, as in Erlang's simple_one_for_one, otherwise its
   * children, as in Elixir's DynamicSupervisor.
   */
  readonly specs: number;
  /** Children that run. A child of another node, or of a dynamic supervisor, counts until the supervisor has handled its end. */
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}
