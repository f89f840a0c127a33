// What the launcher and its three node processes tell each other over their private channel. Words never travel here:
// they go from node to node.
import type { Counts } from './counter.ts';
import type { Job } from './reader.ts';

/** Launcher → node process. */
export type Order =
  | { readonly type: 'start'; readonly name: string; readonly cookie: string }
  | { readonly type: 'connect'; readonly nodes: readonly string[] }
  | { readonly type: 'read'; readonly job: Job }
  | { readonly type: 'goOn' }
  | { readonly type: 'stop' };

/** Node process → launcher. */
export type Report =
  | { readonly type: 'up'; readonly name: string }
  | { readonly type: 'connected'; readonly peers: readonly string[] }
  | { readonly type: 'begun' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'halfway' }
  | { readonly type: 'moved'; readonly moved: Moved }
  | { readonly type: 'streamed'; readonly stream: Streamed }
  | { readonly type: 'counts'; readonly entries: Counts['entries'] }
  | { readonly type: 'counted'; readonly peers: readonly Sight[] }
  | { readonly type: 'failed'; readonly why: string };

/** How far the work has come. */
export interface Progress {
  readonly bytesRead: number;
  /** Words that the counters of each node have handed over. */
  readonly words: readonly (readonly [node: string, words: number])[];
}

/** A node was lost, and others do what it did. */
export interface Moved {
  readonly node: string;
  readonly counters: number;
  /** Words that its counters had not handed over; they were sent again. */
  readonly words: number;
  readonly to: readonly string[];
}

/** A node and the others it sees. */
export type Sight = readonly [node: string, peers: readonly string[]];

/** The figures of the streaming, taken by the node that reads. */
export interface Streamed {
  readonly words: number;
  readonly counters: number;
  /** Messages between actors: words, and the calls and replies of the flow control. */
  readonly messages: number;
  /** Those of them that crossed from one process to another. */
  readonly overTheWire: number;
  readonly seconds: number;
}
