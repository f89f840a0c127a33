import type { NativeRefusal } from './batch.ts';
import type { DialResult, DownCause } from './end-causes.ts';
import type { EntryReader } from './entry-reader.ts';
import type { Session } from './session.ts';

/** Why a connection failed to authenticate, and whose it was. */
export interface Refusal extends Omit<NativeRefusal, 'status'> {
  readonly why: Exclude<DialResult, 'up'>;
}

/** The events of the network, in order. */
export interface NetworkListener {
  /** Called before the first frame of the session. */
  sessionUp(session: Session): void;
  /** Called after the last frame of the session. */
  sessionDown(session: Session, cause: DownCause, detail: string): void;
  /** One validated frame; `reader` is at the start of its body. */
  frame(session: Session, tag: number, reader: EntryReader): void;
  /** Called after the last entry of each batch. */
  batchEnd(): void;
  /** The peer's event loop is blocked, or runs again. */
  peerLoop(session: Session, stalled: boolean, ageMs: number): void;
  /** The bytes that wait to be sent to the peer fell below the high-water mark. */
  writable(session: Session): void;
  /** The bytes that wait to be sent to the peer passed the high-water mark. */
  busy(session: Session, bytes: number): void;
  /** A dial of this node failed; `numbers` are the node numbers from which answers were expected. */
  dialFailed(
    name: string,
    result: Exclude<DialResult, 'up'>,
    detail: string,
    numbers: Iterable<number>,
  ): void;
  /** Messages not yet passed to the native core when the session ended or the dial failed. */
  lostMessages(node: string, count: number): void;
  /** A connection failed to authenticate. */
  refused(refusal: Refusal): void;
  /** Handling a frame threw: a bug of this program, since the native core has validated the frame. */
  fault(error: unknown): void;
}
