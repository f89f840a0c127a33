// What the launcher and its three node processes tell each other over their private channel. Words never travel here:
// they go from node to node.
import type { Document } from './documents.ts';

/** Launcher → node process. */
export type Order =
  | { readonly type: 'start'; readonly name: string; readonly cookie: string; readonly counters: number }
  | { readonly type: 'connect'; readonly nodes: readonly string[] }
  | { readonly type: 'read'; readonly nodes: readonly string[]; readonly documents: readonly Document[] }
  | { readonly type: 'finish' }
  | { readonly type: 'stop' };

/** Node process → launcher. */
export type Report =
  | { readonly type: 'up'; readonly name: string }
  | { readonly type: 'connected'; readonly peers: readonly string[] }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'streamed'; readonly stream: Streamed }
  | { readonly type: 'counts'; readonly entries: readonly (readonly [string, number])[] }
  | { readonly type: 'counted'; readonly peers: readonly (readonly [string, readonly string[]])[] }
  | { readonly type: 'finished'; readonly progress: Progress }
  | { readonly type: 'failed'; readonly why: string };

/** What a node has done so far. */
export interface Progress {
  /** Words its counters have received. */
  readonly words: number;
  /** Different words among them. */
  readonly different: number;
  /** Bytes read so far; only the node that reads has any. */
  readonly bytesRead: number;
}

/** The figures of the streaming, taken by the node that reads. */
export interface Streamed {
  readonly words: number;
  /** Messages between actors: words, and the calls and replies of the flow control. */
  readonly messages: number;
  /** Those of them that crossed from one process to another. */
  readonly overTheWire: number;
  readonly seconds: number;
}
