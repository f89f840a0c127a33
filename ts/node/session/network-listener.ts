import type { DialResult, DownCause } from './endings.ts';
import type { EntryReader } from './entry-reader.ts';
import type { PeerState } from './peers.ts';
import type { Session } from './session.ts';

/** What the network reports, in the order things happened. */
export interface NetworkListener {
  /** Before any frame of that session. */
  sessionUp(session: Session): void;
  /** After its last frame. */
  sessionDown(session: Session, cause: DownCause, detail: string): void;
  /** One validated frame; `reader` stands at its body. */
  frame(session: Session, tag: number, reader: EntryReader): void;
  /** At the end of each batch. Returns true while there is work to run. */
  batchEnd(): boolean;
  /** The peer's event loop stopped turning, or turns again. */
  peerLoop(session: Session, stalled: boolean, ageMs: number): void;
  /** What waits to be sent to a peer fell below the high-water mark. */
  writable(session: Session): void;
  /** More than the high-water mark waits to be sent to the peer. */
  busy(session: Session, bytes: number): void;
  /** A dial of this node failed; `numbers` are the node numbers from which answers were expected. */
  dialFailed(peer: PeerState, result: DialResult, detail: string, numbers: Iterable<number>): void;
  /** Messages that were still on this side when their session ended, or when no session could be made. */
  lostMessages(node: string, count: number): void;
  /** A connection failed to authenticate. `unreported` refusals before this one were only counted. */
  refused(name: string, reason: string, why: Exclude<DialResult, 'up'>, unreported: number): void;
  /** A frame could not be handled: a fault of this program, never of the peer. */
  fault(error: unknown): void;
}
