import type { NativeStats } from '../../bindings/index.ts';
import type { DeadLetterReason } from '../actor/index.ts';
import type { NodeFacts } from './node-monitors.ts';
import type { DialResult, DownCause } from './session/end-causes.ts';

/** The events of a node. The first argument is always the peer's name. */
export interface NodeEvents {
  nodeup: [node: string, facts: NodeFacts];
  nodedown: [node: string, cause: DownCause, facts: NodeFacts];
  /** The peer's event loop has been blocked for `ageMs`; the peer is still up. */
  stalled: [node: string, ageMs: number];
  recovered: [node: string];
  /** More than the high-water mark waits to be sent to the peer. */
  busy: [node: string, bytes: number];
  drain: [node: string];
  /** This node could not connect to the peer: `why`, and what the operating system or the peer reported. */
  unreachable: [node: string, why: Exclude<DialResult, 'up'>, detail: string];
  /** A connection that claimed this name failed to authenticate: the reason in words, and its kind. */
  refused: [node: string, reason: string, why: Exclude<DialResult, 'up'>];
}

/** Which nodes to list: those that are not hidden (default), only the hidden ones, or all. */
export type NodeKind = 'visible' | 'hidden' | 'all';

/** The current state of a node. Sizes in bytes. */
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

/** The current state of the connection to a peer. */
export interface PeerStats {
  /** The peer's name. */
  readonly node: string;
  /** Numbers the connections of this node: each new one has a higher number. */
  readonly connection: number;
  /** Whether the peer is a hidden node. */
  readonly hidden: boolean;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /** Whether its event loop is blocked. */
  readonly stalled: boolean;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
}
