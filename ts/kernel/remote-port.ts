import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';
import type { NodeAddress } from './system-message.ts';
import type { TraceHeaders } from './trace-headers.ts';

/** The node that an answer came from: one incarnation, which has its own number. */
export interface AnsweringNode {
  readonly nc: number;
  readonly name: string;
}

/** Whether an answer came from the node that was asked, given by its number or its name. */
export function isFrom({ nc, name }: AnsweringNode, asked: number | string | undefined): boolean {
  return asked === nc || asked === name;
}

/** How a call ended: the status in a REPLY frame. */
export const ReplyStatus = {
  /** It was answered; the value is the answer. */
  ok: 0,
  /** An error without the end of the actor; the value is a CrashReason. Never sent by this implementation. */
  error: 1,
  /** There is no such actor; the value is unused. */
  noproc: 2,
  /** The actor ended before it answered; the value is its exit reason. */
  exit: 3,
  /** The target waits, directly or through others, for the caller; the value is the chain of PIDs. */
  cycle: 4,
  /** The target's mailbox is full; the value is unused. */
  overload: 5,
  /** The target has no handler for the tag; the value is the tag. */
  unknown: 6,
} as const;
export type ReplyStatus = (typeof ReplyStatus)[keyof typeof ReplyStatus];

/** How a remote spawn ended: the status in a SPAWN_REPLY frame. */
export const SpawnStatus = {
  ok: 0,
  /** The node exposes no actor of that name. */
  unknownFunction: 1,
  /** The arguments or the start were refused, or the init failed; the detail is the reason. */
  failed: 2,
  /** The init returned IGNORE (I1). Only for a start. */
  ignored: 3,
  /** The init took too long, and the child was killed (I3). Only for a start. */
  timedOut: 4,
} as const;
export type SpawnStatus = (typeof SpawnStatus)[keyof typeof SpawnStatus];

/** The term in a CALL frame. */
export type CallRequest = readonly [tag: string, args: readonly unknown[], chain: readonly Pid[]];

/**
 * A probe of the deadlock detection: the kind and the reference of the wait that it began with, the wait that it follows now, how many
 * more waits it may look at, the actors and waits that it passed, and the reference of its second round.
 */
export type RingProbe = readonly [
  kind: 'call' | 'start',
  first: Ref,
  wait: Ref,
  steps: number,
  way: readonly (Pid | Ref)[],
  round: Ref | null,
];

/** What a start adds to a spawn. Its reply comes when the init is done. */
export interface RemoteStart {
  /** The local name to register on the other node. */
  readonly name: string | undefined;
  /** ms that the init may take; Infinity: no limit. */
  readonly timeout: number;
}

/** A spawn on another node of what is exposed there under the name `function`. */
export interface RemoteSpawn {
  readonly from: Pid;
  readonly request: Ref;
  readonly node: string;
  readonly link: boolean;
  /** The monitor's reference, when the parent wants one. */
  readonly monitor: Ref | undefined;
  readonly function: string;
  readonly args: readonly unknown[];
  /** Undefined: a plain spawn, whose reply comes at once. */
  readonly start: RemoteStart | undefined;
}

/** Why a node cannot be reached: `why` is a code for programs, `detail` a phrase for an error message. */
export interface Unreachable {
  readonly why: string;
  readonly detail: string;
}

/** What is known about a node that does not answer. A node is given by its number or its name. */
export interface ReachPort {
  /** Undefined: it is connected. */
  whyDown(node: number | string): Unreachable | undefined;
  /** ms for which its event loop has been blocked; undefined: it is not known to be blocked. */
  stalledMs(node: number | string): number | undefined;
}

/**
 * Everything an actor does to actors of other nodes. ts/node implements it; a runtime without a node has the null port, which
 * reaches no node. No method throws, except for a value that cannot be sent (SNOW_ERR_UNSENDABLE, …). None delivers anything before
 * it returns: answers arrive later, through `Runtime.inbound`.
 *
 * The `from` of a signal is the local actor that sends it (null: code outside of actors): all signals of one actor to one node keep
 * their order (B1).
 */
