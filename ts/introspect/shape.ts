// What introspection shows, the same for this node and for others.
import type { NodeAddress } from '../actor/index.ts';
import type { Restart } from '../supervisor/index.ts';
import type { Pid } from '../term/index.ts';

/**
 * What an actor is doing: its init runs (`starting`), a turn of it is queued (`runnable`), it waits in `receive` (`receiving`), a handler
 * that has nothing to do (`idle`), its code waits for a promise of its own (`busy`), its `terminate` runs (`ending`).
 */
export type ProcessState = 'starting' | 'runnable' | 'receiving' | 'idle' | 'busy' | 'ending';

/** One line about an actor. */
export interface ProcessSummary {
  readonly pid: Pid;
  /** Its name in logs: that of its function or spec. At most 128 characters. */
  readonly label: string;
  /** One of its local names, if it has any. */
  readonly name: string | undefined;
  /** The actor that spawned it; `<0.0>`: code outside of actors. */
  readonly parent: Pid;
  readonly state: ProcessState;
  /** Messages that wait. */
  readonly mailbox: number;
  /** Messages it has taken since its start. */
  readonly turns: number;
  /** Bytes it takes about: its control block and what waits in its mailbox, by a sample of that. Its own variables are not known. */
  readonly memory: number;
}

/** Everything that is known about an actor. Of each list at most the first 100 are given, with the count of all. */
export interface ProcessInfo extends ProcessSummary {
  /** Called once a message (`handler`), or a function that receives. */
  readonly kind: 'function' | 'handler';
  readonly names: readonly string[];
  readonly trapsExits: boolean;
  readonly links: readonly Pid[];
  readonly linkCount: number;
  /** What it monitors. */
  readonly monitors: readonly (Pid | NodeAddress)[];
  readonly monitorCount: number;
  /** Actors that monitor it. */
  readonly monitoredBy: readonly Pid[];
  readonly monitoredByCount: number;
  /** Most messages that may wait; undefined: no limit. */
  readonly mailboxLimit: number | undefined;
  /** The tag of the call or message that it handles now, or took last; undefined: none, or it is a handler that has nothing to do. */
  readonly lastTag: string | undefined;
  /** Calls of its own that wait for an answer. */
  readonly calls: number;
  /** Its timers that have not fired. */
  readonly timers: number;
  /** Actors from which it descends, its parent first. At most 32. */
  readonly ancestors: readonly Pid[];
  /**
   * ms for which it has taken no message: at least so many. Counted from the first time it was looked at, so undefined then.
   */
  readonly idleMs: number | undefined;
}

/** Part of a long list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** How many there are in all. */
  readonly total: number;
  /** What `after` takes to continue; undefined: this was the last part. */
  readonly next: number | undefined;
}

/** Which part of a list. */
export interface PageOptions {
  /** `next` of the part before. */
  readonly after?: number;
  /** Most items, from 1 to 1000; default 100. */
  readonly limit?: number;
}

/** Sums over the living actors of a node. */
export interface Totals {
  /** Messages that wait. */
  readonly mailbox: number;
  /** Messages they have taken since their start. */
  readonly turns: number;
}

/** By what `top` sorts. */
export type TopKey = 'mailbox' | 'turns' | 'memory';

/** What `top` looks for. */
export interface TopOptions {
  /** Default `mailbox`. */
  readonly by?: TopKey;
  /** Most actors, from 1 to 100; default 20. */
  readonly limit?: number;
}

/** A supervisor or one of its children. */
export interface TreeNode {
  /** The id in its child spec; the label, for a supervisor that no other supervises. */
  readonly id: string;
  /** Undefined while it does not run. */
  readonly pid: Pid | undefined;
  /** Of an actor of the node that was asked. */
  readonly label: string | undefined;
  readonly type: 'worker' | 'supervisor';
  /** Undefined for a supervisor that no other supervises. */
  readonly restart: Restart | undefined;
  readonly state: 'running' | 'restarting' | 'stopped';
  /** The node it lives on; undefined: the node that was asked. A supervisor of another node is shown without its children: ask that node. */
  readonly node: string | undefined;
  /** Messages that wait; 0 for an actor of another node. */
  readonly mailbox: number;
  readonly children: readonly TreeNode[];
  /** Children that are not shown. */
  readonly omitted: number;
}

