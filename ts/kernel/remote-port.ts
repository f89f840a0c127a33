import { SnowmeshError } from '../errors/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';
import type { NodeAddress } from './system-message.ts';
import type { TraceHeaders } from './trace-headers.ts';

/** One incarnation of another node: what an answer came from. */
export interface AnsweringNode {
  readonly nc: number;
  readonly name: string;
}

/** Whether `asked`, a node number or a name, is that node. */
export function isFrom({ nc, name }: AnsweringNode, asked: number | string | undefined): boolean {
  return asked === nc || asked === name;
}

/** How a call ended, as it travels in REPLY. */
export const ReplyStatus = {
  /** The value is the answer. */
  ok: 0,
  /** The handler threw: the value is a CrashReason. */
  error: 1,
  /** There is no such actor; the value is unused. */
  noproc: 2,
  /** The actor ended before it answered: the value is its reason. */
  exit: 3,
  /** The target waits, directly or not, for the caller: the value is the chain of PIDs. */
  cycle: 4,
  /** The target's mailbox is full. */
  overload: 5,
  /** The target does not know this kind of call: the value is the tag. */
  unknown: 6,
} as const;
export type ReplyStatus = (typeof ReplyStatus)[keyof typeof ReplyStatus];

/** How a remote spawn ended, as it travels in SPAWN_REPLY. */
export const SpawnStatus = {
  ok: 0,
  /** The node has no such function for remote spawn. */
  unknownFunction: 1,
  /** The arguments or the start were refused, or its init failed: the detail is the reason. */
  failed: 2,
  /** Its init said "ignore" (I1); only to a start, as the next. */
  ignored: 3,
  /** Its init took too long, it was killed (I3). */
  timedOut: 4,
} as const;
export type SpawnStatus = (typeof SpawnStatus)[keyof typeof SpawnStatus];

/** What travels in a CALL frame as its term. */
export type CallRequest = readonly [tag: string, args: readonly unknown[], chain: readonly Pid[]];

/**
 * A search for a ring of waiting actors, on its way along their waits: which kind of wait it is for, the reference of that, the wait
 * it follows now, how many more it may look at, the actors and waits on its way, and which round of the search this is.
 */
export type RingProbe = readonly [
  kind: 'call' | 'start',
  first: Ref,
  wait: Ref,
  steps: number,
  way: readonly (Pid | Ref)[],
  round: Ref | null,
];

/** What a start adds to a spawn: the reply comes when the init is done. */
export interface RemoteStart {
  /** A name to register there. */
  readonly name: string | undefined;
  /** ms that its init may take; Infinity: no limit. */
  readonly timeout: number;
}

/** A spawn on another node: an order to start the function registered there as `function`. */
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

/** Why a node is out of reach: a word, and the same in words. */
export interface Unreachable {
  readonly why: string;
  readonly detail: string;
}

/** What is known of a node, a number or a name, that does not answer. */
export interface ReachPort {
  /** Undefined: it is connected. */
  whyDown(node: number | string): Unreachable | undefined;
  /** ms for which its event loop has stood still. Undefined: it turns, as far as is known. */
  stalledMs(node: number | string): number | undefined;
}

/**
 * Everything an actor does to actors of other nodes. `actor` defines it, `node` installs it; without a node there is
 * the null port, which reaches no node. No method throws, except for a value that cannot be sent
 * (SNOW_ERR_UNSENDABLE, …), and none delivers anything before it returns: what follows comes through
 * `Runtime.inbound` later.
 *
 * The `from` of a signal is the local actor it comes from (null: from outside of actors), so that all signals of one
 * actor to one node keep their order (B1).
 */
export interface RemotePort {
  /** This node's name; undefined while it is not part of a cluster. */
  readonly nodeName: string | undefined;
  /** A trace context that goes along with what is sent, until it is set back to null. */
  setTrace(trace: TraceHeaders | null): void;
  send(from: Pid | null, to: Pid, message: unknown): void;
  sendNamed(from: Pid | null, name: string, node: string, message: unknown): void;
  sendAlias(from: Pid | null, alias: Ref, message: unknown): void;
  link(from: Pid, to: Pid): void;
  unlink(from: Pid, to: Pid, id: number): void;
  unlinkAck(from: Pid, to: Pid, id: number): void;
  /** A link's exit signal. */
  exit(from: Pid, to: Pid, reason: ExitReason): void;
  /** An explicit exit signal. */
  exit2(from: Pid | null, to: Pid, reason: ExitReason): void;
  monitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void;
  demonitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void;
  /** The monitored actor `from` (undefined: there was none) is gone. */
  monitorExit(from: Pid | undefined, to: Pid, ref: Ref, reason: ExitReason): void;
  spawn(request: RemoteSpawn): void;
  spawnReply(child: Pid | undefined, to: Pid, request: Ref, status: SpawnStatus, detail: unknown): void;
  /** Confirms that the starter knows of `child`: before that, its node kills it when the connection is lost. */
  spawnAck(from: Pid, child: Pid): void;
  /** `ms` until the caller gives up, Infinity: never. */
  call(from: Pid | null, ref: Ref, ms: number, target: Pid | NodeAddress, request: CallRequest): void;
  /** `call` without a time limit, long bytes slice by slice: they must not change before it resolves. Undefined: it is sent. */
  callGently(
    from: Pid | null,
    ref: Ref,
    target: Pid | NodeAddress,
    request: CallRequest,
  ): Promise<void> | undefined;
  reply(from: Pid | null, ref: Ref, status: ReplyStatus, value: unknown): void;
  /** Sends a search for a ring to the node, a number or a name, that the wait it follows is for. Lost without a session. */
  probe(node: number | string, probe: RingProbe): void;
  /** Resolves when there is room to send more to that node; undefined: there is now. */
  whenWritable(to: Pid | NodeAddress | Ref): Promise<void> | undefined;
  /** Sends when there is room, long bytes slice by slice: they must not change before it resolves. Undefined: it is sent. */
  sendGently(from: Pid | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> | undefined;
  /** The name of the node a PID lives on. */
  nodeOf(pid: Pid): string | undefined;
  readonly reachability: ReachPort;
  /** Whether this is our own name. */
  isSelf(node: string): boolean;
  /** The one spelling of a node's name: `a@h` may mean `a@h:9000`. */
  canonical(node: string): string;
  /** The end of a run slice: hand over what was written. */
  flush(): void;
}

/**
 * Sends an exit reason to another node. A reason that is too large or too deep for that is replaced by
 * `{ unsendable: code }`: the signal is never lost because of its reason, nor does it end the connection (P8).
 */
export function sendReason(send: (reason: ExitReason) => void, reason: ExitReason): void {
  try {
    send(reason);
  } catch (error) {
    const code = error instanceof SnowmeshError ? error.code : 'SNOW_ERR_UNSENDABLE';
    send({ unsendable: code });
  }
}
