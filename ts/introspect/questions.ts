// The questions of introspection: the options of each, the function that answers it, and the check of a peer's answer.
import type { Pid } from '../term/index.ts';
import type {
  CrashInfo,
  GroupInfo,
  NameInfo,
  NodeOverview,
  Page,
  PageOptions,
  ProcessInfo,
  ProcessSummary,
  RoomInfo,
  SupervisionTree,
  TopOptions,
  Totals,
  TreeOptions,
} from './answers.ts';
import {
  amounts,
  both,
  type Check,
  either,
  isAmount,
  isFlag,
  isPid,
  isText,
  lazy,
  listOf,
  oneOf,
  optional,
  record,
  textTo,
  wholeTo,
} from './check.ts';
import { MAX_CRASHES, MAX_REASON, MAX_STACK } from './crash-log.ts';
import type { NodeView } from './node-view.ts';
import { MAX_LIST } from './process-view.ts';
import type { SessionCounters } from './sources.ts';

/** Most entries of one answer. */
export const MAX_PAGE = 1000;
export const MAX_TOP = 100;
/** Most peers in an answer. */
const MAX_PEERS = 65_536;
/** Most ancestors of an actor in an answer that is accepted: another version may send more than this one. */
const MAX_ANCESTORS = 32;

/** The options and the answer of each question. */
export interface Questions {
  overview: [Nothing, NodeOverview];
  processes: [PageOptions, Page<ProcessSummary>];
  process: [Which, ProcessInfo | undefined];
  top: [TopOptions, readonly ProcessSummary[]];
  totals: [Nothing, Totals];
  tree: [TreeOptions, SupervisionTree];
  crashes: [PageOptions, Page<CrashInfo>];
  sessions: [Nothing, readonly SessionCounters[]];
  names: [PageOptions, Page<NameInfo>];
  globalNames: [PageOptions, Page<NameInfo>];
  groups: [PageOptions, Page<GroupInfo>];
  rooms: [PageOptions, Page<RoomInfo>];
}

export type Question = keyof Questions;
type Nothing = Readonly<Record<string, never>>;

interface Which {
  readonly which: Pid | string;
}

/** One question: the check of its options, its answer on this node, and the check of a peer's answer. */
interface Entry<Q extends Question> {
  readonly takes: Check;
  readonly answer: (view: NodeView, options: Questions[Q][0]) => Questions[Q][1] | Promise<Questions[Q][1]>;
  readonly gives: Check;
}

const pageOptions = record({
  after: optional(wholeTo(Number.MAX_SAFE_INTEGER)),
  limit: optional(wholeTo(MAX_PAGE, 1)),
});

const summary = {
  pid: isPid,
  label: isText,
  name: optional(isText),
  parent: isPid,
  state: oneOf('starting', 'runnable', 'receiving', 'idle', 'busy', 'ending'),
  mailbox: isAmount,
  turns: isAmount,
  memory: isAmount,
};

const process = record({
  ...summary,
  kind: oneOf('function', 'handler'),
  names: listOf(isText, MAX_LIST),
  trapsExits: isFlag,
  links: listOf(isPid, MAX_LIST),
  linkCount: isAmount,
  monitors: listOf(either(isPid, record({ name: isText, node: isText })), MAX_LIST),
  monitorCount: isAmount,
  monitoredBy: listOf(isPid, MAX_LIST),
  monitoredByCount: isAmount,
  mailboxLimit: optional((value) => typeof value === 'number'),
  lastTag: optional(isText),
  calls: isAmount,
  timers: isAmount,
  ancestors: listOf(isPid, MAX_ANCESTORS),
  idleMs: optional(isAmount),
});

const overview = record({
  node: isText,
  hidden: isFlag,
  version: isText,
  platform: isText,
  osPid: isAmount,
  uptimeMs: isAmount,
  clock: isAmount,
  isStopping: isFlag,
  actors: isAmount,
  supervisors: isAmount,
  names: isAmount,
  deadLetters: amounts(64),
  crashes: isAmount,
  loopDelay: optional(record({ mean: isAmount, p99: isAmount, max: isAmount })),
  memory: record({ rss: isAmount, heapUsed: isAmount, heapTotal: isAmount }),
  cpuMs: isAmount,
  peers: isAmount,
  stalledPeers: listOf(isText, MAX_PEERS),
});

