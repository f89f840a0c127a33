/** In every message: the node (a `Node`) it happened on. A process may have several. */
interface OfNode {
  readonly runtime: object;
}

/** About one actor of this node. */
interface OfActor extends OfNode {
  /** Its PID. */
  readonly pid: object;
  readonly label: string;
}

/** About the connection to a peer. */
interface OfPeer extends OfNode {
  /** The peer's name. */
  readonly peer: string;
}

/**
 * What is published on the channels of `node:diagnostics_channel`, by their names. A subscriber is called on the spot: it must be
 * quick, and must not change what it gets.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('snowmesh:actor:crash', (message) => {
 *   const { label, reason } = message as DiagnosticEvents['snowmesh:actor:crash'];
 * });
 */
export interface DiagnosticEvents {
  /** An actor was spawned; `parent` is the PID of the actor that did, `<0.0>`: code outside of actors. */
  'snowmesh:actor:spawn': OfActor & { readonly parent: object };
  /** An actor ended, in whichever way; `turns` are the messages it took. */
  'snowmesh:actor:exit': OfActor & { readonly reason: unknown; readonly turns: number };
  /** An actor threw, or its mailbox limit ended it. Its exit follows. */
  'snowmesh:actor:crash': OfActor & { readonly reason: unknown };
  /** A supervisor starts a child again; `id` is that of its child spec. */
  'snowmesh:child:restart': OfNode & { readonly supervisor: object; readonly id: string };
  /** Messages were lost: why (`DeadLetterReason`), to whom, how many. */
  'snowmesh:message:drop': OfNode & {
    readonly reason: string;
    readonly target: string;
    readonly count: number;
  };
  /** A call got no answer in time. */
  'snowmesh:call:timeout': OfNode & { readonly target: string; readonly tag: string };
  /** A peer is connected. */
  'snowmesh:session:up': OfPeer & { readonly hidden: boolean };
  /** The connection to a peer ended, and everything tied to it has fired; `cause` is a `DownCause`. */
  'snowmesh:session:down': OfPeer & { readonly cause: string; readonly hidden: boolean };
  /** More than the high-water mark waits to be sent to a peer. */
  'snowmesh:session:busy': OfPeer & { readonly bytes: number };
  'snowmesh:session:drain': OfPeer;
  /** The event loop of a peer has not turned for `ageMs`. */
  'snowmesh:peer:stall': OfPeer & { readonly ageMs: number };
  'snowmesh:peer:recover': OfPeer;
  /** A dial of this node failed: why (`ConnectFailureReason`), and what the system or the peer said. */
  'snowmesh:peer:unreachable': OfPeer & { readonly why: string; readonly detail: string };
  /** A connection that claimed that name failed to authenticate: the reason in words, and its kind (`ConnectFailureReason`). */
  'snowmesh:peer:refuse': OfPeer & { readonly reason: string; readonly why: string };
}
