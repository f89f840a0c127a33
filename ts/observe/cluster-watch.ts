// Asks every node of a cluster what it is doing, again and again, while somebody looks.
import type { Introspection, NodeOverview, SessionInfo } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';

/** Nodes that are shown. */
const MAX_NODES = 128;
/** Nodes that are asked at the same time. */
const AT_ONCE = 16;
const TIMEOUT_MS = 3000;
/** Rounds for which a node that is gone is still shown. */
const LOST_ROUNDS = 30;

/** What is known of one node. */
export interface Sight {
  readonly node: string;
  /** `silent`: it did not answer in time. `off`: it answers nobody. `lost`: there is no connection to it any more. */
  readonly state: 'up' | 'silent' | 'off' | 'lost';
  readonly overview?: NodeOverview;
  readonly sessions?: readonly SessionInfo[];
}

export interface ClusterSight {
  /** ms since 1970. */
  readonly at: number;
  /** The node whose cluster it is. */
  readonly root: string;
  readonly nodes: readonly Sight[];
  /** Nodes that are not shown. */
  readonly omitted: number;
}

export class ClusterWatch {
  readonly root: string;
  readonly #node: Node;
  readonly #every: number;
  readonly #listeners = new Set<(sight: ClusterSight) => void>();
  /** Kept, since a view gives rates from its second answer on. */
  readonly #views = new Map<string, Introspection>();
  /** Rounds since a node was last connected. */
  readonly #lostFor = new Map<string, number>();
  /** Of this round. A view is asked once a round, since its rates are means over the time between two answers. */
  #rootSessions: readonly SessionInfo[] | undefined;
  #last: ClusterSight | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(node: Node, root: string, every: number) {
    this.#node = node;
    this.root = root;
    this.#every = every;
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
    const names = await this.#names();
    const nodes: Sight[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < Math.min(names.length, MAX_NODES); at = next++)
        nodes[at] = await this.#sightOf(names[at] as string);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { at: Date.now(), root: this.root, nodes, omitted: Math.max(0, names.length - MAX_NODES) };
  }

  /** The root first, then its visible peers, and for a while those that are gone. */
  async #names(): Promise<string[]> {
    const peers = new Set<string>();
    try {
      this.#rootSessions = undefined;
      this.#rootSessions = await this.#view(this.root).sessions();
      for (const { node, hidden } of this.#rootSessions) if (!hidden) peers.add(node);
    } catch {
      // It does not answer: what was known of it still holds.
    }
    peers.delete(this.root);
    for (const name of peers) this.#lostFor.set(name, 0);
    for (const [name, rounds] of this.#lostFor) {
      if (peers.has(name)) continue;
      if (rounds < LOST_ROUNDS) this.#lostFor.set(name, rounds + 1);
      else this.#forget(name);
    }
    return [this.root, ...[...this.#lostFor.keys()].toSorted()];
  }

  #forget(name: string): void {
    this.#lostFor.delete(name);
    this.#views.delete(name);
  }

  async #sightOf(name: string): Promise<Sight> {
    // A hidden node came to look; any other one keeps to the connections that it has.
    const isConnected = name === this.#node.name || this.#node.nodes('all').includes(name);
    if (!isConnected && !(this.#node.isHidden && (await this.#node.connect(name))))
      return { node: name, state: 'lost' };
    try {
      const view = this.#view(name);
      const [overview, sessions] = await Promise.all([
        view.overview(),
        (name === this.root && this.#rootSessions) || view.sessions(),
      ]);
      return { node: name, state: 'up', overview, sessions: sessions.filter(({ hidden }) => !hidden) };
    } catch (error) {
      const { reason } = (error as { details?: { reason?: unknown } }).details ?? {};
      return { node: name, state: reason === 'off' ? 'off' : reason === 'nodedown' ? 'lost' : 'silent' };
    }
  }

  #view(name: string): Introspection {
    let view = this.#views.get(name);
    if (view === undefined)
      this.#views.set(name, (view = this.#node.introspect(name, { timeout: TIMEOUT_MS })));
    return view;
  }
}