const treeNode: Check = record({
  id: isText,
  pid: optional(isPid),
  label: optional(isText),
  type: oneOf('worker', 'supervisor'),
  restart: optional(oneOf('permanent', 'transient', 'temporary')),
  restarts: optional(isAmount),
  state: oneOf('running', 'restarting', 'stopped'),
  node: optional(isText),
  mailbox: isAmount,
  children: lazy(() => listOf(treeNode, MAX_PAGE)),
  omitted: isAmount,
});

const tree = record({ roots: listOf(treeNode, MAX_PAGE), omitted: isAmount, next: optional(isAmount) });

/** Entries of a tree, on all its levels. */
function entriesOf(nodes: SupervisionTree['roots']): number {
  return nodes.reduce((sum, { children }) => sum + 1 + entriesOf(children), 0);
}

const session = record({
  node: isText,
  connection: isAmount,
  hidden: isFlag,
  dialled: isFlag,
  stalled: isFlag,
  waiting: isAmount,
  framesIn: isAmount,
  framesOut: isAmount,
  bytesIn: isAmount,
  bytesOut: isAmount,
  silentMs: isAmount,
});

const crash = record({
  id: isAmount,
  at: isAmount,
  pid: isPid,
  label: isText,
  reason: textTo(MAX_REASON),
  stack: textTo(MAX_STACK),
  times: isAmount,
});

const nameInfo = record({ name: isText, pid: isPid });

/** All questions. A peer that does not know a question refuses it with `unknown`. */
export const QUESTIONS: { readonly [Q in Question]: Entry<Q> } = {
  overview: { takes: record({}), answer: (view) => view.overview(), gives: overview },
  processes: {
    takes: pageOptions,
    answer: (view, options) => view.processes(options),
    gives: page(record(summary)),
  },
  process: {
    takes: record({ which: either(isPid, isText) }),
    answer: (view, { which }) => view.process(which),
    gives: optional(process),
  },
  top: {
    takes: record({
      by: optional(oneOf('mailbox', 'turns', 'memory')),
      limit: optional(wholeTo(MAX_TOP, 1)),
    }),
    answer: (view, options) => view.top(options),
    gives: listOf(record(summary), MAX_TOP),
  },
  totals: {
    takes: record({}),
    answer: (view) => view.totals(),
    gives: record({ mailbox: isAmount, turns: isAmount }),
  },
  tree: {
    takes: record({
      root: optional(isPid),
      after: optional(wholeTo(Number.MAX_SAFE_INTEGER)),
      limit: optional(wholeTo(MAX_PAGE, 1)),
    }),
    answer: (view, options) => view.tree(options),
    gives: both(tree, (value) => entriesOf((value as SupervisionTree).roots) <= MAX_PAGE),
  },
  crashes: {
    takes: pageOptions,
    answer: (view, options) => view.crashes(options),
    gives: page(crash, MAX_CRASHES),
  },
  sessions: {
    takes: record({}),
    answer: (view) => view.sessions(),
    gives: listOf(session, MAX_PEERS),
  },
  names: { takes: pageOptions, answer: (view, options) => view.names(options), gives: page(nameInfo) },
  globalNames: {
    takes: pageOptions,
    answer: (view, options) => view.globalNames(options),
    gives: page(nameInfo),
  },
  groups: {
    takes: pageOptions,
    answer: (view, options) => view.groups(options),
    gives: page(
      record({ scope: optional(isText), group: isText, members: isAmount, localMembers: isAmount }),
    ),
  },
  rooms: {
    takes: pageOptions,
    answer: (view, options) => view.rooms(options),
    gives: page(record({ room: isText, members: isAmount, localMembers: isAmount, kept: isAmount })),
  },
};

export function isQuestion(value: unknown): value is Question {
  return typeof value === 'string' && Object.hasOwn(QUESTIONS, value);
}

function page(item: Check, most: number = MAX_PAGE): Check {
  return record({ items: listOf(item, most), total: isAmount, next: optional(isAmount) });
}
