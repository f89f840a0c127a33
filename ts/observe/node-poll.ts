// Asks one node of the cluster what it does, at most one time at once, and remembers what it said.
import type { CrashInfo, Introspection, NodeOverview, SessionInfo } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';

const TIMEOUT_MS = 3000;

/** A connection as the map shows it: names, and rates in bytes a second, undefined while they are not known. */
export interface Line {
  readonly peer: string;
  readonly isStalled: boolean;
  /** Bytes that wait for the peer. */
  readonly waiting: number;
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
}

/** What is known of one node. */
export interface Sight {
  readonly node: string;
  /** `silent`: it did not answer in time. `off`: it answers nobody. `lost`: there is no connection to it any more. */
  readonly state: 'up' | 'silent' | 'off' | 'lost';
  readonly overview?: NodeOverview;
  readonly lines?: readonly Line[];
}

export class NodePoll {
  readonly name: string;
  readonly #node: Node;
  /** Kept, since it gives rates from its second answer on. */
  #view: Introspection | undefined;
  readonly #crashed: (node: string, crashes: readonly CrashInfo[]) => void;
  #asked: Promise<void> | undefined;
  #sight: Sight | undefined;
  /** The last crash that is known, and when its node was started: a new start counts from 1 again. */
  #crashes = 0;
  #startedAt = 0;
  /** Its visible peers. */
  peers: readonly string[] = [];

  constructor(node: Node, name: string, crashed: (node: string, crashes: readonly CrashInfo[]) => void) {
    this.name = name;
    this.#node = node;
    this.#crashed = crashed;
  }

  /** As of the last answer, or of its absence; undefined: nothing is known yet. */
  get sight(): Sight | undefined {
    return this.#sight;
  }

  /** Resolves once the node has answered, or has not in time; a question that is under way is not asked again. */
  ask(): Promise<void> {
    this.#asked ??= this.#look()
      .then((sight) => void (this.#sight = sight))
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }

  async #look(): Promise<Sight> {
    const { name: node } = this;
    try {
      // A hidden node came to look; any other one keeps to the connections that it has.
      const isConnected = node === this.#node.name || this.#node.nodes('all').includes(node);
      if (!isConnected && !(this.#node.isHidden && (await this.#node.connect(node))))
        return { node, state: 'lost' };
      const view = (this.#view ??= this.#node.introspect(node, { timeout: TIMEOUT_MS }));
      const [overview, sessions] = await Promise.all([view.overview(), view.sessions()]);
      const visible = sessions.filter(({ hidden }) => !hidden);
      this.peers = visible.map((session) => session.node);
      await this.#readCrashes(view, overview);
      return { node, state: 'up', overview, lines: visible.map(lineOf) };
    } catch (error) {
      const { reason } = (error as { details?: { reason?: unknown } }).details ?? {};
      return { node, state: reason === 'off' ? 'off' : reason === 'nodedown' ? 'lost' : 'silent' };
    }
  }

  /** A node that has not crashed since is not asked. */
  async #readCrashes(view: Introspection, { crashes, clock, uptimeMs }: NodeOverview): Promise<void> {
    const startedAt = clock - uptimeMs;
    if (crashes < this.#crashes || Math.abs(startedAt - this.#startedAt) > TIMEOUT_MS) this.#crashes = 0;
    this.#startedAt = startedAt;
    if (crashes === this.#crashes) return;
    const { items } = await view.crashes({ after: this.#crashes });
    this.#crashes = items.at(-1)?.id ?? crashes;
    if (items.length > 0) this.#crashed(this.name, items);
  }
}

function lineOf({ node, stalled, waiting, rates }: SessionInfo): Line {
  return { peer: node, isStalled: stalled, waiting, bytesIn: rates?.bytesIn, bytesOut: rates?.bytesOut };
}
