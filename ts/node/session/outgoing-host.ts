import type { TraceHeaders } from '../../actor/index.ts';
import type { RefCipher } from '../../term/index.ts';

/** What an Outgoing needs from the network. */
export interface OutgoingHost<Outgoing> {
  /** Hides the ids of this node's references. */
  readonly refs: RefCipher;
  /** What the frames that are written now belong to. */
  readonly trace: TraceHeaders | null;
  /** The pair behind a node number; undefined for a number that was never given. */
  identityOf(nc: number): { readonly name: string; readonly incarnation: bigint } | undefined;
  /** The chunk holds frames: `flush` is to be called soon. */
  touch(outgoing: Outgoing): void;
  /** The backlog has passed the high-water mark. */
  busy(outgoing: Outgoing): void;
}
