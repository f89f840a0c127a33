// The answers of introspection. They are the same for this node and for others.
import type { NodeAddress } from '../actor/index.ts';
import type { Restart } from '../supervisor/index.ts';
import type { Pid } from '../term/index.ts';

/**
 * What an actor is doing.
 *
 * - `starting`: its init runs
 * - `runnable`: it is queued for a turn
 * - `receiving`: it waits in `receive`
 * - `idle`: it is a handler and has no message
 * - `busy`: its code awaits another promise than `receive`
 * - `ending`: its `terminate` runs
 */
export type ProcessState = 'starting' | 'runnable' | 'receiving' | 'idle' | 'busy' | 'ending';

/** The main figures of an actor. */
export interface ProcessSummary {
  readonly pid: Pid;
  /** Its name in logs: that of its function or spec. At most 128 characters. */
  readonly label: string;
  /** One of its local names, if it has any. */
  readonly name: string | undefined;
  /** The actor that spawned it; `<0.0>`: code outside of actors. */
  readonly parent: Pid;
  readonly state: ProcessState;
  /** How many messages are in its mailbox. */
  readonly mailbox: number;
  /** How many messages it has taken. */
  readonly turns: number;
  /** Estimated bytes: its control block and, from a sample, the messages in its mailbox. Its own variables are not included. */
  readonly memory: number;
}

/** Everything that is known about an actor. Each list has at most the first 100 entries; the count beside it is of all. */
export interface ProcessInfo extends ProcessSummary {
  /** `handler`: it is called once for each message; `function`: it receives them. */
  readonly kind: 'function' | 'handler';
  readonly names: readonly string[];
  readonly trapsExits: boolean;
  readonly links: readonly Pid[];
  readonly linkCount: number;
  /** The targets of its monitors. */
  readonly monitors: readonly (Pid | NodeAddress)[];
  readonly monitorCount: number;
  /** The actors that monitor it. */
  readonly monitoredBy: readonly Pid[];
  readonly monitoredByCount: number;
  /** Most messages in its mailbox; undefined: no limit. */
  readonly mailboxLimit: number | undefined;
  /** The tag of the call or message that it handles or took last; undefined: there is none, or it is an idle handler. */
  readonly lastTag: string | undefined;
  /** How many of its calls have no answer yet. */
  readonly calls: number;
  /** How many of its timers have not fired. */
  readonly timers: number;
  /** Its parent, the parent of that, and so on: at most 9. */
  readonly ancestors: readonly Pid[];
  /**
   * At least so many ms have passed since it took a message, counted from the first look at the actor; undefined at the first look.
   */
  readonly idleMs: number | undefined;
}

/** One page of a long list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** How many items there are in all. */
  readonly total: number;
  /** The option `after` for the next page; undefined: this was the last page. */
  readonly next: number | undefined;
}

/** Which page of a list. */
export interface PageOptions {
  /** The `next` of the page before. Default: the first page. */
  readonly after?: number | undefined;
  /** Most items, from 1 to 1000; default 100. */
  readonly limit?: number | undefined;
}

/** Sums over the living actors of a node. */
export interface Totals {
  /** How many messages are in their mailboxes. */
  readonly mailbox: number;
  /** How many messages they have taken. */
  readonly turns: number;
}

/** The figure by which `top` sorts. */
export type TopKey = 'mailbox' | 'turns' | 'memory';

/** Options of `top`. */
export interface TopOptions {
  /** The figure to sort by. Default `mailbox`. */
  readonly by?: TopKey | undefined;
  /** Most actors, from 1 to 100; default 20. */
  readonly limit?: number | undefined;
}

/** A supervisor or one of its children. */
export interface TreeNode {
  /** The id in its child spec; for a top supervisor its label. */
  readonly id: string;
  /** Undefined while it does not run. */
  readonly pid: Pid | undefined;
  /** Its name in logs; undefined for an actor of another node than the asked one. */
  readonly label: string | undefined;
  readonly type: 'worker' | 'supervisor';
  /** Undefined for a top supervisor. */
  readonly restart: Restart | undefined;
  /** How often its supervisor was to start it again. Undefined for a top supervisor, and where the asked node does not count. */
  readonly restarts: number | undefined;
  readonly state: 'running' | 'restarting' | 'stopped';
  /** Its node; undefined: the asked node. A supervisor of another node has no children here: ask that node. */
  readonly node: string | undefined;
  /** How many messages are in its mailbox; 0 for an actor of another node. */
  readonly mailbox: number;
  readonly children: readonly TreeNode[];
  /** How many children are left out. */
  readonly omitted: number;
}