/** The supervisors of a node with all that is below them. */
export interface SupervisionTree {
  /** Supervisors of that node that no supervisor of it supervises, or the one that was asked for. */
  readonly roots: readonly TreeNode[];
  /** Roots that are not shown. */
  readonly omitted: number;
  /** With `root`: what `after` takes to see its further children. */
  readonly next: number | undefined;
}

/** Which part of the tree. */
export interface TreeOptions {
  /** Only this supervisor, and what is below it. */
  readonly root?: Pid;
  /** With `root`: so many of its children are left out at the beginning. */
  readonly after?: number;
  /** Most entries in all, from 1 to 1000; default 500. What is nearer to a root goes first, and each supervisor shows at most a quarter. */
  readonly limit?: number;
}

/** The connection of the asked node to a peer. */
export interface SessionInfo {
  /** The peer. */
  readonly node: string;
  /** Counts connections of the asked node. */
  readonly connection: number;
  readonly hidden: boolean;
  /** Whether the asked node dialled. */
  readonly dialled: boolean;
  /** Whether the peer's event loop has not turned for a while. */
  readonly stalled: boolean;
  /** Bytes that wait to be sent to the peer. */
  readonly waiting: number;
  /** Since the connection was made; bytes are TLS payload. */
  readonly framesIn: number;
  /** Those that wait included. */
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** ms since bytes last came from the peer. */
  readonly silentMs: number;
  /** Means since this view was asked for sessions before; undefined at the first time, and for a new connection. */
  readonly rates: SessionRates | undefined;
}

/** Per second. */
export interface SessionRates {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A name and who has it. */
export interface NameInfo {
  readonly name: string;
  readonly pid: Pid;
}

/** A group of the asked node's groups. */
export interface GroupInfo {
  /** Undefined: the scope without a name. */
  readonly scope: string | undefined;
  readonly group: string;
  /** Different actors, on all nodes and on the asked one. */
  readonly members: number;
  readonly localMembers: number;
}

/** A room of `snowmesh/rooms`. */
export interface RoomInfo {
  readonly room: string;
  /** WebSocket connections on all nodes and on the asked one. */
  readonly members: number;
  readonly localMembers: number;
  /** Messages that are kept for those who come back. */
  readonly kept: number;
}

/** A crash of an actor, and how often it happened. Of a node the last 50 different ones are remembered. */
export interface CrashInfo {
  /** Counts the crashes of the asked node; what `after` takes to get later ones. */
  readonly id: number;
  /** When it happened last, in ms since 1970 by the clock of the asked node. */
  readonly at: number;
  /** The actor that crashed last like this. */
  readonly pid: Pid;
  readonly label: string;
  /** As in the log, in at most 300 characters: `TypeError: …`. */
  readonly reason: string;
  /** Places in code, one a line, of the first time; at most 1000 characters. */
  readonly stack: string;
  /** How often an actor of that label crashed for that reason. */
  readonly times: number;
}

/** How late the event loop was, in ms, over the last seconds. */
export interface LoopDelay {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** A node at one moment. */
export interface NodeOverview {
  readonly node: string;
  readonly hidden: boolean;
  /** Of snowmesh. */
  readonly version: string;
  /** What runs it, as `node v22.1.0`. */
  readonly platform: string;
  /** The id of its OS process. */
  readonly osPid: number;
  /** ms since the node was started. */
  readonly uptimeMs: number;
  /** Its time of day, in ms since 1970. */
  readonly clock: number;
  readonly isStopping: boolean;
  readonly actors: number;
  readonly supervisors: number;
  /** Local names. */
  readonly names: number;
  /** Lost messages by reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Crashes of its actors since its start. */
  readonly crashes: number;
  /** Undefined for the first moments after a node was asked for the first time, and where the platform does not tell. */
  readonly loopDelay: LoopDelay | undefined;
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly heapTotal: number };
  /** ms of processor time of its OS process. */
  readonly cpuMs: number;
  /** Connected peers, hidden ones included. */
  readonly peers: number;
  /** Those of them whose event loop stands still. */
  readonly stalledPeers: readonly string[];
}
