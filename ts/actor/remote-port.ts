import type { Pid, Ref } from '../term/index.ts';
import type { Call } from './call.ts';
import type { ExitReason } from './exit-reason.ts';
import type { NodeAddress } from './system-message.ts';

/** How a REPLY ends a call (wire numbers). */
export const ReplyStatus = { ok: 0, error: 1, exit: 2, noproc: 3 } as const;
export type ReplyStatus = (typeof ReplyStatus)[keyof typeof ReplyStatus];

/** How a SPAWN ended (wire numbers). */
export const SpawnStatus = { ok: 0, unknown: 1, badArgs: 2, failed: 3 } as const;
export type SpawnStatus = (typeof SpawnStatus)[keyof typeof SpawnStatus];

/** The term of a CALL frame. */
export interface CallRequest {
  readonly tag: string;
  readonly args: readonly unknown[];
  readonly chain: readonly Pid[];
}

export interface RemoteSpawn {
  readonly from: Pid;
  readonly request: Ref;
  readonly node: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly link: boolean;
  readonly monitor: Ref | undefined;
}
