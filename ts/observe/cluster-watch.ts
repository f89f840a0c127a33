// Asks every node of a cluster what it is doing, again and again, while somebody looks.
import type { CrashInfo, NodeOverview } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';
import { type Line, NodePoll, type Sight } from './node-poll.ts';

/** Nodes that are shown. */
const MAX_NODES = 128;
/** Nodes that are asked at the same time. */
const AT_ONCE = 16;
/** What answers later than this is shown with the next round: one node that stands still does not hold up the others. Unit: ms. */
const PATIENCE_MS = 1000;
/** Later than this the peers are those that the root told before. Unit: ms. */
const ROOT_PATIENCE_MS = 250;
/** Rounds for which a node that is gone is still shown. */
const LOST_ROUNDS = 30;

/** One node as the page gets it. */
export interface SightedNode {
  readonly node: string;
  /** As {@link Sight}; `asked`: it has not answered yet. */
  readonly state: Sight['state'] | 'asked';
  readonly overview?: NodeOverview;
  /**
   * Its connections to nodes of this sight: place of the peer, 1 when that stands still, bytes that wait, bytes a second in and out, `null`
   * while these are not known. Short, because 32 nodes have 992 of them.
   */
  readonly lines?: readonly (readonly [number, 0 | 1, number, number | null, number | null])[];
}

export interface ClusterSight {
  /** ms since 1970. */
  readonly at: number;
  /** The node whose cluster it is. */
  readonly root: string;
  readonly nodes: readonly SightedNode[];
  /** Nodes that are not shown. */
  readonly omitted: number;
}

export class ClusterWatch {
  readonly root: string;
  readonly #node: Node;
  readonly #every: number;
  readonly #crashed: (node: string, crashes: readonly CrashInfo[]) => void;
  readonly #listeners = new Set<(sight: ClusterSight) => void>();
  readonly #polls = new Map<string, NodePoll>();
  /** Rounds since a node was last connected to the root. */
  readonly #lostFor = new Map<string, number>();
  #last: ClusterSight | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** @param crashed is told of crashes that the nodes remember. @param every ms between two rounds. */
  constructor(
    node: Node,
    root: string,
    every: number,
    crashed: (node: string, crashes: readonly CrashInfo[]) => void,
  ) {
    this.#node = node;
    this.root = root;
    this.#every = every;
    this.#crashed = crashed;
  }

  /** Calls `listener` now, if anything is known, and after each round. Returns the way to stop. */
  follow(listener: (sight: ClusterSight) => void): () => void {
    this.#listeners.add(listener);
    if (this.#last !== undefined) listener(this.#last);
    if (this.#listeners.size === 1) void this.#round();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  }

  close(): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const sight = await this.#look();
      this.#last = sight;
      for (const listener of this.#listeners) listener(sight);
    } finally {
      this.#isLooking = false;
    }
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0) this.#timer = setTimeout(() => void this.#round(), this.#every);
  }

  async #look(): Promise<ClusterSight> {
    const isLate = timer(PATIENCE_MS);
    const root = this.#pollOf(this.root);
    const isRootLate = timer(ROOT_PATIENCE_MS);
    const rootAsked = root.ask();
    await Promise.race([rootAsked, isRootLate.over]);
    isRootLate.cancel();
    const names = this.#names(root.peers);
    const shown = names.slice(0, MAX_NODES);
    const left = shown.slice(1).values();
    const work = async (): Promise<void> => {
      for (const name of left) {
        if (isLate.isOver) return;
        await Promise.race([this.#pollOf(name).ask(), isLate.over]);
      }
    };
    await Promise.all([Promise.race([rootAsked, isLate.over]), ...Array.from({ length: AT_ONCE }, work)]);
    isLate.cancel();
    const places = new Map(shown.map((name, at) => [name, at]));
    const nodes = shown.map((name) => sighted(name, this.#pollOf(name).sight, places));
    return { at: Date.now(), root: this.root, nodes, omitted: names.length - shown.length };
  }

  /** The root first, then its visible peers, and for a while those that are gone. */
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

function sighted(node: string, sight: Sight | undefined, places: ReadonlyMap<string, number>): SightedNode {
  if (sight === undefined) return { node, state: 'asked' };
  const { state, overview, lines } = sight;
  if (overview === undefined) return { node, state };
  return { node, state, overview, lines: (lines ?? []).flatMap((line) => short(line, places)) };
}

function short(
  { peer, isStalled, waiting, bytesIn, bytesOut }: Line,
  places: ReadonlyMap<string, number>,
): NonNullable<SightedNode['lines']>[number][] {
  const at = places.get(peer);
  if (at === undefined) return [];
  const whole = (rate: number | undefined): number | null => (rate === undefined ? null : Math.round(rate));
  return [[at, isStalled ? 1 : 0, waiting, whole(bytesIn), whole(bytesOut)]];
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
