import type { NativeStats } from '../../bindings/index.ts';
import type { DeadLetterReason } from '../actor/index.ts';
import type { NodeFacts } from './node-monitors.ts';
import type { DialResult, DownCause } from './session/endings.ts';

/** What a node emits; the first argument is always the peer's name. */
export interface NodeEvents {
  nodeup: [node: string, facts: NodeFacts];
  nodedown: [node: string, cause: DownCause, facts: NodeFacts];
  /** The peer's event loop has not turned for `ageMs`; it is still up. */
  stalled: [node: string, ageMs: number];
  recovered: [node: string];
  /** More than the high-water mark waits to be sent to the peer. */
  busy: [node: string, bytes: number];
  drain: [node: string];
  /** A dial of this node failed: why, and what the system or the peer said. */
  unreachable: [node: string, why: Exclude<DialResult, 'up'>, detail: string];
  /** A connection that claimed that name failed to authenticate: the reason in words, and its kind. */
  refused: [node: string, reason: string, why: Exclude<DialResult, 'up'>];
}

/** Which nodes to list: those that are not hidden (default), only the hidden ones, or all. */
export type NodeKind = 'visible' | 'hidden' | 'all';

/** What a node is doing. Sizes in bytes. */
export interface NodeStats {
  readonly name: string;
  /** Living actors. */
  readonly actors: number;
  /** Messages that reached no actor, by reason. */
  readonly deadLetters: Readonly<Record<DeadLetterReason, number>>;
  readonly peers: readonly PeerStats[];
  /** Counters of the native core, and the `id` under which {@link nativeCounters} finds them; undefined for a node without a name. */
  readonly native: (NativeStats & { readonly id: number }) | undefined;
}

/** What the connection to a peer is doing. */
export interface PeerStats {
  /** The peer's name. */
  readonly node: string;
  /** Which connection to it: counts up with each. */
  readonly connection: number;
  /** Whether the peer is a hidden node. */
  readonly hidden: boolean;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /** Whether its event loop has not turned for a while. */
  readonly stalled: boolean;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
}
