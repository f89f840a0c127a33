import type { TraceHeaders } from '../../actor/index.ts';
import type { RefCipher } from '../../term/index.ts';

/** What an Outgoing needs from the network. */
export interface OutgoingHost<Outgoing> {
  /** Encrypts the ids of this node's references. */
  readonly refs: RefCipher;
  /** The trace context of the frames that are written now. */
  readonly trace: TraceHeaders | null;
  /** The name and incarnation of a node number; undefined for an unknown number. */
  identityOf(nc: number): { readonly name: string; readonly incarnation: bigint } | undefined;
  /** The chunk holds frames: the host calls `flush` at the end of the run slice or tick. */
  touch(outgoing: Outgoing): void;
  /** The backlog has passed the high-water mark. */
  busy(outgoing: Outgoing): void;
}