export interface RemotePort {
  /** This node's name; undefined while it is not part of a cluster. */
  readonly nodeName: string | undefined;
  /** Sets the trace context that is sent with each frame, until it is set to null. */
  setTrace(trace: TraceHeaders | null): void;
  send(from: Pid | null, to: Pid, message: unknown): void;
  sendNamed(from: Pid | null, name: string, node: string, message: unknown): void;
  sendAlias(from: Pid | null, alias: Ref, message: unknown): void;
  link(from: Pid, to: Pid): void;
  unlink(from: Pid, to: Pid, id: number): void;
  /** @param id of the UNLINK: all 64 bits are the partner's. */
  unlinkAck(from: Pid, to: Pid, id: number | bigint): void;
  /** The exit signal of a link. */
  exit(from: Pid, to: Pid, reason: ExitReason): void;
  /** An explicit exit signal, as `sendExit` sends it. */
  exit2(from: Pid | null, to: Pid, reason: ExitReason): void;
  monitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void;
  demonitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void;
  /** The monitored actor `from` has ended; undefined: there was none. */
  monitorExit(from: Pid | undefined, to: Pid, ref: Ref, reason: ExitReason): void;
  spawn(request: RemoteSpawn): void;
  spawnReply(child: Pid | undefined, to: Pid, request: Ref, status: SpawnStatus, detail: unknown): void;
  /** Confirms that the starter got the PID of `child`. Without it, the child's node kills the child when the connection is lost. */
  spawnAck(from: Pid, child: Pid): void;
  /** `ms`: until the caller gives up; Infinity: never. */
  call(from: Pid | null, ref: Ref, ms: number, target: Pid | NodeAddress, request: CallRequest): void;
  /** {@link call} without a time limit. Long bytes are copied in slices: they must not change before it resolves. Undefined: it is sent. */
  callInSlices(
    from: Pid | null,
    ref: Ref,
    target: Pid | NodeAddress,
    request: CallRequest,
  ): Promise<void> | undefined;
  reply(from: Pid | null, ref: Ref, status: ReplyStatus, value: unknown): void;
  /** Sends a probe to the node, given by its number or its name, of the wait that the probe follows. Lost without a session. */
  probe(node: number | string, probe: RingProbe): void;
  /** Resolves when more can be sent to that node; undefined: it can be now. */
  whenWritable(to: Pid | NodeAddress | Ref): Promise<void> | undefined;
  /** Sends when there is room. Long bytes are copied in slices: they must not change before it resolves. Undefined: it is sent. */
  sendInSlices(from: Pid | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> | undefined;
  /** The name of the node that a PID belongs to. */
  nodeOf(pid: Pid): string | undefined;
  readonly reachability: ReachPort;
  /** Whether `node` is the name of this node. */
  isSelf(node: string): boolean;
  /** The full name of a node: `a@h` may mean `a@h:9000`. */
  canonical(node: string): string;
  /**
   * What the signals to a node are written to now, as an identity: another object after the connection was lost or not made. What one
   * actor writes to it arrives in order, or is lost with it. Undefined: there is no connection, and none is being made.
   */
  existingRoute(node: string): object | undefined;
  /** Called at the end of a run slice: gives the frames that were written to the network thread. */
  flush(): void;
}

/**
 * Sends an exit reason to another node. A reason that is too large or too deep is replaced by `{ unsendable: code }`, so that it
 * neither loses the signal nor ends the connection (P8).
 */
export function sendReason(send: (reason: ExitReason) => void, reason: ExitReason): void {
  try {
    send(reason);
  } catch (error) {
    const code = error instanceof SnowmeshError ? error.code : 'SNOW_ERR_UNSENDABLE';
    send({ unsendable: code });
  }
}