/** The supervisors of a node and their children. */
export interface SupervisionTree {
  /** The supervisors without a supervisor on that node, or the one that the option `root` names. */
  readonly roots: readonly TreeNode[];
  /** How many roots are left out. */
  readonly omitted: number;
  /** With `root`: the option `after` for its further children; undefined: there are none. */
  readonly next: number | undefined;
}

/** Which part of the supervision tree. */
export interface TreeOptions {
  /** Shows only this supervisor and its children. */
  readonly root?: Pid | undefined;
  /** With `root`: leaves out so many of its first children. */
  readonly after?: number | undefined;
  /**
   * Most entries in all, from 1 to 1000; default 500. Entries near a root come first. Without `root`, a supervisor shows at most a quarter of
   * them as children.
   */
  readonly limit?: number | undefined;
}

/** The connection of the asked node to one peer. */
export interface SessionInfo {
  /** The peer's full name. */
  readonly node: string;
  /** The number of the connection: the asked node counts its connections. */
  readonly connection: number;
  /** Whether the peer is a hidden node. */
  readonly hidden: boolean;
  /** Whether the asked node made the connection. */
  readonly dialled: boolean;
  /** Whether the peer's event loop is blocked. */
  readonly stalled: boolean;
  /** Bytes that wait to be sent to the peer. */
  readonly waiting: number;
  /** Frames received since the connection was made. */
  readonly framesIn: number;
  /** Frames sent, waiting ones included. */
  readonly framesOut: number;
  /** Bytes received, as TLS payload. */
  readonly bytesIn: number;
  /** Bytes sent, as TLS payload. */
  readonly bytesOut: number;
  /** ms since bytes last came from the peer. */
  readonly silentMs: number;
  /** Means since the last call of `sessions`; undefined in the first call, and for a new connection. */
  readonly rates: SessionRates | undefined;
}

/** Frames and bytes in a second. */
export interface SessionRates {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A name and the actor that has it. */
export interface NameInfo {
  readonly name: string;
  readonly pid: Pid;
}

/** A group that the asked node knows. */
export interface GroupInfo {
  /** Undefined: the scope without a name. */
  readonly scope: string | undefined;
  readonly group: string;
  /** How many different actors are in it, on all nodes. */
  readonly members: number;
  /** How many of them are on the asked node. */
  readonly localMembers: number;
}

/** A room of `snowmesh/rooms`. */
export interface RoomInfo {
  readonly room: string;
  /** How many WebSocket connections are in it, on all nodes. */
  readonly members: number;
  /** How many of them are on the asked node. */
  readonly localMembers: number;
  /** How many messages are kept for clients that reconnect. */
  readonly kept: number;
}

/** A crash of an actor, and how often it happened. A node remembers the last 50 different ones. */
export interface CrashInfo {
  /** The number of the crash on the asked node; the option `after` of `crashes` takes it. */
  readonly id: number;
  /** When it happened last, in ms since 1970 by the clock of the asked node. */
  readonly at: number;
  /** The actor that crashed last. */
  readonly pid: Pid;
  readonly label: string;
  /** As in the log, such as `TypeError: …`; at most 300 characters. */
  readonly reason: string;
  /** Positions in code, one on each line, of the first crash; at most 1000 characters. */
  readonly stack: string;
  /** How often an actor with that label crashed for that reason. */
  readonly times: number;
}

/** How late the event loop was over the last 10 seconds or so, in ms. */
export interface LoopDelay {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** Figures of a node at one moment. */
export interface NodeOverview {
  readonly node: string;
  readonly hidden: boolean;
  /** The version of snowmesh. */
  readonly version: string;
  /** The JavaScript runtime, such as `node v22.1.0`. */
  readonly platform: string;
  /** The id of its OS process. */
  readonly osPid: number;
  /** ms since the node was started. */
  readonly uptimeMs: number;
  /** Its system clock, in ms since 1970. */
  readonly clock: number;
  readonly isStopping: boolean;
  /** How many actors live on it. */
  readonly actors: number;
  /** How many of them are supervisors. */
  readonly supervisors: number;
  /** How many local names are registered. */
  readonly names: number;
  /** How many messages were lost, by reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** How many crashes its actors had since its start. */
  readonly crashes: number;
  /** Undefined if the measurement has just begun, or the platform cannot measure it. */
  readonly loopDelay: LoopDelay | undefined;
  /** Bytes, as `process.memoryUsage()` gives them. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly heapTotal: number };
  /** ms of CPU time of its OS process. */
  readonly cpuMs: number;
  /** How many peers are connected, hidden ones included. */
  readonly peers: number;
  /** The names of the peers whose event loop is blocked. */
  readonly stalledPeers: readonly string[];
}
