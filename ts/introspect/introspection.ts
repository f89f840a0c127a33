import { inspect } from 'node:util';
import { checkOptionNames, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { Pid } from '../term/index.ts';
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
  SessionInfo,
  SessionRates,
  SupervisionTree,
  TopOptions,
  Totals,
  TreeOptions,
} from './answers.ts';
import { MAX_PAGE, MAX_TOP, QUESTIONS, type Question, type Questions } from './questions.ts';
import type { SessionCounters } from './sources.ts';

/** Least ms between two samples for which rates are given. */
const MIN_RATE_MS = 50;

/** Sends a question to the node of one view. */
export type AskNode = <Q extends Question>(question: Q, options: Questions[Q][0]) => Promise<Questions[Q][1]>;

interface Sample {
  readonly at: number;
  readonly sessions: ReadonlyMap<number, SessionCounters>;
}

/**
 * Shows what one node is doing: this node or another connected one. Made by `node.introspect`. As Erlang's observer.
 *
 * Every answer has a limited size: long lists come in pages. A node answers outside of its actors, one question at a time, also while its
 * actors are busy; no user code runs there. A node whose event loop is blocked does not answer.
 *
 * Every method rejects with SNOW_ERR_INTROSPECTION when there is no answer - `details.reason` is `off`, `busy`, `timeout`, `nodedown`,
 * `stopped`, `unknown`, `bad`, `failed` or `bad_answer` - and with SNOW_ERR_BAD_OPTION for wrong options.
 *
 * @example
 * const view = node.introspect('shop@10.0.0.2:9000');
 * for (const { label, mailbox } of await view.top({ by: 'mailbox' })) console.log(label, mailbox);
 */
export class Introspection {
  /** The node that is asked. */
  readonly node: string;
  readonly #ask: AskNode;
  #sample: Sample | undefined;

  /** @internal Use `node.introspect`. */
  constructor(node: string, ask: AskNode) {
    this.node = node;
    this.#ask = ask;
  }

  /** Figures of the node at this moment. O(peers) there. */
  overview(): Promise<NodeOverview> {
    return this.#ask('overview', {});
  }

  /**
   * Its actors, in the order of their start, one page at a time. As Erlang's `processes()`. O(limit) there.
   *
   * @example
   * for (let after: number | undefined = 0; after !== undefined; ) {
   *   const page: Page<ProcessSummary> = await view.processes({ after, limit: 1000 });
   *   after = page.next;
   * }
   */
  async processes(options: PageOptions = {}): Promise<Page<ProcessSummary>> {
    return this.#ask('processes', checked('processes', options, PAGE_OPTIONS));
  }

  /**
   * Everything that is known about one actor. As Erlang's `process_info`. O(1) there.
   *
   * @param which Its PID, or its local name on that node.
   * @returns undefined if that node has no such living actor.
   */
  async processInfo(which: Pid<never> | string): Promise<ProcessInfo | undefined> {
    if (!(which instanceof Pid) && typeof which !== 'string') {
      const why = `processInfo takes a PID or a local name, not ${kindOf(which)}`;
      throw new SnowmeshError('SNOW_ERR_BAD_ARGUMENT', why);
    }
    return this.#ask('process', { which: which as Pid | string });
  }

  /** The actors with the longest mailboxes, the most turns or the most memory. O(actors) there, spread over turns of its event loop. */
  async top(options: TopOptions = {}): Promise<readonly ProcessSummary[]> {
    return this.#ask('top', checked('top', options, TOP_OPTIONS));
  }

  /** How many messages wait in all mailboxes, and how many its living actors have taken. O(actors) there, spread over turns of its event loop. */
  totals(): Promise<Totals> {
    return this.#ask('totals', {});
  }

  /** Its supervisors and their children. O(limit + supervisors · depth) there, spread over turns of its event loop. */
  async tree(options: TreeOptions = {}): Promise<SupervisionTree> {
    return this.#ask('tree', checked('tree', options, TREE_OPTIONS));
  }

