import type { ExitReason } from '../kernel/exit-reason.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { SpawnOptions } from './spawn-options.ts';

/** How an actor is started: as it is spawned, and where, and how long that may take. */
export interface StartOptions extends SpawnOptions {
  /** ms that init may take. Default: Infinity. */
  readonly timeout?: number;
  /** Start it there instead of here; the spec must be known there. */
  readonly node?: string;
}

/** How a start ended (rule I1). */
export type StartResult<M = unknown> =
  | { readonly ok: true; readonly pid: Pid<M>; readonly ref: Ref | undefined }
  | { readonly ok: false; readonly ignore: true; readonly ref?: Ref | undefined }
  | {
      readonly ok: false;
      readonly ignore?: undefined;
      readonly reason: ExitReason;
      /** Of the monitor that was asked for: its DOWN comes, too (I3). */
      readonly ref?: Ref | undefined;
    };
