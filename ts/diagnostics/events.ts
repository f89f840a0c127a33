/** Every message has the node (a `Node`) that published it: a process may have several. */
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
 * The messages on the channels of `node:diagnostics_channel`, by channel name. A subscriber runs on the publisher's stack: it must be fast
 * and must not change the message.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('snowmesh:actor:crash', (message) => {
 *   const { label, reason } = message as DiagnosticEvents['snowmesh:actor:crash'];
 * });
 */
export interface DiagnosticEvents {
  /** An actor was spawned. `parent`: the PID of the spawning actor; `<0.0>`: code outside of actors. */
  'snowmesh:actor:spawn': OfActor & { readonly parent: object };
  /** An actor ended, for any reason. `turns`: how many messages it took. */
  'snowmesh:actor:exit': OfActor & { readonly reason: unknown; readonly turns: number };
  /** An actor threw an error, or its mailbox limit ended it. Its exit follows. */
  'snowmesh:actor:crash': OfActor & { readonly reason: unknown };
  /** 10 000 messages wait for an actor without a mailbox limit, and still after a second; again at 20 000, 40 000, … */
  'snowmesh:mailbox:long': OfActor & { readonly messages: number };
  /** A supervisor restarts a child. `id`: the id in its child spec. */
  'snowmesh:child:restart': OfNode & { readonly supervisor: object; readonly id: string };
  /** Messages were lost. `reason`: a `DeadLetterReason`. */
  'snowmesh:message:drop': OfNode & {
    readonly reason: string;
    readonly target: string;
    readonly count: number;
  };
  /** A call got no answer in time. */
  'snowmesh:call:timeout': OfNode & { readonly target: string; readonly tag: string };
  /** A peer is connected. */
  'snowmesh:session:up': OfPeer & { readonly hidden: boolean };
  /** The connection to a peer ended, and all links, monitors and calls to it have fired. `cause`: a `DownCause`. */
  'snowmesh:session:down': OfPeer & { readonly cause: string; readonly hidden: boolean };
  /** More bytes than the high-water mark wait to be sent to a peer. */
  'snowmesh:session:busy': OfPeer & { readonly bytes: number };
  /** The send queue to a peer is below the low-water mark again. */
  'snowmesh:session:drain': OfPeer;
  /** The event loop of a peer has been blocked for `ageMs` milliseconds. */
  'snowmesh:peer:stall': OfPeer & { readonly ageMs: number };
  /** The event loop of a peer runs again. */
  'snowmesh:peer:recover': OfPeer;
  /** A dial of this node failed. `why`: a `ConnectFailureReason`; `detail`: the text of the system or the peer. */
  'snowmesh:peer:unreachable': OfPeer & { readonly why: string; readonly detail: string };
  /** A connection that claimed the name `peer` failed to authenticate. `reason`: a text; `why`: a `ConnectFailureReason`. */
  'snowmesh:peer:refuse': OfPeer & { readonly reason: string; readonly why: string };
}