  /** Its connections to its peers. From the second call on with rates: the means since the call before. O(peers) there. */
  async sessions(): Promise<readonly SessionInfo[]> {
    const sessions = await this.#ask('sessions', {});
    const before = this.#sample;
    const at = performance.now();
    this.#sample = { at, sessions: new Map(sessions.map((each) => [each.connection, each])) };
    return sessions.map((now) => ({ ...now, rates: ratesOf(now, before, at) }));
  }

  /**
   * The last 50 different crashes of its actors, the most recent one last, each with how often it happened.
   *
   * @param options.after The `id` of a crash: only later ones are returned. `overview().crashes` is the last id.
   */
  async crashes(options: PageOptions = {}): Promise<Page<CrashInfo>> {
    return this.#ask('crashes', checked('crashes', options, PAGE_OPTIONS));
  }

  /** Its local names. O(after + limit) there. */
  async names(options: PageOptions = {}): Promise<Page<NameInfo>> {
    return this.#ask('names', checked('names', options, PAGE_OPTIONS));
  }

  /** The global names that it knows; empty if it has not started them. O(after + limit) there. */
  async globalNames(options: PageOptions = {}): Promise<Page<NameInfo>> {
    return this.#ask('globalNames', checked('globalNames', options, PAGE_OPTIONS));
  }

  /** The groups that it knows, of all its scopes; empty if it has not started groups. O(after + limit) there. */
  async groups(options: PageOptions = {}): Promise<Page<GroupInfo>> {
    return this.#ask('groups', checked('groups', options, PAGE_OPTIONS));
  }

  /** The rooms of `snowmesh/rooms` that it knows; empty if it has created none. O(after + limit) there. */
  async rooms(options: PageOptions = {}): Promise<Page<RoomInfo>> {
    return this.#ask('rooms', checked('rooms', options, PAGE_OPTIONS));
  }
}

const PAGE_OPTIONS: OptionNames<PageOptions> = { after: true, limit: true };
const TOP_OPTIONS: OptionNames<TopOptions> = { by: true, limit: true };
const TREE_OPTIONS: OptionNames<TreeOptions> = { root: true, after: true, limit: true };

/** @throws SNOW_ERR_BAD_OPTION. */
export function checked<T>(question: Question, options: T, names: OptionNames<T>): T {
  checkOptionNames(question, options, names);
  if (QUESTIONS[question].takes(options)) return options;
  const given = inspect(options, { breakLength: Number.POSITIVE_INFINITY });
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `${question} does not accept the options ${given}: \`after\` must be the \`next\` of the page before, \`limit\` a whole number from 1 to ${question === 'top' ? MAX_TOP : MAX_PAGE}`,
  );
}

/** Checks the options of `processes` of a node. Throws SNOW_ERR_BAD_OPTION. */
export function checkedPage(options: PageOptions): PageOptions {
  return checked('processes', options, PAGE_OPTIONS);
}

/** Checks the options of `tree` of a node. Throws SNOW_ERR_BAD_OPTION. */
export function checkedTree(options: TreeOptions): TreeOptions {
  return checked('tree', options, TREE_OPTIONS);
}

function ratesOf(now: SessionCounters, before: Sample | undefined, at: number): SessionRates | undefined {
  const then = before?.sessions.get(now.connection);
  if (before === undefined || then === undefined || at - before.at < MIN_RATE_MS) return undefined;
  const perSecond = (one: number, other: number): number =>
    Math.max(0, ((one - other) * 1000) / (at - before.at));
  return {
    framesIn: perSecond(now.framesIn, then.framesIn),
    framesOut: perSecond(now.framesOut, then.framesOut),
    bytesIn: perSecond(now.bytesIn, then.bytesIn),
    bytesOut: perSecond(now.bytesOut, then.bytesOut),
  };
}
