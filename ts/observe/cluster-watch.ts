// Polls all nodes of a cluster.
import type { CrashInfo, NodeOverview } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';
import { NodePoll, type NodeStatus, type PolledSession } from './node-poll.ts';
import { Watch } from './watch.ts';

/** Nodes that are shown. */
const MAX_NODES = 128;
/** Nodes that a round waits for in parallel. It waits for those that did not answer before only once it has the others. */
const AT_ONCE = 16;
/** A later answer is shown in the next round, so that one blocked node does not delay the others. */
const ROUND_LIMIT_MS = 1000;
/** If the root answers later than this, its previous list of peers is used. */
const ROOT_LIMIT_MS = 250;
/** Rounds for which a lost node is still shown. */
const LOST_ROUNDS = 30;

/** One node, as sent to the page. */
export interface ShownNode {
  readonly node: string;
  /** As in {@link NodeStatus}; `asked`: the node has not answered yet. */
  readonly state: NodeStatus['state'] | 'asked';
  readonly overview?: NodeOverview;
  /**
   * Its sessions with nodes of this view: index of the peer, 1 when the peer is stalled, waiting bytes, bytes per second in and out (`null`
   * while unknown). A compact form, because 32 nodes have 992 of them.
   */
  readonly sessions?: readonly (readonly [number, 0 | 1, number, number | null, number | null])[];
}

export interface ClusterView {
  /** ms since 1970. */
  readonly at: number;
  /** The node whose cluster is shown. */
  readonly root: string;
  readonly nodes: readonly ShownNode[];
  /** Nodes that are not shown. */
  readonly omitted: number;
}

export class ClusterWatch extends Watch<ClusterView> {
  readonly root: string;
  readonly #node: Node;
  readonly #crashed: (node: string, crashes: readonly CrashInfo[]) => void;
  readonly #polls = new Map<string, NodePoll>();
  /** Rounds since a node was last connected to the root. */
  readonly #lostFor = new Map<string, number>();

  /**
   * @param every ms between two rounds.
   * @param crashed is called with new crashes of a node.
   */
  constructor(
    node: Node,
    root: string,
    every: number,
    crashed: (node: string, crashes: readonly CrashInfo[]) => void,
  ) {
    super(every);
    this.#node = node;
    this.root = root;
    this.#crashed = crashed;
  }

  protected override async look(): Promise<ClusterView> {
    const isLate = timer(ROUND_LIMIT_MS);
    const root = this.#pollOf(this.root);
    const isRootLate = timer(ROOT_LIMIT_MS);
    const rootAsked = root.ask();
    await Promise.race([rootAsked, isRootLate.over]);
    isRootLate.cancel();
    const names = this.#names(root.peers);
    const shown = names.slice(0, MAX_NODES);
    const left = shown.slice(1).values();
    const slow = [rootAsked];
    const work = async (): Promise<void> => {
      for (const name of left) {
        if (isLate.isOver) return;
        const poll = this.#pollOf(name);
        const { isSlow } = poll; // before this poll
        const asked = poll.ask();
        if (isSlow) slow.push(asked);
        else await Promise.race([asked, isLate.over]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await Promise.race([Promise.all(slow), isLate.over]);
    isLate.cancel();
    const places = new Map(shown.map((name, at) => [name, at]));
    const nodes = shown.map((name) => shownNode(name, this.#pollOf(name).status, places));
    return { at: Date.now(), root: this.root, nodes, omitted: names.length - shown.length };
  }

  /** The root, then its visible peers, and for a while those that were lost. */
  #names(peers: readonly string[]): string[] {
    for (const name of peers) if (name !== this.root) this.#lostFor.set(name, 0);
    const now = new Set(peers);
    for (const [name, rounds] of this.#lostFor) {
      if (now.has(name)) continue;
      if (rounds < LOST_ROUNDS) this.#lostFor.set(name, rounds + 1);
      else this.#forget(name);
    }
    return [this.root, ...[...this.#lostFor.keys()].toSorted()];
  }

  #forget(name: string): void {
    this.#lostFor.delete(name);
    this.#polls.delete(name);
  }

  #pollOf(name: string): NodePoll {
    let poll = this.#polls.get(name);
    if (poll === undefined) this.#polls.set(name, (poll = new NodePoll(this.#node, name, this.#crashed)));
    return poll;
  }
}

function shownNode(
  node: string,
  status: NodeStatus | undefined,
  places: ReadonlyMap<string, number>,
): ShownNode {
  if (status === undefined) return { node, state: 'asked' };
  const { state, overview, sessions } = status;
  if (overview === undefined) return { node, state };
  // A node may answer with very many peers, each any number of times.
  const stalledPeers = [...new Set(overview.stalledPeers)].filter((peer) => places.has(peer));
  return {
    node,
    state,
    overview: { ...overview, stalledPeers },
    sessions: shownSessions(sessions ?? [], places),
  };
}

/** At most one session with each node of this view. */
function shownSessions(
  sessions: readonly PolledSession[],
  places: ReadonlyMap<string, number>,
): NonNullable<ShownNode['sessions']> {
  const whole = (rate: number | undefined): number | null => (rate === undefined ? null : Math.round(rate));
  const shown = new Map<number, NonNullable<ShownNode['sessions']>[number]>();
  for (const { peer, isStalled, waiting, bytesIn, bytesOut } of sessions) {
    const at = places.get(peer);
    if (at !== undefined) shown.set(at, [at, isStalled ? 1 : 0, waiting, whole(bytesIn), whole(bytesOut)]);
  }
  return [...shown.values()];
}

function timer(ms: number): { readonly over: Promise<void>; isOver: boolean; cancel(): void } {
  const state = { isOver: false, over: Promise.resolve(), cancel: (): void => {} };
  state.over = new Promise((resolve) => {
    const running = setTimeout(() => {
      state.isOver = true;
      resolve();
    }, ms);
    state.cancel = () => (clearTimeout(running), resolve());
  });
  return state;
}
