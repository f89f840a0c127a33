import type { ExitReason, MailboxLimit } from '../kernel/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** How an actor is spawned. By default it has no ties, no name, and no limit. */
export interface SpawnOptions {
  /** Linked to the spawning actor from its first moment. Default false. */
  readonly link?: boolean;
  /** Monitored by the spawning actor from its first moment. Default false. */
  readonly monitor?: boolean;
  /** A local name; taken: the spawn throws SNOW_ERR_NAME_TAKEN and starts nothing. */
  readonly name?: string;
  /** For logs. Default: the spec's or function's name. */
  readonly label?: string;
  /** Default: no limit. */
  readonly mailbox?: MailboxLimit;
  /** Gets exit signals as messages from its first moment. Default false. */
  readonly trapExit?: boolean;
}

/** How an actor is spawned on another node. */
export interface RemoteSpawnOptions {
  /** Linked from its first moment. Default false. */
  readonly link?: boolean;
  /** Monitored from its first moment; its reference comes with the PID. Default false. */
  readonly monitor?: boolean;
  /** Gives up: the promise rejects with the signal's reason, and a linked child ends with `abandoned`. */
  readonly signal?: AbortSignal;
}

/** How an actor is started: as it is spawned, and where, and how long that may take. */
export interface StartOptions extends SpawnOptions {
  /** ms that init may take. Default: Infinity. */
  readonly timeout?: number;
  /** Start it there instead of here; the spec must be known there. */
  readonly node?: string;
}

/** How a start ended. */
export type StartResult<M = unknown> =
  | { readonly ok: true; readonly pid: Pid<M>; readonly ref: Ref | undefined }
  | { readonly ok: false; readonly ignore: true; readonly ref?: Ref | undefined }
  | {
      readonly ok: false;
      readonly ignore?: undefined;
      readonly reason: ExitReason;
      /** The reference of the monitor that was asked for: its Down comes, too. */
      readonly ref?: Ref | undefined;
    };
